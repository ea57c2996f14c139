"""The drawing of bars: final measures, one bar a program."""

from __future__ import annotations

from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import programs
from ..results.replicates import Results
from .axis_scales import Vertical, called, mark_beyond
from .draw import MOST_PANELS, draws, final_values, heading, names, panels, some, split, split_finished
from .math_text import short
from .palette import COLOUR_COUNT
from .series_names import SeriesNames
from .shared_axes import share_vertical

MOST_BARS = 200
"""How many programs a panel has at most."""
LEAST_WIDTH, BAR_INCHES = 2.9, 0.16
"""How wide a panel is at least, and how much of it a cell takes at least."""
LETTER_INCHES = 0.075
"""About how wide a letter below a bar is: names that have no room side by side stand upright."""
HATCHES = ("", "///", "...", "xxx")
"""Measures beyond the colours are told apart by these."""


@draws("bars")
def bars(plan: FigurePlan, results: Results) -> Any:
    """Final measures, one bar a program: the mean over replicates, with each replicate as a point.

    A replicate that diverged is a cross at its last value, and in no mean.
    """
    parts = split(results, plan.model.panel)
    if not any(replicates for _, replicates in parts):
        return None
    measures = names(plan.model.y)
    cells = min(MOST_BARS, max(len(list(programs(replicates))) for _, replicates in parts))
    inches = max(LEAST_WIDTH, BAR_INCHES * cells * max(1.0, len(measures) / 4))
    figure, axes = panels(min(len(parts), MOST_PANELS), width=inches)
    words = SeriesNames(results, (plan.model.panel,))
    width = 0.8 / len(measures)
    for axis, (title, replicates) in zip(axes, some(parts, MOST_PANELS, figure, "panels"), strict=True):
        groups = some(list(programs(replicates)), MOST_BARS, figure, "cells of a panel")
        vertical = Vertical(axis, figure, plan.model.scale.y)
        found = []
        for row, name in enumerate(measures):
            colour = f"C{row % COLOUR_COUNT}"
            for place, group in enumerate(groups):
                finished, early, told = split_finished(group)
                values, last = ([value for _, value in final_values(those, name)] for those in (finished, early))
                at = place + (row - (len(measures) - 1) / 2) * width
                vertical.take(np.full(len(values) + len(last), at), [*values, *last], colour)
                found.append((at, name, row, values, last, told))
        labelled: set[str] = set()
        for at, name, row, values, last, told in found:
            with np.errstate(all="ignore"):
                mean = float(vertical.shown(np.mean(values))) if values else np.nan
            if np.isfinite(mean):
                bars = axis.bar(
                    at, mean, width * 0.9, color=f"C{row % COLOUR_COUNT}", alpha=0.6, label=_first(name, labelled),
                    hatch=HATCHES[row // COLOUR_COUNT % len(HATCHES)],
                )  # fmt: skip
                called(bars, short(name))
            if values:
                (dots,) = axis.plot([at] * len(values), vertical.shown(values), ".", color="black", markersize=3)
                called(dots, "each replicate").key = short(name)
            if last:
                shown = vertical.shown(last)
                crosses = axis.plot(
                    [at] * len(last), shown, "x", color="black", markersize=4, label=_first(told, labelled)
                )
                called(crosses[0], short(told))
                mark_beyond(axis, np.full(int((~np.isfinite(last)).sum()), at), "black")
        below = [short(words.of(group[0])) for group in groups]
        room = inches / max(1, len(below)) / LETTER_INCHES
        upright = any(len(text) > room for text in below)
        axis.set_xticks(range(len(groups)), below, rotation=90 if upright else 0)
        axis.grid(axis="x", visible=False)
        axis.set_xlim(-0.6, max(0, len(groups) - 1) + 0.6)
        vertical.finish()
        axis.set_title(title, fontsize=9)
    if len(measures) == 1:
        figure.self_evident.add(measures[0])
    share_vertical(figure, axes, heading(measures))
    return figure


def _first(name: str, labelled: set[str]) -> str | None:
    """A name for the legend, if it is not there yet."""
    if name in labelled:
        return None
    labelled.add(name)
    return short(name)
