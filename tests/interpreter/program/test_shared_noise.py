"""Applications of a network at one input share what they draw within an update; at another input each draws anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.shared_noise import shares_noise
from dlspec.spec.passes.signature_digests import cell_form_digest

from tests.interpreter.conftest import HEAD

BODY = """
dtype: float64
functions: {again(v): "f(v)", twice(v): "again(v) + f(v)", lin(v): "v / 2", deep(v): "g(v)", moved(v): "sum(abs(v))"}
task: {example: {x: "normal([6])"}}
architecture:
  f: {input: x, layers: [dropout: 0.5, dense: {units: 1, use_bias: false, name: a}]}
  g: {input: x, layers: [dense: {units: 6, use_bias: false, name: a}, gaussian_noise: {stddev: 1.0}]}
  h: {input: x, layers: [deep, dense: {units: 1, use_bias: false}]}
  t: {input: "reshape(x, [3, 2])", layers: [multi_head_attention: {num_heads: 1, dropout: 0.5, name: a}]}
outputs: {u: "1.5 * x"}
loss: {l: "LOSS"}
training: {optimizer: {sgd: 1}, batch: 6, steps: 2}
measures:
  f: "norm(f.weights - initial(f.weights))"
  g: "norm(g.weights - initial(g.weights))"
  h: "norm(h.weights - initial(h.weights))"
  t: "norm(t.weights - initial(t.weights))"
"""
ONE = {
    "its own": "abs(f - f(x))",
    "a gradient beside": "abs(f - dot(gradient(f, x), x))",
    "a gradient at another": "abs(f(u) - dot(gradient(f(u), u), u))",
    "an output written out": "abs(f(u) - f(1.5 * x))",
    "functions": "abs(twice(u) - 2 * f(u))",
    "stopped": "abs(f(stop(u)) - f(u))",
    "index notation": "abs(sum([f(k * x) for k < 3]) - sum([f(j * x) for j < 3]))",
    "a layer": "moved([f(u)] - f(u).a)",
    "a Jacobian": "moved(matmul(jacobian([f, 2 * f], x), x) - [f, 2 * f])",
    "attention": "moved(jacobian(t, x) - jacobian(t(reshape(x, [3, 2])), x)) + moved(t - t(reshape(x, [3, 2])))",
    "in a layer": "abs(h - h(x))",
    "the batch": "moved(B(gradient(f^2, f.weights)) - B(2 * f * gradient(f, f.weights)))",
}
TWO = {
    "another input": "abs(f - f(1.0 * x))",
    "another index": "abs(f(2 * x) - 2 * f(x))",
    "another turn": "moved(g(g(x)) - matmul(g.a.kernel, g(x)))",
}


@pytest.mark.parametrize(("case", "xla"), [(case, place % 3 == 0) for place, case in enumerate(ONE)])
def test_at_one_input_the_difference_is_nothing(compiled: Callable[..., Compiled], case: str, xla: bool) -> None:
    """So nothing is trained."""
    made = compiled(BODY.replace("LOSS", ONE[case]), xla=xla)
    assert shares_noise(made.program)
    made.train(2)
    for name, value in made.evaluate().items():
        np.testing.assert_allclose(value, 0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("case", TWO)
def test_at_two_inputs_each_draws(compiled: Callable[..., Compiled], case: str) -> None:
    made = compiled(BODY.replace("LOSS", TWO[case]))
    made.train(2)
    assert max(value.max() for value in made.evaluate().values()) > 1e-2


def programs(text: str) -> tuple[Program, ...]:
    whole = HEAD + "".join(f"    {line}\n" for line in text.strip("\n").splitlines())
    return spec.resolve(spec.parse(Source("t.yaml", whole))).experiments[0].programs


def test_cells_in_which_inputs_are_one_and_two_are_no_form() -> None:
    swept = "constants: {c: 1.5}\nsweep: {c: [1.5, 2.0]}\n" + BODY.replace("LOSS", "abs(f(u) - f(c * x))")
    one, two = programs(swept)
    assert cell_form_digest(one) != cell_form_digest(two)
    one, two = programs(swept.replace("f(u) -", "x[0] -"))
    assert cell_form_digest(one) == cell_form_digest(two)


SHARES = {
    "f^2": False, "f(u)^2": False, "f^2 + f(u)": True, "x[0] * f.a.kernel[0, 0] + t[0, 0]": False, "norm(gradient(f, x))": True,
    "f.a.kernel[0, 0]^2": False,
}  # fmt: skip


@pytest.mark.parametrize(("loss", "shares"), SHARES.items())
def test_digests_tell_the_programs_in_which_noise_may_be_shared(loss: str, shares: bool) -> None:
    assert shares_noise(programs(BODY.replace("LOSS", loss))[0]) == shares
