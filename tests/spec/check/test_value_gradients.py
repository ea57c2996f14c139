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
