"""Whole studies: the table of their numbers, its place in the page, and that one compiled form serves each of the sweeps."""

from __future__ import annotations

from typing import Any

import pytest
from dlspec.interpreter.api.study import load
from dlspec.interpreter.schedule.scheduler import Progress
from dlspec.interpreter.store.requests import requests_of
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.signature_digests import cell_form_digest, signature_digest

from benchmarks.studies_table import row, section
from benchmarks.table import table
from benchmarks.whole_studies import STUDIES, in_order
from benchmarks.workloads import ROOT

from .test_table import data  # noqa: F401


def times(*seconds: float, programs: int = 2) -> dict[str, Any]:
    return {"seconds": list(seconds), "memory": [900.0, 1000.0], "programs": [programs] * len(seconds)}


def study(name: str, commands: int = 1, **contenders: Any) -> dict[str, Any]:
    return {"name": name, "title": "9 × 5", "commands": ["dlspec run s.yaml"] * commands, "times": contenders}


MEASURED = study("flat", dlspec=times(10, 12, 10), before=times(20, 60, 30), jax=times(5, 12, 6))


def test_a_ratio_is_the_median_of_those_of_the_rounds() -> None:
    assert row(MEASURED) == (
        "| `dlspec run s.yaml`: 9 × 5 | 10.0 s (10.0 to 12.0) | 30.0 s (20.0 to 60.0) | 6.0 s (5.0 to 12.0) | 3.00 | 0.60 | 1,000 MiB | 1.00 | 2 |"
    )


def test_what_was_not_measured_is_left_empty() -> None:
    assert row(study("quick", 4, dlspec=times(1))) == (
        "| `dlspec run s.yaml` and 3 more: 9 × 5 | 1.0 s (1.0 to 1.0) |  |  |  |  | 1,000 MiB |  | 2 |"
    )


def test_the_table_stands_in_the_page(data: dict[str, Any]) -> None:  # noqa: F811
    machine = {"processor": "P", "cores": 2, "memory": 24.0, "load": 0.1}
    studies = in_order([study("rates", dlspec=times(1)), study("initial_bias", dlspec=times(2))])
    assert [one["name"] for one in studies] == ["initial_bias", "rates"]
    text = section({"date": "2020-01-01", "machine": machine, "before": "another", "studies": studies})
    assert "1 rounds in turn: P, 2 cores" in text and text.endswith("Before: another.\n")
    assert text in table(data, text) and "## Whole studies" not in table(data)


def test_the_commands_are_those_of_files_that_are_there() -> None:
    for one in STUDIES.values():
        for path, *more in one.commands:
            chosen = dict(zip(more[::2], more[1::2], strict=True))
            load(ROOT / path).resolved(chosen.get("--profile"), None, chosen.get("--only"))


@pytest.mark.parametrize(("name", "forms"), [("initial_bias", 1), ("rates", 1), ("margins", 1), ("correlation", 1)])
def test_cells_that_differ_in_numbers_are_one_form(name: str, forms: int) -> None:
    """What is compiled of a form is compiled once, which the programs' own tests hold."""
    ((path, *more),) = STUDIES[name].commands
    plan = load(ROOT / path).resolved(only=more[1] if more else None)
    programs = plan.experiments[0].programs
    found: dict[str, list[Any]] = {}
    for program in programs:
        found.setdefault(cell_form_digest(program), []).append(program)
    merged = [merge_cells(group) for group in found.values()]
    assert len(merged) == forms and None not in merged
    alone = [cells.only([place]) for cells in merged if cells for place in range(len(cells.programs))]
    assert len({signature_digest(cells.program) for cells in alone}) == forms, "nor do they differ one by one"
    waiting = Progress(requests_of(plan, "cpu"), jobs=2).missing()
    assert len({batch.wide or len(batch.numbers) for batch in waiting}) == 1, "as many replicates in each"
