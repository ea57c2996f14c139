"""TensorFlow by hand: one compiled function a step (`step`), or the whole loop in one (`loop`), with XLA or as a graph.

Seeds go to `tf.random.stateless_*` with the fastest generator of each form: Threefry under XLA, Philox outside.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.staircase import OFFSETS
from benchmarks.weights import shapes

VERSIONS = {"tensorflow": tf.__version__, "keras": keras.__version__}


def dense(weights: Any, place: int, x: Any) -> Any:
    """A dense layer on [..., B, in], whose kernel [..., in, out] and bias [..., out] are the weights from a place on."""
    return tf.matmul(x, weights[place]) + weights[place + 1][..., None, :]


def hinge(y: Any, f: Any) -> Any:
    """max(0, 1 - y·f)."""
    return tf.nn.relu(1 - y * f)


class Random:
    """Draws of one step, for all replicates at once where `lead` counts them: each call is a draw of its own."""

    def __init__(self, seed: Any, algorithm: str, lead: tuple[int, ...] = ()) -> None:
        self.seed, self.algorithm, self.lead = seed, algorithm, lead

    def _next(self) -> Any:
        self.seed = self.seed + tf.constant([0, 1])
        return self.seed

    def signs(self, shape: Any) -> Any:
        """±1 with equal odds."""
        return 1.0 - 2.0 * tf.cast(self.integers(shape, 2), tf.float32)

    def integers(self, shape: Any, count: int) -> Any:
        """Integers from 0 to count - 1."""
        return tf.random.stateless_uniform([*self.lead, *shape], self._next(), 0, count, tf.int32, alg=self.algorithm)

    def uniform(self, shape: Any, low: float, high: float) -> Any:
        """Numbers in [low, high)."""
        return tf.random.stateless_uniform([*self.lead, *shape], self._next(), low, high, alg=self.algorithm)

    def normal(self, shape: Any) -> Any:
        """Standard normals."""
        return tf.random.stateless_normal([*self.lead, *shape], self._next(), alg=self.algorithm)


class Parities:
    """Random parities: see `examples/parities.yaml`."""

    def __init__(self, d: int, batch: int) -> None:
        self.d, self.batch = d, batch

    def target(self, random: Random) -> dict[str, Any]:
        """Drawn once a replicate."""
        return {"s": random.integers([self.d], 2)}

    def draw(self, random: Random) -> dict[str, Any]:
        """Drawn at every step."""
        return {"x": random.signs([self.batch, self.d])}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch [...]."""
        x = drawn["x"]
        y = tf.reduce_prod(tf.where(target["s"][..., None, :] == 1, x, 1.0), axis=-1)
        f = dense(weights, 2, tf.nn.relu(dense(weights, 0, x)))[..., 0]
        return tf.reduce_mean(hinge(y, f), axis=-1)


