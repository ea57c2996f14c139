"""TensorFlow by hand: one compiled function a step (`step`), or the whole loop in one (`loop`), with XLA or as a graph.

Seeds go to `tf.random.stateless_*` with the fastest generator of each form: Threefry under XLA, Philox outside.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.weights import shapes

from .tensorflow_tasks import TASKS, Random, Tuples, Update

VERSIONS = {"tensorflow": tf.__version__, "keras": keras.__version__}


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
        kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[optimizer.pop("name")]
        self.updates: list[Update] = (
            self.task.updates() if hasattr(self.task, "updates") else [(slice(None), self._losses, 1)]
        )
        self.most = max(times for _, _, times in self.updates)
        self.lead = (replicates,) if replicates > 1 else ()
        keras.utils.set_random_seed(0)
        self.weights = [
            keras.Variable(deviation * tf.random.truncated_normal([*self.lead, *shape]))
            for shape, deviation in self.shapes
        ]
        self.optimizers = [kind(**optimizer) for _ in self.updates]
        for own, (changed, *_) in zip(self.optimizers, self.updates, strict=True):
            own.build(self.weights[changed])
        self.target = self.task.target(Random(tf.constant([0, -8]), "philox", self.lead))
        self.made = tf.Variable(0)
        self.last: Any = None
        xla = compiled == "xla"
        self.train = self._steps(xla) if kind == "step" else self._loop(xla)

    def _update(self, step: Any) -> Any:
        """The updates of a step; the losses of its batches [...], which a program under XLA would not compute if nobody had them."""
        batches = [
            self.task.draw(Random(tf.stack([turn, 8 * step]), self.algorithm, self.lead)) for turn in range(self.most)
        ]
        every = []
        for optimizer, (own, loss, times) in zip(self.optimizers, self.updates, strict=True):
            for drawn in batches[:times]:
                values = [tf.convert_to_tensor(weight.value) for weight in self.weights]
                losses, gradients = _gradients(loss, own, values, self.target, drawn)
                optimizer.apply(gradients, self.weights[own])
                every.append(losses)
        return tf.add_n(every)

    def _losses(self, values: Any, target: Any, drawn: Any) -> Any:
        """The replicates' losses: all at once, but convolutions, whose kernels cannot be stacked, one by one."""
        if not self.lead or not isinstance(self.task, Tuples):
            return self.task.loss(values, target, drawn)
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
        """The loss and its gradient's norm at given weights and examples: of all updates together, each by what it changes."""
        values = [tf.constant(weight) for weight in weights]
        given = [{k: tf.constant(v) for k, v in d.items()} for d in (target, drawn)]
        updates = self.task.updates() if hasattr(self.task, "updates") else [(slice(None), self.task.loss, 1)]
        found = [_gradients(loss, own, values, *given) for own, loss, _ in updates]
        return float(sum(loss for loss, _ in found)), float(tf.linalg.global_norm([g for _, own in found for g in own]))

    def parameters(self) -> int:
        """How many weights one replicate has."""
        return sum(int(np.prod(weight.shape)) for weight in self.weights) // self.replicates


def _gradients(loss: Any, own: slice, values: list[Any], target: Any, drawn: Any) -> tuple[Any, list[Any]]:
    """The losses [...], and their gradients by some of the weights."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values[own])
        found = loss(values, target, drawn)
        total = tf.reduce_sum(found)
    return found, tape.gradient(total, values[own])


def _at(drawn: dict[str, Any], replicate: int) -> dict[str, Any]:
    return {name: value[replicate] for name, value in drawn.items()}
