"""The tasks in JAX by hand, for one replicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.line_images import line_images
from benchmarks.ring import centres
from benchmarks.staircase import OFFSETS

Update = tuple[slice, Callable[[Any, Any, Any], Any], int]
"""What one update of a step changes, its loss, and how many times it is made, on new examples each time after the first."""


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


class Ring:
    """A generator and its critic, on points of a ring: see `examples/failures/ring.yaml`."""

    def __init__(self, k: int, batch: int, critic: int, penalty: float) -> None:
        self.batch, self.critic, self.penalty = batch, critic, penalty
        self.centre = centres(k)

    def target(self, key: Any) -> dict[str, Any]:
        """Nothing is drawn once a replicate."""
        return {}

    def draw(self, key: Any) -> dict[str, Any]:
        """Data, the generator's input, and where between data and samples the penalty is taken."""
        place, noise, z, mix = jax.random.split(key, 4)
        centre = jnp.asarray(self.centre)[jax.random.randint(place, (self.batch,), 0, len(self.centre))]
        return {
            "x": centre + 0.02 * jax.random.normal(noise, (self.batch, 2)),
            "z": jax.random.normal(z, (self.batch, 16)),
            "mix": jax.random.uniform(mix, (self.batch,)),
        }

    def updates(self) -> list[Update]:
        """The critic's, then the generator's."""
        return [(slice(6, 12), self.critic_loss, self.critic), (slice(0, 6), self.generator_loss, 1)]

    def _value(self, weights: Any, place: int, x: Any) -> Any:
        for layer in (place, place + 2):
            x = jax.nn.relu(dense(weights, layer, x))
        return dense(weights, place + 4, x)

    def _critic(self, weights: Any, x: Any) -> Any:
        return self._value(weights, 6, x)[..., 0]

    def critic_loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The critic's mean loss over a batch."""
        x, made = drawn["x"], self._value(weights, 0, drawn["z"])
        if not self.penalty:
            return jnp.mean(jax.nn.softplus(-self._critic(weights, x)) + jax.nn.softplus(self._critic(weights, made)))
        mix = drawn["mix"][:, None]
        between = mix * x + (1 - mix) * made
        slope = jax.grad(lambda x: jnp.sum(self._critic(weights, x)))(between)
        excess = jnp.linalg.norm(slope, axis=-1) - 1
        return jnp.mean(self._critic(weights, made) - self._critic(weights, x) + self.penalty * excess**2)

    def generator_loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The generator's mean loss over a batch."""
        value = self._critic(weights, self._value(weights, 0, drawn["z"]))
        return jnp.mean(-value if self.penalty else jax.nn.softplus(-value))


class Lengths:
    """A transformer on sequences of several lengths: see `examples/failures/lengths.yaml`."""

    def __init__(self, L: int, T: int, c: int, batch: int) -> None:
        self.L, self.T, self.c, self.batch = L, T, c, batch

    def target(self, key: Any) -> dict[str, Any]:
        """Nothing is drawn once a replicate."""
        return {}

    def draw(self, key: Any) -> dict[str, Any]:
        """Lengths and bits."""
        length, bits = jax.random.split(key)
        n = 1 + jax.random.randint(length, (self.batch,), 0, self.L)
        return {"n": n, "b": jax.random.bernoulli(bits, 0.5, (self.batch, self.T))}

    def loss(self, weights: Any, target: Any, drawn: Any) -> Any:
        """The mean loss of a batch."""
        n, t = drawn["n"].astype(jnp.int32), jnp.arange(self.T)
        one, within = drawn["b"].astype(bool), t < n[:, None]
        x = jnp.stack([one & within, ~one & within, t == n[:, None] - 1], axis=-1).astype(jnp.float32)
        y = 1.0 - 2.0 * (jnp.sum(one & within, axis=-1) % 2)
        h = dense(weights, 0, x) + weights[2]
        for place in (3, 19):
            h = h + self._attention(weights, place + 2, self._normal(weights, place, h), within)
            m = jax.nn.gelu(dense(weights, place + 12, self._normal(weights, place + 10, h)), approximate=False)
            h = h + dense(weights, place + 14, m)
        answer = jnp.take_along_axis(dense(weights, 35, h)[..., 0], n[:, None] - 1, axis=-1)[:, 0]
        return jnp.mean(jax.nn.softplus(-y * answer))

    def _normal(self, weights: Any, place: int, x: Any) -> Any:
        """Layer normalisation."""
        gap = x - jnp.mean(x, axis=-1, keepdims=True)
        return gap * jax.lax.rsqrt(jnp.mean(gap**2, axis=-1, keepdims=True) + 1e-3) * weights[place] + weights[place + 1]  # fmt: skip

    def _attention(self, weights: Any, place: int, x: Any, within: Any) -> Any:
        """Self-attention whose keys end at each example's length."""
        q, k, v = (
            jnp.einsum("btc,chd->bthd", x, weights[at]) + weights[at + 1] for at in (place, place + 2, place + 4)
        )
        score = jnp.einsum("bthd,bshd->bhts", q / np.sqrt(q.shape[-1]), k)
        share = jax.nn.softmax(jnp.where(within[:, None, None, :], score, -jnp.inf))
        mixed = jnp.einsum("bhts,bshd->bthd", share, v)
        return jnp.einsum("bthd,hdc->btc", mixed, weights[place + 6]) + weights[place + 7]


TASKS = {
    "parities": Parities, "tuples": Tuples, "allocation": Allocation, "staircase": Staircase, "auto_encoder": AutoEncoder,
    "ring": Ring, "lengths": Lengths,
}  # fmt: skip
