"""The tasks in TensorFlow by hand, all replicates at once where there are several.

Seeds go to `tf.random.stateless_*` with the fastest generator of each form: Threefry under XLA, Philox outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.ring import centres
from benchmarks.staircase import OFFSETS

Update = tuple[slice, Callable[[Any, Any, Any], Any], int]
"""What one update of a step changes, its loss, and how many times it is made, on new examples each time after the first."""


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


class Ring:
    """A generator and its critic, on points of a ring: see `examples/failures/ring.yaml`."""

    def __init__(self, k: int, batch: int, critic: int, penalty: float) -> None:
        self.batch, self.critic, self.penalty = batch, critic, penalty
        self.centre = centres(k)

    def target(self, random: Random) -> dict[str, Any]:
        """Nothing is drawn once a replicate."""
        return {}

    def draw(self, random: Random) -> dict[str, Any]:
        """Data, the generator's input, and where between data and samples the penalty is taken."""
        centre = tf.gather(tf.constant(self.centre), random.integers([self.batch], len(self.centre)))
        return {
            "x": centre + 0.02 * random.normal([self.batch, 2]),
            "z": random.normal([self.batch, 16]),
            "mix": random.uniform([self.batch], 0, 1),
        }

    def updates(self) -> list[Update]:
        """The critic's, then the generator's."""
        return [(slice(6, 12), self.critic_loss, self.critic), (slice(0, 6), self.generator_loss, 1)]

    def _value(self, weights: Any, place: int, x: Any) -> Any:
        for layer in (place, place + 2):
            x = tf.nn.relu(dense(weights, layer, x))
        return dense(weights, place + 4, x)

    def _critic(self, weights: Any, x: Any) -> Any:
        return self._value(weights, 6, x)[..., 0]

    def critic_loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The critic's mean loss over a batch [...]."""
        x, made = drawn["x"], self._value(weights, 0, drawn["z"])
        if not self.penalty:
            loss = tf.nn.softplus(-self._critic(weights, x)) + tf.nn.softplus(self._critic(weights, made))
            return tf.reduce_mean(loss, axis=-1)
        mix = drawn["mix"][..., None]
        between = mix * x + (1 - mix) * made
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            value = self._critic(weights, between)
        excess = tf.norm(tape.gradient(value, between), axis=-1) - 1
        loss = self._critic(weights, made) - self._critic(weights, x) + self.penalty * excess**2
        return tf.reduce_mean(loss, axis=-1)

    def generator_loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The generator's mean loss over a batch [...]."""
        value = self._critic(weights, self._value(weights, 0, drawn["z"]))
        return tf.reduce_mean(-value if self.penalty else tf.nn.softplus(-value), axis=-1)


class Lengths:
    """A transformer on sequences of several lengths: see `examples/failures/lengths.yaml`."""

    def __init__(self, L: int, T: int, c: int, batch: int) -> None:
        self.L, self.T, self.c, self.batch = L, T, c, batch

    def target(self, random: Random) -> dict[str, Any]:
        """Nothing is drawn once a replicate."""
        return {}

    def draw(self, random: Random) -> dict[str, Any]:
        """Lengths and bits."""
        return {"n": 1 + random.integers([self.batch], self.L), "b": random.integers([self.batch, self.T], 2)}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch [...]."""
        n, t = tf.cast(drawn["n"], tf.int32), tf.range(self.T)
        one, within = tf.cast(drawn["b"], tf.bool), t < n[..., None]
        x = tf.cast(tf.stack([one & within, ~one & within, t == n[..., None] - 1], axis=-1), tf.float32)
        y = 1.0 - 2.0 * tf.cast(tf.reduce_sum(tf.cast(one & within, tf.int32), axis=-1) % 2, tf.float32)
        h = self._dense(weights, 0, x) + weights[2][..., None, :, :]
        for place in (3, 19):
            h = h + self._attention(weights, place + 2, self._normal(weights, place, h), within)
            m = tf.nn.gelu(self._dense(weights, place + 12, self._normal(weights, place + 10, h)))
            h = h + self._dense(weights, place + 14, m)
        last = tf.one_hot(n - 1, self.T)
        answer = tf.reduce_sum(self._dense(weights, 35, h)[..., 0] * last, axis=-1)
        return tf.reduce_mean(tf.nn.softplus(-y * answer), axis=-1)

    def _dense(self, weights: Any, place: int, x: Any) -> Any:
        """A dense layer on sequences [..., B, T, in], which are its rows together."""
        rows = tf.reshape(x, [*x.shape[:-3], -1, x.shape[-1]])
        return tf.reshape(dense(weights, place, rows), [*x.shape[:-1], weights[place].shape[-1]])

    def _normal(self, weights: Any, place: int, x: Any) -> Any:
        """Layer normalisation."""
        scale, shift = (weights[at][..., None, None, :] for at in (place, place + 1))
        gap = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        return gap * tf.math.rsqrt(tf.reduce_mean(gap**2, axis=-1, keepdims=True) + 1e-3) * scale + shift

    def _attention(self, weights: Any, place: int, x: Any, within: Any) -> Any:
        """Self-attention whose keys end at each example's length."""
        q, k, v = (
            tf.einsum("...btc,...chd->...bthd", x, weights[at]) + weights[at + 1][..., None, None, :, :]
            for at in (place, place + 2, place + 4)
        )
        score = tf.einsum("...bthd,...bshd->...bhts", q / q.shape[-1] ** 0.5, k)
        share = tf.nn.softmax(tf.where(within[..., None, None, :], score, -np.inf))
        mixed = tf.einsum("...bhts,...bshd->...bthd", share, v)
        return tf.einsum("...bthd,...hdc->...btc", mixed, weights[place + 6]) + weights[place + 7][..., None, None, :]


TASKS = {
    "parities": Parities, "tuples": Tuples, "allocation": Allocation, "staircase": Staircase, "auto_encoder": AutoEncoder,
    "ring": Ring, "lengths": Lengths,
}  # fmt: skip
