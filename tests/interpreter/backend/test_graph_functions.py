"""Functions traced into graphs: what they compute, and that nothing of a trace stays behind."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.backend.graph_functions import graph_function
from dlspec.interpreter.program.program import Compiled
from tensorflow.python.framework import ops


@tf.custom_gradient
def tripled(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The identity, whose gradient is 3."""
    return tf.identity(x), lambda upstream: 3 * upstream


def gradient_at(x: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.while_loop(
            lambda turn, _: turn < 4, lambda turn, y: (turn + 1, tripled(y) * y), [0, x], maximum_iterations=4
        )[1]
    return tape.gradient(y, x)


CORNERS = """
task: {example: {x: "[normal() for i < 3]", y: "maximum(x[0], 0)"}}
architecture: {f: {input: x, layers: [dense: {units: 3, activation: relu}, dense: 1]}}
loss: {l: "maximum(abs(f - y), sqrt(f * f))"}
training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 2, evaluate: {every: 1, examples: 8}}
measures: {m: "E(norm(x) * f)"}
"""


def kept() -> set[str]:
    return {name for name in ops.gradient_registry.list() if name.startswith("CustomGradient-")}


@pytest.mark.parametrize("xla", [False, True])
def test_no_custom_gradient_stays_behind(xla: bool) -> None:
    """Its gradient is the product rule's, 3 y + y a turn: 4⁴ x¹⁵ in all; then no entry and no graph of the trace is left."""
    before = kept()
    inner = graph_function(xla)(gradient_at)
    outer = graph_function(xla)(lambda x: inner(x) + gradient_at(x))
    np.testing.assert_allclose(outer(tf.constant([1.0, 1.1])), 2 * 4**4 * np.array([1.0, 1.1]) ** 15, rtol=1e-5)
    graph = weakref.ref(outer.get_concrete_function(tf.TensorSpec([2], tf.float32)).graph)
    assert kept() == before
    inner = outer = None
    for _ in range(3):
        gc.collect()
    assert graph() is None


def test_threads_trace_at_once() -> None:
    """Each finds the custom gradients that it needs, whenever another's trace ends."""
    found: list[float] = []

    def trace() -> None:
        for size in range(1, 9):
            found.append(float(graph_function()(gradient_at)(tf.ones([size]))[0]))

    threads = [threading.Thread(target=trace) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [256.0] * 32


def test_a_program_leaves_nothing_behind(compiled: Callable[..., Compiled]) -> None:
    """One whose network and loss have gradients of their own at corners, trained and measured."""
    before = kept()
    made = compiled(CORNERS)
    made.train(2)
    made.evaluate()
    assert kept() == before
