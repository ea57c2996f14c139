"""Which replicates have no values for a figure of single examples, and why."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import axis_value, label, programs
from ..results.replicates import Replicate, Results

SAMPLED = ("function", "examples", "images", "scatter")
"""The kinds of figures that show values taken while a replicate was trained; one replicate each, unless all are asked for."""


def lacking(plan: FigurePlan, results: Results) -> str:
    """The replicates that a figure ought to show and has nothing of, in words; empty where it lacks none."""
    if plan.kind not in SAMPLED:
        return ""
    replicates = list(_lacking(plan, results))
    told = [
        f"{label(replicate)}{_number(plan, replicate)} ({replicate.message or replicate.status})"
        for replicate in replicates[:3]
    ]
    return ", ".join([*told, f"{len(replicates) - 3:,} more"] if len(replicates) > 3 else told)


def _number(plan: FigurePlan, replicate: Replicate) -> str:
    return f", replicate {replicate.number}" if getattr(plan.model, "replicates", "") == "all" else ""


def _lacking(plan: FigurePlan, results: Results) -> Iterator[Replicate]:
    """The first replicate of each program of which no replicate has what the figure shows; where it shows all, each that has nothing.

    Of images one replicate a panel is shown: a panel lacks its first replicates, up to one that has some.
    """
    done: set[object] = set()
    for group in programs(results.replicates):
        panel = axis_value(group[0], plan.model.panel) if plan.kind == "images" and plan.model.panel else None
        if plan.kind == "images" and panel in done:
            continue
        if any(replicate.samples.get(plan.name) for replicate in group):
            done.add(panel)
            if getattr(plan.model, "replicates", "") == "all":
                yield from (replicate for replicate in group if not replicate.samples.get(plan.name))
        else:
            yield group[0]
