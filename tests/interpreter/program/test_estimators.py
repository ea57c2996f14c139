"""A gradient statistic is a row and an estimator: nothing else knows one by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlspec.interpreter.program.gradient_estimators import ESTIMATORS, SPECTRA
from dlspec.spec.model.reference import describe, reference
from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS

ROOT = Path(__file__).parents[3]
SHARED = {"of": "value", "weights": "weights", "examples": "examples"}
DRAWN = {"over": "names", "draws": "draws"}


def test_every_row_has_an_estimator_and_none_is_left_over() -> None:
    assert {*ESTIMATORS, *SPECTRA} == set(GRADIENT_STATISTICS) and not {*ESTIMATORS} & {*SPECTRA}


@pytest.mark.parametrize("name", GRADIENT_STATISTICS)
def test_a_row_takes_what_all_take_and_options_of_its_own(name: str) -> None:
    row = GRADIENT_STATISTICS[name]
    kinds = {key: parameter.kind for key, parameter in row.parameters.items()}
    shared = SHARED | (DRAWN if row.over_draws else {})
    assert kinds.items() >= shared.items()
    assert set(kinds[key] for key in kinds.keys() - shared) <= {"size", "count", "real", "stream"}


@pytest.mark.parametrize("name", GRADIENT_STATISTICS)
def test_the_reference_reads_the_row(name: str) -> None:
    row = GRADIENT_STATISTICS[name]
    assert f"| `{name}` | {row.meaning}" in reference()
    assert "arguments `of`, `weights`" in (describe(name) or "")


@pytest.mark.parametrize("side", ["spec", "interpreter"])
def test_no_other_code_asks_for_a_row_by_its_name(side: str) -> None:
    places = ("spec/tables/gradient_statistics.py", "interpreter/program/gradient_estimators/")
    named = [
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in (ROOT / side).glob("**/*.py")
        for name in GRADIENT_STATISTICS
        if f'"{name}"' in path.read_text("utf-8")
    ]
    assert [one for one in named if not one.startswith(places)] == []
