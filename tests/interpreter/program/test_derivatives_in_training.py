"""Training on losses that hold derivatives: the same in both forms, with replicates side by side, and where it goes on from a state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program

from tests.interpreter.program.test_state import assert_goes_on

pytestmark = pytest.mark.usefixtures("traced_once")

BODY = """
dtype: float64
functions: {climb(u): "u + 0.1 * gradient(sum(g(u)), u)"}
task: {draw: {v: "normal([3])"}, example: {x: "normal([3])", e: "normal([3])", y: "dot(v, x)"}}
architecture:
  f: {input: x, layers: [dense: {units: 5, activation: tanh, name: a}, dropout: 0.5, dense: 1]}
  g: {input: x, layers: [dense: {units: 10, activation: tanh}]}
outputs: {slope: "gradient(f, x)", s: "sum(g)", l: (f - y)^2}
loss:
  penalty: "l + (norm(slope) - 1)^2 + squared_norm(B(gradient(l, f.weights)))"
  each: "squared_norm(gradient(f, f.a.weights)) + 0.1 * sum(jacobian(g, x)^2)"
  along: "squared_norm(hessian_vector(s, x, e)) + directional(f, x, v)^2 + sum(g(iterate(climb, x, 3)))^2"
training: {optimizer: {adam: {learning_rate: 0.01}}, batch: 8, steps: 12, evaluate: {every: 4, examples: 64}}
measures: {error: E(l), steep: E(norm(slope)), bent: "E(norm(hessian_vector(s, x, e)))", w: f.weights}
replicates: 2
"""
XLA = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])


@XLA
def test_training_goes_on_to_the_bit(program: Callable[[str], Program], xla: bool) -> None:
    assert_goes_on(program(BODY), xla, (0, 1, 2))


@XLA
def test_replicates_side_by_side_have_the_numbers_of_each_alone(compiled: Callable[..., Compiled], xla: bool) -> None:
    both = compiled(BODY, replicates=3, xla=xla)
    both.train(12)
    found, alone = both.evaluate(), Compiled(both.program, [0], xla)
    for replicate in range(3):
        alone.begin(both.program, [replicate])
        alone.train(12)
        for name, value in alone.evaluate().items():
            np.testing.assert_allclose(found[name][replicate], value[0], rtol=1e-9, atol=1e-12, err_msg=name)


def test_both_forms_train_to_the_same_numbers(compiled: Callable[..., Compiled]) -> None:
    found = []
    for xla in (False, True):
        made = compiled(BODY, replicates=3, xla=xla)
        before = made.evaluate()["w"]
        made.train(12)
        found.append(made.evaluate())
        assert np.abs(found[-1]["w"] - before).max() > 0.01
    for name, value in found[0].items():
        np.testing.assert_allclose(found[1][name], value, rtol=1e-8, atol=1e-11, err_msg=name)
