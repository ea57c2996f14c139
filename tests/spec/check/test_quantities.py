"""Numbers in the words of claims, and their entries of arrays."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.check.quantities import quantity
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: s
experiments:
  e: {constants: {d: 1}, sweep: {d: [1, 2]}, measures: {pair: "[[d, 2, 3], [4, 5, 6]]"}}
"""


def test_an_entry_is_written_in_one_subscript_or_in_several() -> None:
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", STUDY))).experiments
    assert quantity(plan, "final(pair[1][2], d == 2)") == quantity(plan, "final(pair[1, 2], d == 2)")
    for entry in ("pair[1][3]", "pair[1]", "pair[1][2][0]"):
        with pytest.raises(spec.StudyError):
            quantity(plan, f"final({entry})")


def test_a_condition_may_be_one_for_all_values_of_an_index() -> None:
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", STUDY))).experiments
    written_out = "final(pair[0][0]) < 2 and final(pair[0][1]) < 2 and final(pair[0][2]) < 2"
    assert quantity(plan, "final(pair[0][i]) < 2 for i < 3") == quantity(plan, written_out)
