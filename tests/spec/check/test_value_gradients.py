"""What is said of a gradient that would be 0, whatever an example's names are made of."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError

CHAIN = 60
"""Each name is made from the two before it: there are 10¹² ways from the last to the first."""


@pytest.mark.parametrize(("by", "hint"), [("x", "'n59' is made from 'x', and held"), ("z", "It is made from n59")])
def test_names_that_share_what_they_are_made_of_are_looked_through_once(by: str, hint: str) -> None:
    names = {"x": '"normal([3])"', "z": '"normal([3])"', "n0": "sum(x)", "n1": "sum(x)"}
    names |= {f"n{place}": f"(n{place - 1} + n{place - 2}) / 2" for place in range(2, CHAIN)}
    lines = "".join(f"        {name}: {text}\n" for name, text in names.items())
    head = f"dlspec: 1\nstudy: s\nexperiments:\n  e:\n    task:\n      example:\n{lines}"
    measure = f'    measures: {{m: "E(sum(gradient(n{CHAIN - 1}, {by})))"}}\n'
    with pytest.raises(StudyError) as told:
        spec.resolve(spec.parse(Source("s", head + measure)))
    (problem,) = told.value.problems
    assert problem.message.startswith(f"`n{CHAIN - 1}` does not depend on '{by}'") and hint in problem.hint


BESIDE = """dlspec: 1
study: t
experiments:
  e:
    task: {{example: {{x: "normal([3])", y: "2 * x"}}}}
    architecture: {{f: {{input: x, layers: [dense: {{units: 4, activation: tanh, name: h}}, dense: 1]}}}}
    functions: {{d(u): "gradient({of}, u)", "both(u, v)": "gradient(dot(u, v), u)"}}
    outputs: {{s: sum(x^2)}}
    loss: {{l: "(f - x[0])^2"}}
    training: {{optimizer: {{sgd: 0.01}}, batch: 4, steps: 1}}
    measures: {{m: "E(norm({call}))"}}
"""


@pytest.mark.parametrize(
    ("of", "call", "warned"),
    [
        ("dot(u, x)", "d(x)", True),
        ("f(u) - f", "d(x)", True),
        ("sum(u) * s", "d(x)", True),
        ("f(u) * sum(f.h)", "d(x)", True),
        ("sum(u)", "both(x, x)", True),
        ("sum(u)", "both(x, 2 * x)", True),
        ("dot(u, x)", "d(1.0 * x)", False),
        ("f(u) - f", "d(1.0 * x)", False),
        ("dot(u, y) + f(u)", "d(x)", False),  # y is held
        ("dot(u, stop(x))", "d(x)", False),
        ("sum(u) * (1 if x[0] > 0 else 2)", "d(x)", False),
        ("sum(u)", "both(x, y)", False),
        ("sum(u)", "both(1.0 * x, x)", False),
    ],
)
def test_a_name_beside_the_parameter_that_stands_for_it_is_warned_of(of: str, call: str, warned: bool) -> None:
    study = spec.resolve(spec.parse(Source("s.yaml", BESIDE.format(of=of, call=call))))
    assert sum("beside the parameter that stands for it" in warning.message for warning in study.warnings) == warned
