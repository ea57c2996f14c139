"""`f.input` is what a network is given: the same measure as with that written out."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.digests import measure_digest

TEXT = """
dlspec: 1
study: inputs
experiments:
  e:
    task: {example: {x: "normal([3])", u: "normal([3])"}}
    architecture:
      f: {input: x, layers: [dense: {units: 4, name: hidden}, dense: 1]}
      g: {input: 2 * x + u, layers: [dense: {units: 2, name: input}, dense: 1]}
      h: {input: 2 * x + f, layers: [dense: 1]}
    measures: {m: "MEASURE"}
"""


def digest(measure: str) -> str:
    text = TEXT.replace("MEASURE", measure)
    (plan,) = spec.resolve(spec.parse(Source("inputs.yaml", text))).experiments
    return measure_digest(plan.programs[0], plan.programs[0].measures[0])


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("E(norm(gradient(f, f.input)))", "E(norm(gradient(f, x)))"),
        ("E(sum(f.input))", "E(sum(x))"),
        ("E(sum(h.input^2))", "E(sum((2 * x + f)^2))"),
        ("E(sum(f(u).input))", "E(sum(u))"),
        (
            "E(sum((f.hidden - initial(f.hidden) * 0) * f.input[0]))",
            "E(sum((f.hidden - initial(f).hidden * 0) * x[0]))",
        ),
    ],
)
def test_an_input_is_what_it_says(short: str, long: str) -> None:
    assert digest(short) == digest(long)


def test_a_layer_that_is_called_so_goes_first() -> None:
    assert digest("E(sum(g.input))") != digest("E(sum(2 * x + u))")
    assert digest("E(sum(g(x).input))") != digest("E(sum(x))")
