"""JAX: the whole loop is one `jit` of a `lax.scan`; replicates are a `vmap` over the step."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.line_images import line_images
from benchmarks.staircase import OFFSETS
from benchmarks.weights import shapes

VERSIONS = {"jax": jax.__version__, "optax": optax.__version__}


def dense(weights: Any, place: int, x: Any) -> Any:
    """A dense layer, whose kernel and bias are the weights from a place on."""
    return x @ weights[place] + weights[place + 1]


def hinge(y: Any, f: Any) -> Any:
    """max(0, 1 - y·f)."""
    return jax.nn.relu(1 - y * f)


class Parities:
    """Random parities: see `examples/parities.yaml`."""

    def __init__(self, d: int, batch: int) -> None:
        self.d, self.batch = d, batch

    def target(self, key: Any) -> dict[str, Any]:
        """Drawn once a replicate."""
        return {"s": jax.random.bernoulli(key, 0.5, (self.d,))}

    def draw(self, key: Any) -> dict[str, Any]:
        """Drawn at every step."""
        return {"x": jax.random.rademacher(key, (self.batch, self.d), jnp.float32)}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch."""
        x = drawn["x"]
        y = jnp.prod(jnp.where(target["s"], x, 1.0), axis=-1)
        f = dense(weights, 2, jax.nn.relu(dense(weights, 0, x)))[:, 0]
        return jnp.mean(hinge(y, f))


class Tuples:
    """Tuples of line images: see `examples/decomposition.yaml`."""

    def __init__(self, k: int, m: int, batch: int, inner: bool) -> None:
        self.k, self.m, self.batch, self.inner = k, m, batch, inner

    def target(self, key: Any) -> dict[str, Any]:
        """Nothing is drawn once a replicate."""
        return {}

    def draw(self, key: Any) -> dict[str, Any]:
        """Angles, lengths and centres of lines."""
        angle, length, centre = jax.random.split(key, 3)
        shape = (self.batch, self.k)
        return {
            "theta": jax.random.uniform(angle, shape, maxval=np.pi),
            "length": jax.random.uniform(length, shape, minval=5, maxval=self.m - 5),
            "centre": jax.random.uniform(centre, (*shape, 2), maxval=self.m - 1),
        }

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch; images of all tuples pass the shared network together."""
        images = line_images(jnp, drawn["theta"], drawn["length"], drawn["centre"], self.m)
        label = jnp.where(drawn["theta"] < np.pi / 2, 1.0, -1.0)
        x = images.reshape(-1, self.m, self.m, 1)
        for place in (0, 2):
            x = jax.lax.conv_general_dilated(
                x, weights[place], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            x = jax.lax.reduce_window(
                x + weights[place + 1], -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
            )
        x = jax.nn.relu(dense(weights, 4, x.reshape(x.shape[0], -1)))
        score = dense(weights, 8, jax.nn.relu(dense(weights, 6, x))).reshape(self.batch, self.k)
        f = dense(weights, 12, jax.nn.relu(dense(weights, 10, jax.nn.sigmoid(score))))[:, 0]
        total = jnp.mean(hinge(jnp.prod(label, axis=-1), f))
        return total + jnp.mean(hinge(label, score)) if self.inner else total


class Allocation:
    """Allocation of assets to classes: see `examples/decomposition.yaml`. The one-hot input's rows are looked up."""

    def __init__(self, d: int, k: int, batch: int) -> None:
        self.d, self.k, self.batch = d, k, batch

    def target(self, key: Any) -> dict[str, Any]:
        """The right class of each asset."""
        return {"class": jax.random.randint(key, (self.d,), 0, self.k)}

    def draw(self, key: Any) -> dict[str, Any]:
        """Assets, and coin tosses for the classes' gains."""
        asset, toss = jax.random.split(key)
        return {
            "i": jax.random.randint(asset, (self.batch,), 0, self.d),
            "toss": jax.random.rademacher(toss, (self.batch, self.k), jnp.float32),
        }

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch."""
        right = jax.nn.one_hot(target["class"][drawn["i"]], self.k, dtype=bool)
        z = jnp.where(right, 1.0, drawn["toss"])
        f = jax.nn.softmax(weights[0][drawn["i"]] + weights[1])
        return jnp.mean(-jnp.sum(z * f, axis=-1))


class Staircase:
    """A staircase, learnt end-to-end: see `examples/flat.yaml`."""

    def __init__(self, d: int, batch: int) -> None:
        self.d, self.batch = d, batch

    def target(self, key: Any) -> dict[str, Any]:
        """A direction and a shift."""
        direction, shift = jax.random.split(key)
        return {"v": jax.random.normal(direction, (self.d,)), "b": jax.random.normal(shift)}

    def draw(self, key: Any) -> dict[str, Any]:
        """Inputs."""
        return {"x": jax.random.normal(key, (self.batch, self.d)) / self.d}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch; the steps are sorted, so the last that is reached is the largest."""
        x, z = drawn["x"], target["b"] + jnp.asarray(OFFSETS)
        r = x @ target["v"] + target["b"]
        y = jnp.max(jnp.where(z <= r[:, None], z, z[0]), axis=-1)
        for place in (0, 2, 4):
            x = jax.nn.relu(dense(weights, place, x))
        return jnp.mean((dense(weights, 6, x)[:, 0] - y) ** 2)  # fmt: skip


