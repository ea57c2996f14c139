"""The drawing of scalings: final measures against a swept constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan
from dlspec.spec.model.figures import entry
from dlspec.spec.tables.gradient_statistics import FLOOR
from matplotlib.ticker import MaxNLocator

from ..results.cell_groups import axis_value, label
from ..results.replicates import Replicate, Results
from .axis_scales import Array, Vertical, drawable, horizontal, plotted
from .draw import MOST_PANELS, draws, final_values, heading, legend, names, panels, some, split, split_finished
from .fits import fitted
from .math_text import short
from .palette import Palette

MOST_SERIES = 100
"""How many series a panel has at most."""


@dataclass(frozen=True)
class _Series:
    """One measure along the swept constant: finished replicates, their sampling floor if they have one, and the others."""

    legend: str
    style: dict[str, Any]
    x: Array
    y: Array
    floor: Array | None
    early: list[tuple[float, float]]
    told: str


@draws("scaling")
def scaling(plan: FigurePlan, results: Results) -> Any:
    """Final measures against a swept constant, each replicate a point, the mean a line; a law fitted where asked for.

    Where a measure has a sampling floor, what lies below it is drawn on it as a hollow triangle, and is in no fit. A
    replicate that diverged is a cross at its last value, and in no mean and no fit.
    """
    parts = split(results, plan.model.panel)
    if not any(replicates for _, replicates in parts):
        return None
    figure, axes = panels(min(len(parts), MOST_PANELS), width=3.8)
    palette = Palette.of(results, plan.model.colour, (plan.model.panel, plan.model.x))
    for axis, (title, replicates) in zip(axes, some(parts, MOST_PANELS, figure, "panels"), strict=True):
        vertical = Vertical(axis, figure, plan.model.scale.y)
        series = some(_series(plan, palette, replicates), MOST_SERIES, figure, "series of a panel")
        for one in series:
            vertical.take(one.x, one.y, one.style["color"])
            vertical.take([place for place, _ in one.early], [value for _, value in one.early], one.style["color"])
        for one in series:
            _draw(axis, one, vertical, plan)
        for one in series:
            if one.early:
                x, y = np.asarray(one.early).T
                axis.plot(
                    x, vertical.shown(y), "x", color=one.style["color"], markersize=5, label=f"{one.legend}: {one.told}"
                )
        swept = np.asarray([float(axis_value(replicate, plan.model.x)) for replicate in replicates])
        horizontal(axis, plan.model.scale.x, swept)
        if plan.model.scale.x == "linear" and all(
            isinstance(axis_value(replicate, plan.model.x), int) for replicate in replicates
        ):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        vertical.finish()
        axis.set_xlabel(short(plan.model.x))
        axis.set_ylabel(heading(names(plan.model.y)))
        axis.set_title(title, fontsize=9)
        legend(axis)
    return figure


def _series(plan: FigurePlan, palette: Palette, replicates: list[Replicate]) -> list[_Series]:
    """The series of a panel: a measure of the replicates that differ in the swept constant and the replicate alone."""
    swept, measures = plan.model.x, names(plan.model.y)
    rest: dict[str, list[Replicate]] = {}
    for replicate in replicates:
        rest.setdefault(label(replicate, [swept, plan.model.panel or ""]), []).append(replicate)
    series = []
    for name in measures:
        for text, own in rest.items():
            finished, early, told = split_finished(own)
            points, last = (
                [(float(axis_value(replicate, swept)), value) for replicate, value in final_values(those, name)]
                for those in (finished, early)
            )
            several = len(measures) > 1 or text == own[0].experiment
            legend = text if not several else name if len(rest) == 1 else f"{name}, {text}"
            style = palette.line(own[0], name, (plan.model.panel, swept))
            order = np.argsort([place for place, _ in points], kind="stable")
            x, y = np.asarray(points, dtype=float).reshape(-1, 2)[order].T
            floors = [] if entry(name)[1] else [value for _, value in final_values(finished, name + FLOOR)]
            floor = np.asarray(floors)[order] if floors and len(floors) == len(points) else None
            series.append(_Series(short(legend), style, x, y, floor, last, told))
    return series


def _draw(axis: Any, one: _Series, vertical: Vertical, plan: FigurePlan) -> None:
    """The mean over replicates, the replicates, the floor, the fitted law."""
    if not one.x.size:
        return
    x, y, colour = one.x, one.y, one.style["color"]
    seen = y > one.floor if one.floor is not None else np.ones_like(y, bool)
    raised = np.maximum(y, one.floor) if one.floor is not None else y
    places = np.unique(x)
    with np.errstate(all="ignore"):
        means = np.asarray([np.mean(raised[x == place]) for place in places])
    plotted(axis, places, vertical.shown(means), label=one.legend, linewidth=1.2, **one.style)
    axis.plot(x[seen], vertical.shown(y[seen]), ".", color=colour, markersize=4, alpha=0.6)
    if one.floor is not None:
        _floor(axis, x, one.floor, seen, colour, f"{one.legend}: sampling floor", vertical)
    if plan.model.fit is not None:
        _fit(axis, plan, x[seen], y[seen], colour, vertical)


def _fit(axis: Any, plan: FigurePlan, x: Array, y: Array, colour: str, vertical: Vertical) -> None:
    """The fitted law, and how many values it could not take."""
    kept = np.isfinite(drawable(y)) & np.isfinite(drawable(x))
    if plan.model.fit != "linear":
        kept &= y > 0
    if plan.model.fit == "power":
        kept &= x > 0
    left_out = f" (without {int((~kept).sum())} of {kept.size} values)" if not kept.all() else ""
    x, y = x[kept], y[kept]
    if len(np.unique(x)) < 2:
        return
    law, text = fitted(plan.model.fit, x, y)
    grid = np.geomspace(x.min(), x.max(), 100) if plan.model.scale.x == "log" and x.min() > 0 else None
    grid = np.linspace(x.min(), x.max(), 100) if grid is None else grid
    with np.errstate(all="ignore"):
        shown = vertical.shown(law(grid))
    axis.plot(grid, shown, "--", color=colour, linewidth=0.9, label=text + left_out)


def _floor(axis: Any, x: Any, floor: Any, seen: Any, colour: Any, text: str, vertical: Vertical) -> None:
    """The sampling floor, and the points that are not told from zero."""
    places = np.unique(x)
    means = vertical.shown([np.mean(floor[x == place]) for place in places])
    axis.plot(places, means, ":", color=colour, linewidth=0.9, label=text)
    if not seen.all():
        shown = vertical.shown(floor[~seen])
        axis.plot(x[~seen], shown, "v", color=colour, markersize=4, fillstyle="none", linewidth=0)
