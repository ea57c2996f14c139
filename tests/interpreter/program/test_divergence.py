"""Divergence: told at its step, of whatever is first not finite, whatever the loss says, and of the replicate alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

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


@FORMS
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
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
