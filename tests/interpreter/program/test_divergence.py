"""Divergence: told at its step, of whatever is first not finite, whatever the loss says, and of the replicate alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.tables.optimizers import OPTIMIZERS

pytestmark = pytest.mark.usefixtures("traced_once")
FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])

# The kernel doubles at every step: w ← w + rate · w, and only where `big` is drawn; the loss itself is never told of it.
BLIND = """
dtype: {dtype}
task: {{draw: {{big: "bernoulli(0.5)"}}, example: {{x: "0 * normal([1]) + 1"}}}}
architecture: {{f: {{input: x, layers: [{{dense: {{units: 1, use_bias: false, kernel_initializer: ones}}}}]}}}}
gradient: {{push: {{surrogate: "-(v ^ 2) / 2"}}}}
functions: {{push(v): 0 * (v > 0)}}
loss: {{hidden: "big * push(f)"}}
training: {{optimizer: {{sgd: {{learning_rate: 1023}}}}, batch: 2, steps: 64, evaluate: {{at: [40], examples: 2}}}}
measures: {{m: E(1.0)}}
replicates: 6
"""
LARGEST = {
    "float32": np.finfo(np.float32).max,
    "bfloat16": np.finfo(np.float32).max,
    "float64": np.finfo(np.float64).max,
}


def ends(dtype: str) -> int:
    """After how many updates 1024ⁿ is beyond the type."""
    return next(n for n in range(200) if 1024**n > int(LARGEST[dtype]))


@pytest.mark.parametrize(
    ("dtype", "xla"), [("float32", False), ("float32", True), ("bfloat16", True), ("float64", False)]
)
def test_weights_that_the_loss_hides_are_told_with_their_step(
    compiled: Callable[..., Compiled], xla: bool, dtype: str
) -> None:
    held = compiled(BLIND.format(dtype=dtype).replace("steps: 64", "steps: 130"), 6, xla)
    big, step = held.seeds.draws["big"].numpy(), ends(dtype)
    assert 0 < big.sum() < 6
    assert held.train(step - 1) == [None] * 6
    alike = held.train(7)
    for fault, wild in zip(alike, big, strict=True):
        assert str(fault) == (f"the weight f.dense_1.kernel was not finite after step {step}" if wild else "None")
    assert held.step == step + 6
    assert held.train(3) == alike
    assert (held.networks["f"].weights["dense_1", "kernel"].numpy()[~big.astype(bool)] == 1).all()
    # In the last update before an evaluation, and found from a far start.
    held.begin(held.program, range(6))
    assert held.train(step) == alike


@FORMS
def test_what_an_optimiser_keeps_is_looked_at(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Squares of 10³⁰ are beyond float32: Adam's second moment is infinite, and its step 0."""
    held = compiled("""
task: {example: {x: "0 * normal([1]) + 1e30"}}
architecture: {f: {input: x, layers: [{dense: {units: 1, use_bias: false, kernel_initializer: zeros}}]}}
loss: {plain: f}
training: {optimizer: {adam: 0.1}, batch: 2, steps: 3}
measures: {m: E(f)}
""", 1, xla)  # fmt: skip
    (fault,) = held.train(3)
    assert str(fault) == "the optimiser's velocity of f.dense_1.kernel was not finite after step 1"


def test_cells_say_so_and_their_curves_end(program: Any, replicates: Any) -> None:
    found = replicates(program(BLIND.format(dtype="float32")), "xla")
    wild = [cell for cell in found if cell.status == "diverged"]
    assert 0 < len(wild) < 6
    for cell in wild:
        assert (cell.end, cell.message) == (13, "the weight f.dense_1.kernel was not finite after step 13")
        assert cell.steps == [0]
    assert all(cell.steps == [0, 40, 64] for cell in found if cell.status == "done")


