"""Which replicates a figure of single test examples shows, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import label, programs
from ..results.replicates import DONE, Replicate, Results
from .axis_scales import drawable
from .canvas import Sheet
from .draw import split
from .math_text import short
from .series_names import SeriesNames


def first_shown(plan: FigurePlan, results: Results) -> Iterator[tuple[str, Replicate]]:
    """The first replicate of each program that has what a figure shows, with its panel's heading."""
    words = SeriesNames(results, (plan.model.panel,))
    for title, replicates in split(results, plan.model.panel):
        for group in programs(replicates):
            first = next((replicate for replicate in group if replicate.samples.get(plan.name)), None)
            if first is not None:
                other = f"replicate {first.number}" if first.number != group[0].number else ""
                yield ", ".join(filter(None, [title, "" if words.alone else short(words.of(first)), other])), first


def note_stops(plan: FigurePlan, replicates: Iterable[Replicate], results: Results, figure: Sheet) -> None:
    """Notes that `until` stops the replicates of a program at other steps, where it stops the one that is shown before others."""
    told = []
    groups = {id(replicate): group for group in programs(results.replicates) for replicate in group}
    for shown in replicates:
        group = groups[id(shown)]
        ends = sorted({replicate.steps[-1] for replicate in group if replicate.status == DONE and replicate.steps})
        if len(ends) > 1 and shown.steps and max(shown.samples[plan.name]) == shown.steps[-1]:
            told.append(f"of {short(label(shown))} at steps {ends[0]:,} to {ends[-1]:,}")
    if told:
        more = f", and of {len(told) - 3} more cells" if len(told) > 3 else ""
        figure.note(f"`until` stops the replicates {', '.join(told[:3])}{more}: shown is where the one drawn stops.")


def finite(values: Any, figure: Sheet) -> Any:
    """Values as they can be drawn, with a note where some can't."""
    finite = drawable(values)
    if not np.isfinite(finite).all():
        figure.note("Values that are not finite are gaps.")
    return finite
