"""JAX by hand, a whole sweep at once: `jit` of a `scan`, `vmap` over replicates, and over the sweep's points within each.

Each replicate's examples are drawn once for all points. `python -m benchmarks.jax_sweeps initial_bias|rates|margins [STEPS]`. What dlspec does
besides, evaluations, figures, the report and the store, is left out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.staircase import OFFSETS

REPLICATES = 5
STARTS = (-1.5, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 1.5)
RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 7e-3, 1e-2, 1.5e-2, 2e-2)
MARGINS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 1, 1.2, 1.5, 2, 3, 4)

Weights = dict[str, Any]


def train(
    init: Callable[[Any], Weights], target: Callable[[Any], Any], draw: Callable[[Any, Any], Any],
    loss: Callable[[Weights, Any, Any, Any], Any], optimizer: Callable[[Any], Any], points: Sequence[float],
    point_of_rate: bool, steps: int,
) -> Weights:  # fmt: skip
    """The weights of all points and replicates after so many steps: [R, points, …]."""
    values = jnp.asarray(points, jnp.float32)

    def one(replicate: Any) -> Any:
        key = jax.random.key(replicate)
        goal = target(jax.random.fold_in(key, 0))
        weights = jax.vmap(lambda _: init(jax.random.fold_in(key, 1)))(values)
        states = jax.vmap(lambda w, value: optimizer(value if point_of_rate else None).init(w))(weights, values)

        def step(carry: Any, number: Any) -> Any:
            drawn = draw(jax.random.fold_in(jax.random.fold_in(key, 2), number), goal)

            def of_point(w: Weights, state: Any, value: Any) -> Any:
                gradient = jax.grad(loss)(w, goal, drawn, value)
                change, state = optimizer(value if point_of_rate else None).update(gradient, state, w)
                return optax.apply_updates(w, change), state

            return jax.vmap(of_point)(*carry, values), None

        return jax.lax.scan(step, (weights, states), jnp.arange(steps))[0][0]

    found: Weights = jax.jit(jax.vmap(one))(jnp.arange(REPLICATES))
    return jax.block_until_ready(found)


def initial_bias(steps: int) -> Weights:
    """`examples/flat.yaml --only initial_bias`."""
    d, batch, offsets = 100, 256, jnp.asarray(np.unique(OFFSETS), jnp.float32)

    def init(key: Any) -> Weights:
        return {"w": jax.random.truncated_normal(key, -2, 2, (d,)) / np.sqrt(d), "c": jnp.zeros(())}

    def target(key: Any) -> Any:
        one, two = jax.random.split(key)
        b = jax.random.normal(two)
        return {"v": jax.random.normal(one, (d,)), "b": b, "z": b + offsets}

    def draw(key: Any, goal: Any) -> Any:
        x = jax.random.normal(key, (batch, d)) / d
        r = x @ goal["v"] + goal["b"]
        return x, goal["z"][jnp.clip(jnp.searchsorted(goal["z"], r, side="right") - 1, 0)]

    def loss(w: Weights, goal: Any, drawn: Any, start: Any) -> Any:
        x, y = drawn
        z, gaps = goal["z"], jnp.diff(goal["z"])
        r = x @ w["w"] + w["c"] + goal["b"] + start
        soft = z[0] + jnp.sum(gaps * jax.nn.sigmoid(50 * (r[:, None] - z[1:]) / gaps), axis=-1)
        return jnp.mean((soft - y) ** 2)

    return train(init, target, draw, loss, lambda _: optax.adam(0.01, b2=0.99, eps=1e-5), STARTS, False, steps)


def _parities(points: Sequence[float], rates: bool, steps: int) -> Weights:
    """Random parities of d = 30, 300 ReLU units, batch 128, Adam."""
    d, units, batch = 30, 300, 128

    def init(key: Any) -> Weights:
        one, two = jax.random.split(key)
        glorot = jax.nn.initializers.glorot_uniform()
        return {"w": glorot(one, (d, units)), "b": jnp.zeros(units), "u": glorot(two, (units, 1)), "c": jnp.zeros(1)}

    def target(key: Any) -> Any:
        return jax.random.bernoulli(key, 0.5, (d,))

    def draw(key: Any, goal: Any) -> Any:
        x = jax.random.rademacher(key, (batch, d), jnp.float32)
        return x, jnp.prod(jnp.where(goal, x, 1.0), axis=-1)

    def loss(w: Weights, goal: Any, drawn: Any, margin: Any) -> Any:
        x, y = drawn
        f = (jax.nn.relu(x @ w["w"] + w["b"]) @ w["u"] + w["c"])[:, 0]
        return jnp.mean(jax.nn.relu((1.0 if rates else margin) - y * f))

    return train(
        init, target, draw, loss, lambda rate: optax.adam(0.01 if rate is None else rate), points, rates, steps
    )


STUDIES: dict[str, Callable[[int], Weights]] = {
    "initial_bias": initial_bias,
    "rates": lambda steps: _parities(RATES, True, steps),
    "margins": lambda steps: _parities(MARGINS, False, steps),
}


def main() -> int:
    """Trains one sweep, and says how long it took, imports apart."""
    name, *rest = sys.argv[1:]
    begin = time.perf_counter()
    found = STUDIES[name](int(rest[0]) if rest else {"initial_bias": 5000}.get(name, 10000))
    shapes = {key: tuple(value.shape) for key, value in found.items()}
    print(f"{name}: {time.perf_counter() - begin:.1f} s, {shapes}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
