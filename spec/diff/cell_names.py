"""Cells in words: what they share is said once, and all cells of an experiment are called so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ..diagnostics.problems import listing
from .changes import Cell, StudyDiff

MAX_NAMED = 8


def cell_names(diff: StudyDiff, cells: Sequence[Cell], limit: int = MAX_NAMED) -> str:
    """Some of a difference's cells: `all 15 of flat`, or `flat/plain d=1 and d=2`; `limit` of them by name.

    An experiment is called as a whole where it has no cell beside these, of `diff`, and at least three.
    """
    words: list[str] = []
    total = sum(1 for _ in diff.cells)
    for experiment, own in groupby(cells, lambda cell: cell.experiment):
        held = list(own)
        every = sum(cell.experiment == experiment for cell in diff.cells)
        if len(held) == every >= 3:
            words.append(
                f"all {every} of {experiment}" if every < total or len(held) > limit else ", ".join(_named(held))
            )
        else:
            words += _named(held)
    return listing(words, limit)


def _named(cells: Iterable[Cell]) -> list[str]:
    """Names of which those after the first of an experiment and variant are of their place on the axes alone."""
    names = []
    for label, own in groupby(cells, lambda cell: cell.label):
        places = [cell.name.removeprefix(label).strip() for cell in own]
        names += [f"{label} {places[0]}".strip(), *places[1:]]
    return names
