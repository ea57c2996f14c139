"""Gradients with respect to names: beside closed forms, and their own gradients beside finite differences in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

from tests.interpreter.finite_differences import goes_down

CLOSED = """
dtype: float64
functions: {jump(v): "1.0 if v > 0 else 0.0", soft(v): "sigmoid(3 * v)"}
gradient: {jump: {surrogate: "soft(v)"}}
task: {example: {x: "normal([2])", y: "x[0]^3", k: "2 * x"}}
architecture: {f: {input: k, layers: [dense: {units: 1, name: out, use_bias: false}]}}
outputs: {mid: "x * x", far: "sum(mid) * f"}
measures:
  linear: E(gradient(f(x), x))
  kernel: "f.out.kernel[:2, 0]"
  own: "E(max(abs(gradient(far, mid) - [f, f])))"
  held: "E(max(abs(gradient(y * x[1], x) - [0.0, y])))"
  behind: "E(max(abs(gradient(sum(k * x), x) - k)))"
  soft: "E(abs(gradient(jump(x[0]), x)[0] - 3 * sigmoid(3 * x[0]) * (1 - sigmoid(3 * x[0]))))"
  nested: "E(max(abs(gradient(gradient(x[0]^3 * x[1], x)[0], x) - [6 * x[0] * x[1], 3 * x[0]^2])))"
  inside: "E(abs(sum([gradient(x[0]^2, x)[i] for i < 2]) - 2 * x[0]))"
"""


@pytest.mark.parametrize("xla", [False, True])
def test_gradients_are_their_closed_forms(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Other names of the example are held, those made from the name, too; outputs are followed; a mode's backward pass is taken."""
    found = compiled(CLOSED, replicates=2, xla=xla).evaluate()
    np.testing.assert_allclose(found["linear"], found["kernel"], rtol=1e-12)
    for name in ("own", "held", "behind", "soft", "nested", "inside"):
        np.testing.assert_allclose(found[name], 0, atol=1e-12, err_msg=name)
    assert (found["linear"] != 0).all()


PENALTY = """
dtype: float64
task: {DATAexample: {x: "normal([3])", z: "normal([3])", mix: uniform()}}
architecture:
  D: {input: x, layers: [dense: {units: 5, activation: tanh, name: a}, dense: {units: 1, name: b}]}
  G: {input: z, layers: [dense: {units: 3, activation: tanh}]}
outputs: {between: mix * x + (1 - mix) * G}
loss: {penalty: "(norm(gradient(D(between), between)) - 1)^2"}
training: {optimizer: {sgd: {learning_rate: 1}}, batch: 6, steps: 1}
measures: {m: E(D)}
"""


@pytest.mark.parametrize(("xla", "data"), [(False, "data: {train: 6, test: 5}, "), (True, "")])
def test_a_gradient_penalty_trains_as_finite_differences_say(
    compiled: Callable[..., Compiled], xla: bool, data: str
) -> None:
    """An update of rate 1 is minus the gradient: of the critic's weights and, through the point between, of the generator's."""
    made = compiled(PENALTY.replace("DATA", data), xla=xla)
    goes_down(made, rtol=1e-5)