class Tuples:
    """Tuples of line images: see `examples/decomposition.yaml`."""

    def __init__(self, k: int, m: int, batch: int, inner: bool) -> None:
        self.k, self.m, self.batch, self.inner = k, m, batch, inner

    def target(self, random: Random) -> dict[str, Any]:
        """Nothing is drawn once a replicate."""
        return {}

    def draw(self, random: Random) -> dict[str, Any]:
        """Angles, lengths and centres of lines."""
        shape = [self.batch, self.k]
        return {
            "theta": random.uniform(shape, 0, np.pi),
            "length": random.uniform(shape, 5, self.m - 5),
            "centre": random.uniform([*shape, 2], 0, self.m - 1),
        }

    def images(self, theta: Any, length: Any, centre: Any) -> Any:
        """Images of lines: a line and a pixel meet when no axis separates them."""
        cosine, sine, half = tf.cos(theta)[..., None], tf.sin(theta)[..., None], length[..., None] / 2
        places = tf.range(self.m, dtype=tf.float32)
        x, y = places - centre[..., :1], (self.m - 1 - places) - centre[..., 1:]
        near_x, near_y = tf.abs(x) <= half * tf.abs(cosine) + 0.5, tf.abs(y) <= half * tf.abs(sine) + 0.5
        off = x[..., None, :] * sine[..., None] - y[..., None] * cosine[..., None]
        near = tf.abs(off) <= (tf.abs(sine) + tf.abs(cosine))[..., None] / 2
        return tf.cast(near_x[..., None, :] & near_y[..., None] & near, tf.float32)

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch; images of all tuples pass the shared network together."""
        images = self.images(drawn["theta"], drawn["length"], drawn["centre"])
        label = tf.where(drawn["theta"] < np.pi / 2, 1.0, -1.0)
        x = tf.reshape(images, [-1, self.m, self.m, 1])
        for place in (0, 2):
            x = tf.nn.conv2d(x, weights[place], 1, "SAME") + weights[place + 1]
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.nn.relu(dense(weights, 4, tf.reshape(x, [self.batch * self.k, -1])))
        score = tf.reshape(dense(weights, 8, tf.nn.relu(dense(weights, 6, x))), [self.batch, self.k])
        f = dense(weights, 12, tf.nn.relu(dense(weights, 10, tf.sigmoid(score))))[:, 0]
        total = tf.reduce_mean(hinge(tf.reduce_prod(label, axis=-1), f))
        return total + tf.reduce_mean(hinge(label, score)) if self.inner else total


class Allocation:
    """Allocation of assets to classes: see `examples/decomposition.yaml`. The one-hot input's rows are looked up."""

    def __init__(self, d: int, k: int, batch: int) -> None:
        self.d, self.k, self.batch = d, k, batch

    def target(self, random: Random) -> dict[str, Any]:
        """The right class of each asset."""
        return {"class": random.integers([self.d], self.k)}

    def draw(self, random: Random) -> dict[str, Any]:
        """Assets, and coin tosses for the classes' gains."""
        return {"i": random.integers([self.batch], self.d), "toss": random.signs([self.batch, self.k])}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch [...]."""
        own = tf.gather(target["class"], drawn["i"], batch_dims=drawn["i"].shape.rank - 1)
        right = tf.range(self.k) == own[..., None]
        z = tf.where(right, 1.0, drawn["toss"])
        rows = tf.gather(weights[0], drawn["i"], batch_dims=drawn["i"].shape.rank - 1)
        f = tf.nn.softmax(rows + weights[1][..., None, :])
        return tf.reduce_mean(-tf.reduce_sum(z * f, axis=-1), axis=-1)


class Staircase:
    """A staircase, learnt end-to-end: see `examples/flat.yaml`."""

    def __init__(self, d: int, batch: int) -> None:
        self.d, self.batch = d, batch

    def target(self, random: Random) -> dict[str, Any]:
        """A direction and a shift."""
        return {"v": random.normal([self.d]), "b": random.normal([])}

    def draw(self, random: Random) -> dict[str, Any]:
        """Inputs."""
        return {"x": random.normal([self.batch, self.d]) / self.d}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch; the steps are sorted, so the last that is reached is the largest."""
        x, z = drawn["x"], target["b"][..., None, None] + tf.constant(OFFSETS)
        r = tf.linalg.matvec(x, target["v"]) + target["b"][..., None]
        y = tf.reduce_max(tf.where(z <= r[..., None], z, z[..., :1]), axis=-1)
        for place in (0, 2, 4):
            x = tf.nn.relu(dense(weights, place, x))
        return tf.reduce_mean((dense(weights, 6, x)[..., 0] - y) ** 2, axis=-1)


