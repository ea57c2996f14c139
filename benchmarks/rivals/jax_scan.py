"""JAX: the whole loop is one `jit` of a `lax.scan`; replicates are a `vmap` over the step."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from benchmarks.weights import shapes

from .jax_tasks import TASKS, Update

VERSIONS = {"jax": jax.__version__, "optax": optax.__version__}


class Rival:
    """A task with its optimiser and state, trained by scans."""

    def __init__(self, task: str, numbers: dict[str, Any], replicates: int, form: str) -> None:
        rest = dict(numbers)
        optimizer = dict(rest.pop("optimizer"))
        self.task = TASKS[task](**rest)
        self.shapes = shapes(task, rest)
        self.optimizer = _optimizer(**optimizer)
        self.updates: list[Update] = (
            self.task.updates() if hasattr(self.task, "updates") else [(slice(None), self.task.loss, 1)]
        )
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
        return weights, [self.optimizer.init(weights[own]) for own, *_ in self.updates], self.task.target(own)

    def _step(self, weights: Any, slots: Any, target: Any, key: Any) -> Any:
        """The updates of one step of one replicate; their losses too, which would not be computed if nobody had them."""
        weights, slots, losses = list(weights), list(slots), []
        most = max(times for _, _, times in self.updates)
        batches = [self.task.draw(one) for one in (jax.random.split(key, most) if most > 1 else [key])]
        for place, (own, _, times) in enumerate(self.updates):
            for drawn in batches[:times]:
                loss, gradients = self._gradients(place, weights, target, drawn)
                changes, slots[place] = self.optimizer.update(gradients, slots[place], weights[own])
                weights[own] = optax.apply_updates(weights[own], changes)
                losses.append(loss)
        return (weights, slots), sum(losses)

    def _gradients(self, place: int, weights: list[Any], target: Any, drawn: Any) -> Any:
        """The loss of an update, and its gradients by the weights that it changes."""
        own, of, _ = self.updates[place]

        def loss(changed: list[Any]) -> Any:
            every = list(weights)
            every[own] = changed
            return of(every, target, drawn)

        return jax.value_and_grad(loss)(weights[own])

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
        """The loss and its gradient's norm at given weights and examples: of all updates together, each by what it changes."""
        given = [jnp.asarray(w) for w in weights]
        found = [self._gradients(place, given, target, drawn) for place in range(len(self.updates))]
        return float(sum(loss for loss, _ in found)), float(optax.global_norm([g for _, g in found]))

    def parameters(self) -> int:
        """How many weights one replicate has."""
        return sum(weight[0].size for weight in self.state[0])


def _optimizer(name: str, learning_rate: float, beta_1: float = 0, beta_2: float = 0, epsilon: float = 0) -> Any:
    return optax.sgd(learning_rate) if name == "sgd" else optax.adam(learning_rate, beta_1, beta_2, epsilon)
