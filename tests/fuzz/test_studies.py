"""Generated studies: what is accepted runs to its end and gives what was planned. `runs.py` does so for thousands."""

from __future__ import annotations

from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import StudyError

from tests.fuzz.checks import check
from tests.fuzz.data_files import source
from tests.fuzz.outcome import text
from tests.fuzz.runs import extent, smaller
from tests.fuzz.studies import rows, study
from tests.fuzz.swept import swept

RESOLVED = 240
SWEPT = (1,)
"""Of which many numbers are swept; `python -m tests.fuzz.studies --swept` runs more."""
QUICK = (0, 8, 31)
"""One that is run again, one whose replicate is run alone, and that goes on from checkpoints, and one in the other form."""
MORE = (1, 3, 21, 30, 52)
"""Among these and those phases of each kind, updates, estimates, counters and weights of other times."""


def test_generated_studies_reach_the_tables_and_most_are_valid() -> None:
    seen, accepted = set(), 0
    for seed in range(RESOLVED):
        made = study(seed)
        try:
            with source(made.tree) as written:
                spec.resolve(spec.parse(written))
        except StudyError as error:
            assert all(problem.hint for problem in error.problems), (seed, error)
            continue
        accepted += 1
        seen |= made.seen
    assert accepted >= 0.9 * RESOLVED
    assert len(rows() - seen) <= 0.02 * len(rows()), rows() - seen


def swept_in_several_places(seed: int) -> Any:
    """The first study from a number on with five numbers swept or more, its cells compiled as one: a new row of a table makes all studies others."""
    several = (
        found for number in range(seed, seed + 50) if (found := swept(study(number).tree, number)) and found[1] >= 5
    )
    return next(several)[0]


def test_a_number_gives_one_study() -> None:
    assert text(study(5).tree) == text(study(5).tree) != text(study(6).tree)


@pytest.mark.parametrize("seed", [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MORE)])
def test_what_is_accepted_runs_as_planned(seed: int) -> None:
    outcome = check(study(seed).tree, (("again",), ("form",), ("alone", "resumed"))[seed % 3])
    assert outcome.status != "wrong", f"{outcome.kind}\n{outcome.text}"


@pytest.mark.parametrize("seed", SWEPT)
def test_a_cell_has_the_same_numbers_beside_others_as_alone_wherever_numbers_are_swept(seed: int) -> None:
    outcome = check(swept_in_several_places(seed), ("beside",))
    assert outcome.status == "fine", f"{outcome.kind}\n{outcome.text}"


def test_of_many_studies_some_are_run_again_in_the_other_form_and_alone_whether_all_are_or_one_in_ten() -> None:
    for once in (False, True):
        found = {extent(seed, once) for seed in range(400)}
        assert {checks for checks, _ in found} == {("again",), ("form",), ("alone",), ("resumed",), ()}
        assert {xla for _, xla in found} == {False, True}


def test_smaller_studies_lack_one_part() -> None:
    tree = {"dlspec": 1, "study": "s", "experiments": {"e": {"a": 1, "b": [1, 2]}}}
    found = list(smaller(tree))
    assert {"dlspec": 1, "study": "s", "experiments": {"e": {"a": 1, "b": [2]}}} in found
    assert all("dlspec" in candidate for candidate in found)
