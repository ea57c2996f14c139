"""Which cells a figure of single examples has no values of, and why."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import axis_value, label, programs
from ..results.cells import Cell, Results

SAMPLED = ("function", "examples", "images")
"""The kinds of figures that show values taken while a cell was trained, one cell each."""


def lacking(plan: FigurePlan, results: Results) -> str:
    """The cells that a figure ought to show and has nothing of, in words; empty where it lacks none."""
    if plan.kind not in SAMPLED:
        return ""
    cells = list(_lacking(plan, results))
    told = [f"{label(cell)} ({cell.message or cell.status})" for cell in cells[:3]]
    return ", ".join([*told, f"{len(cells) - 3:,} more"] if len(cells) > 3 else told)


def _lacking(plan: FigurePlan, results: Results) -> Iterator[Cell]:
    """The first replicate of each program of which no replicate has what the figure shows.

    Of images one cell a panel is shown: a panel lacks its first cells, up to one that has some.
    """
    done: set[object] = set()
    for group in programs(results.cells):
        panel = axis_value(group[0], plan.model.panel) if plan.kind == "images" and plan.model.panel else None
        if plan.kind == "images" and panel in done:
            continue
        if any(cell.samples.get(plan.name) for cell in group):
            done.add(panel)
        else:
            yield group[0]
