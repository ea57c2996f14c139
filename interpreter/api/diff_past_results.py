"""Stored results of the cells in a diff."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dlspec import spec
from dlspec.spec.diff.changes import StudyDiff
from dlspec.spec.diff.sections import PastResults
from dlspec.spec.resolve.document import Document

from ..results.number_text import SPREAD, spread
from ..results.past_runs import StoredRun, finals, place, stored_runs, verdicts


def past_results(
    root: Path, before: Document, after: Document, diff: StudyDiff, warn: Callable[[str], None] = lambda text: None
) -> PastResults:
    """The results of the runs in a folder for the cells and claims of both studies; empty where there are none."""
    runs = stored_runs(root, warn)
    if not runs or not diff.changes:
        return PastResults()
    plans = spec.resolve(before), spec.resolve(after)
    sides = [_finals(runs, plan) for plan in plans]
    judged = [verdicts(runs, plan) for plan in plans]
    names = {
        (cell.name, cell.before.digest if cell.before else "", cell.after.digest if cell.after else ""): cell
        for cell in diff.cells
    }
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for (_, old, new), cell in names.items():
        here = place(cell.experiment, cell.variant, cell.point)
        own = tuple(_of(side.get(mark, {}), here) for side, mark in zip(sides, (old, new), strict=True))
        rows = {measure: (own[0].get(measure, "–"), own[1].get(measure, "–")) for measure in [*own[0], *own[1]]}
        if rows:
            found[cell.name] = rows
    claims = {name: (judged[0].get(name, "–"), judged[1].get(name, "–")) for name in [*judged[0], *judged[1]]}
    return PastResults(found, claims, SPREAD)


def _of(places: Mapping[str, Mapping[str, str]], here: str) -> Mapping[str, str]:
    """The finals at a place, of those that share its training; where it is called otherwise, the first."""
    return places[here] if here in places else next(iter(places.values()), {})


def _finals(runs: Sequence[StoredRun], plan: spec.StudyPlan) -> dict[str, dict[str, dict[str, str]]]:
    """Finals in words, by digest, place and measure: the mean over replicates, and the range that they span."""
    finals_by_digest: dict[str, dict[str, dict[str, str]]] = {}
    for experiment in plan.experiments:
        for program in experiment.programs:
            values = finals(runs, program)
            if values:
                here = place(program.experiment, program.variant, program.point)
                finals_by_digest.setdefault(program.digest, {})[here] = {
                    name: spread(numbers) for name, numbers in values.items() if numbers
                }
    return finals_by_digest
