"""A condition on a real axis picks the listed value that it says, however that is written, and never one that only rounds to it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir import claims as c

LISTED = [0.1, 0.3, "3 * 0.1", "0.1 * 7", 1e-3]
VALUES = [0.1, 0.3, 3 * 0.1, 0.1 * 7, 1e-3]


def picked(condition: str) -> list[float]:
    """The values of the cells that a condition leaves to a claim; those of a figure are the same."""
    experiment = {
        "constants": {"eps": 1.0}, "sweep": {"eps": LISTED}, "measures": {"m": "eps * 2"},
        "claims": {"c": {"says": "So.", "check": f"final(m, {condition}) > 0"}},
        "figures": {"f": {"kind": "curves", "y": "m", "where": condition.split(", ")}},
    }  # fmt: skip
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": experiment}})
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", text))).experiments
    (part,) = (item for item in c.parts(plan.claims[0].tree) if isinstance(item, c.Measured))
    of_claim, of_figure = (
        [program.place["eps"] for program in plan.programs if c.looked_at(selections, program.place)]
        for selections in (part.selections, plan.figures[0].where)
    )
    assert of_claim == of_figure
    return of_claim


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("eps == 0.3", [0.3]), ("eps == 0.30", [0.3]), ("eps == 3e-1", [0.3]), ("eps == .3", [0.3]), ("eps == 0.29999999999999999", [0.3]),
        ("eps == 3 / 10", [0.3]), ("eps == 3 * 0.1", [3 * 0.1]), ("eps == 0.1 + 0.2", [3 * 0.1]), ("eps == 7 * 0.1", [0.7000000000000001]),
        ("eps == 0.001", [1e-3]), ("eps == 1 / 1000", [1e-3]), ("eps != 0.30", [0.1, 3 * 0.1, 0.1 * 7, 1e-3]), ("eps <= 0.3", [0.1, 0.3, 1e-3]),
        ("eps > 0.3", [3 * 0.1, 0.1 * 7]), ("eps >= 3 * 0.1, eps < 0.5", [3 * 0.1]),
    ],
)  # fmt: skip
def test_a_condition_picks_what_it_says(condition: str, values: list[float]) -> None:
    assert picked(condition) == values


@pytest.mark.parametrize(
    "condition", ["eps == 0.7", "eps == 0.3000000001", f"eps == {float(np.float32(0.3))}", "eps == 0.31"]
)
def test_one_that_only_rounds_to_a_value_picks_none(condition: str) -> None:
    with pytest.raises(spec.StudyError) as raised:
        picked(condition)
    assert "it has 0.1, 0.3, 0.30000000000000004, 0.7000000000000001 and 0.001" in str(raised.value)