class AutoEncoder:
    """An auto-encoder of curves, from a finite set: see `examples/conditioning.yaml`."""

    def __init__(self, n: int, k: int, train: int, batch: int) -> None:
        self.n, self.k, self.train, self.batch = n, k, train, batch

    def target(self, key: Any) -> dict[str, Any]:
        """The curves to learn from."""
        knot, change = jax.random.split(key)
        knots = jax.random.uniform(knot, (self.train, 1, self.k), maxval=self.n)
        changes = jax.random.uniform(change, (self.train, 1, self.k), minval=-1)
        return {"curves": jnp.sum(changes * jax.nn.relu(jnp.arange(self.n)[:, None] - knots), axis=-1)}

    def draw(self, key: Any) -> dict[str, Any]:
        """Which curves, with replacement."""
        return {"index": jax.random.randint(key, (self.batch,), 0, self.train)}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch."""
        f = target["curves"][drawn["index"]]
        x = f
        for place in (0, 2, 4, 6, 8):
            x = jax.nn.relu(dense(weights, place, x))
        return jnp.mean((dense(weights, 10, x) - f) ** 2)


TASKS = {
    "parities": Parities, "tuples": Tuples, "allocation": Allocation, "staircase": Staircase, "auto_encoder": AutoEncoder,
}  # fmt: skip


class Rival:
    """A task with its optimiser and state, trained by scans."""

    def __init__(self, task: str, numbers: dict[str, Any], replicates: int, form: str) -> None:
        rest = dict(numbers)
        optimizer = dict(rest.pop("optimizer"))
        self.task = TASKS[task](**rest)
        self.shapes = shapes(task, rest)
        self.optimizer = _optimizer(**optimizer)
        key, own = jax.random.split(jax.random.key(0))
        keys = jax.random.split(own, replicates)
        self.state = (*jax.vmap(self._start)(keys), key)
        self.losses: Any = None

    def _start(self, key: Any) -> Any:
        """Weights, the optimiser's state and the target of one replicate."""
        key, own = jax.random.split(key)
        weights = [
            deviation * jax.random.truncated_normal(one, -2.0, 2.0, shape)
            for one, (shape, deviation) in zip(jax.random.split(key, len(self.shapes)), self.shapes, strict=True)
        ]
        return weights, self.optimizer.init(weights), self.task.target(own)

    def _step(self, weights: Any, slots: Any, target: Any, key: Any) -> Any:
        """One update of one replicate; its loss too, which would not be computed if nobody had it."""
        loss, gradients = jax.value_and_grad(self.task.loss)(weights, target, self.task.draw(key))
        updates, slots = self.optimizer.update(gradients, slots, weights)
        return (optax.apply_updates(weights, updates), slots), loss

    @partial(jax.jit, static_argnums=(0, 2), donate_argnums=1)
    def _scan(self, state: Any, steps: int) -> Any:
        weights, slots, target, key = state
        replicates = weights[0].shape[0]

        def body(carry: Any, key: Any) -> Any:
            if replicates == 1:
                one = jax.tree.map(lambda x: x[0], (*carry, target))
                return jax.tree.map(lambda x: x[None], self._step(*one, key))
            return jax.vmap(self._step)(*carry, target, jax.random.split(key, replicates))

        key, own = jax.random.split(key)
        (weights, slots), losses = jax.lax.scan(body, (weights, slots), jax.random.split(own, steps))
        return (weights, slots, target, key), losses

    def train(self, steps: int) -> None:
        """Makes so many updates, and waits for them."""
        self.state, self.losses = jax.block_until_ready(self._scan(self.state, steps))

    def check(self, weights: list[Any], target: dict[str, Any], drawn: dict[str, Any]) -> tuple[float, float]:
        """The loss and its gradient's norm at given weights and examples."""
        found, gradients = jax.value_and_grad(self.task.loss)([jnp.asarray(w) for w in weights], target, drawn)
        return float(found), float(optax.global_norm(gradients))

    def parameters(self) -> int:
        """How many weights one replicate has."""
        return sum(weight[0].size for weight in self.state[0])


def _optimizer(name: str, learning_rate: float, beta_1: float = 0, beta_2: float = 0, epsilon: float = 0) -> Any:
    return optax.sgd(learning_rate) if name == "sgd" else optax.adam(learning_rate, beta_1, beta_2, epsilon)
