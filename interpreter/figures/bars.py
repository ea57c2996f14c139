"""The drawing of bars: final measures, one bar a program."""

from __future__ import annotations

from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import label, programs
from ..results.replicates import Results
from .axis_scales import Vertical
from .draw import MOST_PANELS, draws, final_values, heading, legend, names, panels, some, split, split_finished
from .math_text import short
from .palette import COLOUR_COUNT

MOST_BARS = 200
"""How many programs a panel has at most."""


@draws("bars")
def bars(plan: FigurePlan, results: Results) -> Any:
    """Final measures, one bar a program: the mean over replicates, with each replicate as a point.

    A replicate that diverged is a cross at its last value, and in no mean.
    """
    parts = split(results, plan.model.panel)
    if not any(replicates for _, replicates in parts):
        return None
    figure, axes = panels(min(len(parts), MOST_PANELS), width=3.8)
    measures = names(plan.model.y)
    width = 0.8 / len(measures)
    for axis, (title, replicates) in zip(axes, some(parts, MOST_PANELS, figure, "panels"), strict=True):
        groups = some(list(programs(replicates)), MOST_BARS, figure, "cells of a panel")
        vertical = Vertical(axis, figure, plan.model.scale.y)
        found = []
        for row, name in enumerate(measures):
            for place, group in enumerate(groups):
                finished, early, told = split_finished(group)
                values, last = ([value for _, value in final_values(those, name)] for those in (finished, early))
                at = place + (row - (len(measures) - 1) / 2) * width
                colour = f"C{row % COLOUR_COUNT}"
                vertical.take(np.full(len(values) + len(last), at), [*values, *last], colour)
                found.append((at, name, colour, values, last, told))
        labelled: set[str] = set()
        for at, name, colour, values, last, told in found:
            with np.errstate(all="ignore"):
                mean = float(vertical.shown(np.mean(values))) if values else np.nan
            if np.isfinite(mean):
                axis.bar(at, mean, width * 0.9, color=colour, alpha=0.6, label=_first(name, labelled))
            if values:
                axis.plot([at] * len(values), vertical.shown(values), ".", color="black", markersize=3)
            if last:
                shown = vertical.shown(last)
                axis.plot([at] * len(last), shown, "x", color="black", markersize=4, label=_first(told, labelled))
        axis.set_xticks(
            range(len(groups)), [short(label(group[0], [plan.model.panel or ""])) for group in groups], rotation=25, ha="right"
        )  # fmt: skip
        vertical.finish()
        axis.set_ylabel(heading(measures))
        axis.set_title(title, fontsize=9)
        legend(axis, len(measures) > 1 or bool(labelled - set(measures)) or bool(vertical.logarithmic and vertical.low))
    return figure


def _first(name: str, labelled: set[str]) -> str | None:
    """A name for the legend, if it is not there yet."""
    if name in labelled:
        return None
    labelled.add(name)
    return name
