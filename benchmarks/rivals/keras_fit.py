"""Keras: a model, `compile` and `fit`, fed batches made in advance; the best of some `steps_per_execution`."""

from __future__ import annotations

import time
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from benchmarks.ready_made import batches, derived
from benchmarks.weights import shapes

VERSIONS = {"tensorflow": tf.__version__, "keras": keras.__version__}
EXECUTIONS = (1, 100)


def hinge(y: Any, f: Any) -> Any:
    """max(0, 1 - y·f), for each example."""
    return ops.mean(ops.relu(1 - y * f), axis=-1)


def gain(z: Any, f: Any) -> Any:
    """The gain that is lost, for each example."""
    return -ops.sum(z * f, axis=-1)


def model(task: str, n: dict[str, Any]) -> tuple[Any, Any]:
    """The model of a task, and its loss."""

    def dense(units: int, activation: str | None = None) -> Any:
        return layers.Dense(units, activation)

    match task:
        case "parities":
            x = keras.Input((n["d"],))
            return keras.Model(x, dense(1)(dense(10 * n["d"], "relu")(x))), hinge
        case "tuples":
            x = keras.Input((n["k"], n["m"], n["m"]))
            image = ops.reshape(x, (-1, n["m"], n["m"], 1))
            for _ in range(2):
                image = layers.MaxPooling2D(2)(layers.Conv2D(16, 5, padding="same")(image))
            flat = dense(100, "relu")(dense(50, "relu")(layers.Flatten()(image)))
            score = ops.reshape(dense(1)(flat), (-1, n["k"]))
            f = dense(1)(dense(100, "relu")(ops.sigmoid(score)))
            return (keras.Model(x, [f, score]), [hinge, hinge]) if n["inner"] else (keras.Model(x, f), hinge)
        case "allocation":
            x = keras.Input((n["d"],))
            return keras.Model(x, dense(n["k"], "softmax")(x)), gain
        case "staircase":
            x = keras.Input((n["d"],))
            return keras.Model(x, dense(1)(dense(100, "relu")(dense(100, "relu")(dense(100, "relu")(x))))), "mse"
        case "auto_encoder":
            x = keras.Input((n["n"],))
            code = dense(2 * n["k"], "relu")(dense(100, "relu")(dense(500, "relu")(x)))
            return keras.Model(x, dense(n["n"])(dense(100, "relu")(dense(100, "relu")(code)))), "mse"
    raise KeyError(task)


class _Clock(keras.callbacks.Callback):
    """Times an epoch, without the start of `fit`."""

    seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = time.perf_counter() - self.begin


class Rival:
    """A compiled model and its batches. Forms: `graph`, `xla`. Replicates are run one after another."""

    def __init__(self, task: str, numbers: dict[str, Any], replicates: int, form: str) -> None:
        rest = dict(numbers)
        self.given = dict(rest.pop("optimizer"))
        self.kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[self.given.pop("name")]
        self.xla = form == "xla"
        self.model, self.loss = model(task, rest)
        self.shapes = shapes(task, rest)
        self.task, self.numbers = task, rest
        self.data = tf.data.Dataset.from_tensor_slices(batches(task, rest)).repeat().prefetch(2)
        self.execution = 1
        self._compile(1)

    def _compile(self, execution: int) -> None:
        self.execution = execution
        optimizer = self.kind(**self.given)
        self.model.compile(optimizer, self.loss, jit_compile=self.xla, steps_per_execution=execution)

    def choose(self, seconds: float) -> str:
        """Compiles with each `steps_per_execution` and keeps the fastest; says which."""
        rates: dict[int, float] = {}
        for execution in EXECUTIONS:
            if rates and rates[1] * execution > seconds:
                break
            self._compile(execution)
            self.train(execution)
            rates[execution] = self.train(max(execution, 10)) / max(execution, 10)
        best = min(rates, key=rates.__getitem__)
        self._compile(best)
        self.train(best)
        return f"steps_per_execution={best}"

    def train(self, steps: int) -> float:
        """Makes so many updates, rounded up to whole executions; returns the seconds for just as many as asked."""
        whole = -(-steps // self.execution) * self.execution
        clock = _Clock()
        self.model.fit(self.data, steps_per_epoch=whole, epochs=1, verbose=0, callbacks=[clock])
        return clock.seconds * steps / whole

    def check(self, weights: list[Any], target: dict[str, Any], drawn: dict[str, Any]) -> tuple[float, float]:
        """The loss and its gradient's norm at given weights and examples, those as the other rivals derive them."""
        x, y = derived(self.task, self.numbers, target, drawn)
        self.model.set_weights(weights)
        with tf.GradientTape() as tape:
            f = self.model(x)
            found = self.model.compute_loss(x, y, f)
        return float(found), float(tf.linalg.global_norm(tape.gradient(found, self.model.trainable_variables)))

    def parameters(self) -> int:
        """How many weights it has."""
        return int(self.model.count_params())