def test_a_start_that_is_not_finite_is_told(compiled: Callable[..., Compiled]) -> None:
    held = compiled(BLIND.format(dtype="float32"), 6)
    variable = held.networks["f"].weights["dense_1", "kernel"]
    start = variable.numpy().copy()
    start[2] = np.inf
    variable.assign(start)
    held.watch.begin()
    assert str(held.train(1)[2]) == "the weight f.dense_1.kernel was not finite at the start"


def test_all_that_an_optimiser_keeps_of_weights_is_looked_at(compiled: Callable[..., Compiled]) -> None:
    """Of every optimiser of the table; what it keeps beside is one number for all weights."""
    held = compiled(f"""
task: {{example: {{x: "normal([2])"}}}}
architecture: {{{", ".join(f"f_{name}: {{input: x, layers: [{{dense: 2}}, {{batch_normalization: {{}}}}, {{dense: 1}}]}}" for name in OPTIMIZERS)}}}
loss: {{{", ".join(f"l_{name}: f_{name}^2" for name in OPTIMIZERS)}}}
training: {{optimizer: {{{", ".join(f"f_{name}: {{{name}: {{use_ema: true}}}}" for name in OPTIMIZERS)}}}, batch: 4, steps: 1}}
measures: {{m: E(f_sgd)}}
""")  # fmt: skip
    watched = {id(variable) for _, variable in held.watch._watched}
    beside = [variable for kept in held.state.optimizers for variable in kept.state() if id(variable) not in watched]
    assert {tuple(variable.shape) for variable in beside} == {()}
    assert all(id(variable) in watched for network in held.networks.values() for variable in network.weights.values())


CORNERS = """
dtype: float64
task: {example: {x: "rademacher([4])", keep: "bernoulli(0.5)", y: "keep * [x[0], x[1]]", c: "rademacher([1])"}}
architecture:
  f: {input: x, layers: [{dense: {units: 2, kernel_initializer: 0}}]}
  g: {input: c, layers: [{dense: {units: 1, use_bias: false, kernel_initializer: ones}}]}
loss: {insensitive: "max([0, norm(f - y) - 0.1])", branch: "sqrt(g) if g > 0 else 0"}
training: {optimizer: {sgd: {learning_rate: 0.125}}, batch: 16, steps: 20}
measures: {m: E(norm(f - y))}
"""


@FORMS
def test_losses_with_corners_train_as_their_closed_forms(compiled: Callable[..., Compiled], xla: bool) -> None:
    """From a zero kernel half of the examples lie at the corner of the norm; half of the branches are of a negative number."""
    held = compiled(CORNERS, 1, xla)
    numbers = tf.range(16 * 20, dtype=tf.int64)
    lowering = held.context.lowering(held.seeds.keys["train"], numbers, 16 * 20, held.seeds.draws)
    x, y, c = (lowering(held.context.bindings[name]).tensor.numpy()[0].reshape(20, 16, -1) for name in ("x", "y", "c"))
    kernel, bias, g = np.zeros((4, 2)), np.zeros(2), 1.0
    for step in range(20):
        off = x[step] @ kernel + bias - y[step]
        size = np.linalg.norm(off, axis=1, keepdims=True)
        slope = np.where(size > 0.1, off / np.where(size > 0, size, 1), 0) / 16
        taken = g * c[step] > 0
        g -= 0.125 * np.mean(np.where(taken, c[step] / (2 * np.sqrt(np.abs(g * c[step]))), 0))
        kernel, bias = kernel - 0.125 * x[step].T @ slope, bias - 0.125 * slope.sum(axis=0)
        if not step:
            assert 0 < np.mean(size == 0) < 1 and 0 < np.mean(taken) < 1
    assert held.train(20) == [None]
    weights = held.networks["f"].weights
    np.testing.assert_allclose(weights["dense_1", "kernel"].numpy()[0], kernel, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weights["dense_1", "bias"].numpy()[0], bias, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(held.networks["g"].weights["dense_1", "kernel"].numpy().ravel(), [g], rtol=1e-9)