class AutoEncoder:
    """An auto-encoder of curves, from a finite set: see `examples/conditioning.yaml`."""

    def __init__(self, n: int, k: int, train: int, batch: int) -> None:
        self.n, self.k, self.train, self.batch = n, k, train, batch

    def target(self, random: Random) -> dict[str, Any]:
        """The curves to learn from."""
        knots = random.uniform([self.train, 1, self.k], 0, self.n)
        changes = random.uniform([self.train, 1, self.k], -1, 1)
        t = tf.range(self.n, dtype=tf.float32)[:, None]
        return {"curves": tf.reduce_sum(changes * tf.nn.relu(t - knots), axis=-1)}

    def draw(self, random: Random) -> dict[str, Any]:
        """Which curves, with replacement."""
        return {"index": random.integers([self.batch], self.train)}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch [...]."""
        f = tf.gather(target["curves"], drawn["index"], batch_dims=drawn["index"].shape.rank - 1)
        x = f
        for place in (0, 2, 4, 6, 8):
            x = tf.nn.relu(dense(weights, place, x))
        return tf.reduce_mean((dense(weights, 10, x) - f) ** 2, axis=[-1, -2])


TASKS = {
    "parities": Parities, "tuples": Tuples, "allocation": Allocation, "staircase": Staircase, "auto_encoder": AutoEncoder,
}  # fmt: skip


class Rival:
    """A task with its optimiser and weights. Forms: `step` or `loop`, `graph` or `xla`, as in `loop-xla`."""

    def __init__(self, task: str, numbers: dict[str, Any], replicates: int, form: str) -> None:
        kind, compiled = form.split("-")
        rest = dict(numbers)
        optimizer = dict(rest.pop("optimizer"))
        self.task = TASKS[task](**rest)
        self.shapes = shapes(task, rest)
        self.replicates = replicates
        self.algorithm = "threefry" if compiled == "xla" else "philox"
        self.optimizer = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[optimizer.pop("name")](
            **optimizer
        )
        self.lead = (replicates,) if replicates > 1 else ()
        keras.utils.set_random_seed(0)
        self.weights = [
            keras.Variable(deviation * tf.random.truncated_normal([*self.lead, *shape]))
            for shape, deviation in self.shapes
        ]
        self.optimizer.build(self.weights)
        self.target = self.task.target(Random(tf.constant([0, -8]), "philox", self.lead))
        self.made = tf.Variable(0)
        self.last: Any = None
        xla = compiled == "xla"
        self.train = self._steps(xla) if kind == "step" else self._loop(xla)

    def _update(self, step: Any) -> Any:
        """One update; the losses of its batch [...], which a program under XLA would not compute if nobody had them."""
        drawn = self.task.draw(Random(tf.stack([0, 8 * step]), self.algorithm, self.lead))
        values = [tf.convert_to_tensor(weight.value) for weight in self.weights]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            losses = self._losses(values, drawn)
            total = tf.reduce_sum(losses)
        self.optimizer.apply(tape.gradient(total, values), self.weights)
        return losses

    def _losses(self, values: Any, drawn: Any) -> Any:
        """The replicates' losses: all at once, but convolutions, whose kernels cannot be stacked, one by one."""
        if not self.lead or not isinstance(self.task, Tuples):
            return self.task.loss(values, self.target, drawn)
        return tf.stack([self.task.loss([v[r] for v in values], {}, _at(drawn, r)) for r in range(self.replicates)])

    def _steps(self, xla: bool) -> Any:
        @tf.function(jit_compile=xla, autograph=False)
        def step() -> Any:
            return self._update(self.made.assign_add(1))

        def train(steps: int) -> None:
            for _ in range(steps):
                self.last = step()
            self.weights[0].numpy()

        return train

    def _loop(self, xla: bool) -> Any:
        @tf.function(jit_compile=xla, autograph=False)
        def loop(start: Any, steps: Any) -> Any:
            def body(step: Any, last: Any) -> Any:
                return step + 1, self._update(step)

            return tf.while_loop(lambda step, last: step < start + steps, body, [start, tf.zeros(self.lead)])

        def train(steps: int) -> None:
            made, self.last = loop(self.made.value(), tf.constant(steps))
            self.made.assign(made)
            self.weights[0].numpy()

        return train

    def check(self, weights: list[Any], target: dict[str, Any], drawn: dict[str, Any]) -> tuple[float, float]:
        """The loss and its gradient's norm at given weights and examples."""
        values = [tf.constant(weight) for weight in weights]
        with tf.GradientTape() as tape:
            tape.watch(values)
            found = self.task.loss(values, *({k: tf.constant(v) for k, v in d.items()} for d in (target, drawn)))
        return float(found), float(tf.linalg.global_norm(tape.gradient(found, values)))

    def parameters(self) -> int:
        """How many weights one replicate has."""
        return sum(int(np.prod(weight.shape)) for weight in self.weights) // self.replicates


def _at(drawn: dict[str, Any], replicate: int) -> dict[str, Any]:
    return {name: value[replicate] for name, value in drawn.items()}
