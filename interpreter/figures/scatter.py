"""The drawing of scatters: points of single test examples, such as a generator's samples beside the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import programs
from ..results.replicates import Replicate, Results
from . import ticks
from .axis_scales import Array, drawable
from .canvas import Sheet, grid
from .draw import draws, some, split
from .math_text import short
from .palette import marker
from .sampled import note_stops
from .series_names import SeriesNames

MOST_ROWS, MOST_COLUMNS = 40, 20
"""How many rows and columns of panels a figure has at most."""
MOST_VECTORS = 6000
"""From this number of points on they are an image within the SVG."""
MARGIN = 0.05
"""The room around the points of a row, as a share of what they span."""


@draws("scatter")
def scatter(plan: FigurePlan, results: Results) -> Any:
    """Points, one colour a label: a row a cell (or a replicate, where all are shown), a column a step of training.

    The panels of a row have the same axes, and on both the same scale, so that shapes keep their shape.
    """
    rows = list(_rows(plan, results))
    if not rows:
        return None
    most = max(len(replicate.samples[plan.name]) for _, replicate in rows)
    width, height = min(most, MOST_COLUMNS), min(len(rows), MOST_ROWS)
    figure, axes = grid(height, width, 2.2, 2.2)
    note_stops(plan, (replicate for _, replicate in rows), results, figure)
    if most > width:
        figure.note(f"The first {width} of {most:,} steps.")
    rows = list(some(rows, MOST_ROWS, figure, "rows"))
    count = sum(
        len(points) for _, replicate in rows for v in replicate.samples[plan.name].values() for points in v.values()
    )
    for line, (heading, replicate) in zip(axes, rows, strict=True):
        shown = sorted(replicate.samples[plan.name].items())[:width]
        limits = _limits([points for _, values in shown for points in values.values()])
        for axis, (step, values) in zip(line, shown, strict=False):
            _panel(axis, values, figure, count > MOST_VECTORS)
            axis.set_title("\n".join(filter(None, [heading, f"step {step:,}"])), fontsize=8)
            axis.tick_params(labelsize=7)
            ticks.linear(axis.xaxis, most=4)
            ticks.linear(axis.yaxis, most=4)
            axis.set_aspect("equal")
            if limits is not None:
                axis.set_xlim(*limits[0])
                axis.set_ylim(*limits[1])
        for unused in line[len(shown) :]:
            unused.set_visible(False)
    return figure


def _rows(plan: FigurePlan, results: Results) -> Iterator[tuple[str, Replicate]]:
    """The replicates that are shown, each with its heading, in the order of the panels: of each cell the first that has points, or all."""
    words = SeriesNames(results)
    for _, replicates in split(results, plan.model.panel):
        for group in programs(replicates):
            having = [replicate for replicate in group if replicate.samples.get(plan.name)]
            for replicate in having if plan.model.replicates == "all" else having[:1]:
                number = plan.model.replicates == "all" or replicate.number != group[0].number
                own = "" if words.alone else short(words.of(replicate))
                yield ", ".join(filter(None, [own, f"replicate {replicate.number}" if number else ""])), replicate


def _panel(axis: Any, values: Mapping[str, Array], figure: Sheet, as_image: bool) -> None:
    """The points of each label, [examples, 2]; what has no place is left out, and said."""
    for place, (name, points) in enumerate(values.items()):
        x, y = drawable(points).T
        there = np.isfinite(x) & np.isfinite(y)
        if not there.all():
            figure.note("Points that are not finite, or too far for an axis, are left out.")
        axis.plot(
            x[there], y[there], label=short(name.removeprefix("y:")), linestyle="none", markersize=2.2, alpha=0.6,
            rasterized=as_image, **marker(place),
        )  # fmt: skip


def _limits(every: Sequence[Array]) -> list[tuple[float, float]] | None:
    """Both axes' ends, around all points that can be drawn; none where there are no such points."""
    points = np.concatenate([drawable(points) for points in every])
    points = points[np.isfinite(points).all(axis=1)]
    if not points.size:
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    room = MARGIN * max(float((high - low).max()), 1e-9 * float(np.abs(points).max()), 1e-300)
    return [(float(a) - room, float(b) + room) for a, b in zip(low, high, strict=True)]
