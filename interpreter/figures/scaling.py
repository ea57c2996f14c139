"""The drawing of scalings: final measures against a swept constant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan
from dlspec.spec.model.figures import entry
from dlspec.spec.tables.gradient_statistics import FLOOR

from ..results.cell_groups import axis_value, label
from ..results.replicates import Replicate, Results
from .axis_scales import Array, Vertical, called, horizontal, mark_beyond, plotted
from .draw import MOST_PANELS, draws, final_values, heading, names, panels, some, split, split_finished
from .fits import FIT_FROM, LAWS, fit, left_out_text, usable
from .palette import Palette
from .references import swept_lines
from .series_key import SeriesKey
from .series_names import SeriesNames
from .shared_axes import share_vertical

MOST_SERIES = 100
"""How many series a panel has at most."""
LEGEND_LETTERS = 60
"""About how many letters of a legend fit on a line of a panel."""


@dataclass(frozen=True)
class _Series:
    """One measure along the swept constant: finished replicates, their sampling floor if they have one, and the others.

    `x`, `y`, `floor` and the replicates' numbers are [values]. `lost` counts replicates that have no value at all.
    """

    legend: str
    style: dict[str, Any]
    x: Array
    y: Array
    floor: Array | None
    replicates: Array
    early: list[tuple[float, float]]
    told: str
    lost: int


@draws("scaling")
def scaling(plan: FigurePlan, results: Results) -> Any:
    """Final measures against a swept constant, each replicate a point, the mean a line; a law fitted where asked for.

    Where a measure has a sampling floor, what lies below it is drawn on it as a hollow triangle, and is in no fit. A
    replicate that diverged is a cross at its last value, and in no mean and no fit. What is in no fit is counted beside it.
    """
    parts = split(results, plan.model.panel)
    if not any(replicates for _, replicates in parts):
        return None
    figure, axes = panels(min(len(parts), MOST_PANELS), width=3.1)
    taken = _taken(plan, results)
    measures = names(plan.model.y)
    palette = Palette.of(results, plan.model.colour, taken, measures)
    key = SeriesKey(figure, palette, SeriesNames(results, taken), measures)
    for axis, (title, replicates) in zip(axes, some(parts, MOST_PANELS, figure, "panels"), strict=True):
        vertical = Vertical(axis, figure, plan.model.scale.y)
        lost = _lost(plan, results, replicates[0], taken)
        series = some(_series(plan, key, replicates, lost, taken), MOST_SERIES, figure, "series of a panel")
        for one in series:
            vertical.take(one.x, one.y, one.style["color"])
            vertical.take([place for place, _ in one.early], [value for _, value in one.early], one.style["color"])
        for one in series:
            _draw(axis, one, vertical, plan, key)
        for one in series:
            _crosses(axis, one, vertical, key)
        swept = np.asarray([float(axis_value(replicate, plan.model.x)) for replicate in replicates])
        whole = all(isinstance(axis_value(replicate, plan.model.x), int) for replicate in replicates)
        horizontal(axis, plan.model.scale.x, swept, whole)
        swept_lines(axis, plan, replicates, vertical, taken)
        vertical.finish()
        axis.set_xlabel(heading([plan.model.x]))
        axis.set_title(title, fontsize=9)
    share_vertical(figure, axes, heading(measures))
    key.finish(axes)
    return figure


def _crosses(axis: Any, one: _Series, vertical: Vertical, key: SeriesKey) -> None:
    """A cross for each replicate that ended early: at its last value, or at the upper edge where that is none."""
    if not one.early:
        return
    x, y = np.asarray(one.early).T
    shown = vertical.shown(y)
    text = f"{one.legend}: {one.told}"
    (line,) = axis.plot(x, shown, "x", color=one.style["color"], markersize=5, label=text)
    key.seen(line)
    for _ in one.early:
        key.cross(one.told)
    mark_beyond(axis, x[~np.isfinite(y)], one.style["color"])


def _taken(plan: FigurePlan, results: Results) -> tuple[str, ...]:
    """The axes that tell no line from another: that of the panels, the swept one, and those that go in step with it."""
    return (*filter(None, [plan.model.panel]), *results.dimensions[results.dimension[plan.model.x]])


def _lost(plan: FigurePlan, results: Results, shown: Replicate, taken: tuple[str, ...]) -> Counter[str]:
    """How many replicates have no value at all, by series, in the panel of one that is shown."""
    panel = plan.model.panel
    return Counter(
        label(replicate, taken)
        for replicate in results.replicates
        if not (replicate.curves or replicate.samples)
        and (panel is None or axis_value(replicate, panel) == axis_value(shown, panel))
    )


def _series(
    plan: FigurePlan, key: SeriesKey, replicates: list[Replicate], lost: Mapping[str, int], taken: tuple[str, ...]
) -> list[_Series]:
    """The series of a panel: a measure of the replicates that differ in the axes `taken` and the replicate alone."""
    swept, measures = plan.model.x, names(plan.model.y)
    rest: dict[str, list[Replicate]] = {}
    for replicate in replicates:
        rest.setdefault(label(replicate, taken), []).append(replicate)
    series = []
    for name in measures:
        for text, own in rest.items():
            finished, early, told = split_finished(own)
            ends, last = final_values(finished, name), final_values(early, name)
            x, crosses = ([float(axis_value(replicate, swept)) for replicate, _ in group] for group in (ends, last))
            order = np.argsort(x, kind="stable")
            floors = [] if entry(name)[1] else [value for _, value in final_values(finished, name + FLOOR)]
            series.append(
                _Series(
                    key.text(own[0], name),
                    key.palette.line(own[0], name),
                    np.asarray(x, float)[order],
                    np.asarray([value for _, value in ends], float)[order],
                    np.asarray(floors)[order] if floors and len(floors) == len(ends) else None,
                    np.asarray([replicate.number for replicate, _ in ends], int)[order],
                    list(zip(crosses, (value for _, value in last), strict=True)),
                    told,
                    lost.get(text, 0),
                )
            )
    return series


def _draw(axis: Any, one: _Series, vertical: Vertical, plan: FigurePlan, key: SeriesKey) -> None:
    """The mean over replicates, the replicates, the floor, the fitted law."""
    if one.x.size:
        _values(axis, one, vertical, key)
    if plan.model.fit is not None and (one.x.size or one.early):
        _fit(axis, plan, one, vertical)


def _values(axis: Any, one: _Series, vertical: Vertical, key: SeriesKey) -> None:
    """The mean over replicates, the replicates, the floor."""
    x, y, colour = one.x, one.y, one.style["color"]
    seen = ~(y <= one.floor) if one.floor is not None else np.ones_like(y, bool)
    raised = np.maximum(y, one.floor) if one.floor is not None else y
    places = np.unique(x)
    with np.errstate(all="ignore"):
        means = np.asarray([np.mean(raised[x == place]) for place in places])
    key.seen(plotted(axis, places, vertical.shown(means), label=one.legend, linewidth=1.2, **one.style))
    called(axis.plot(x[seen], vertical.shown(y[seen]), ".", color=colour, markersize=4, alpha=0.6)[0], one.legend)
    if one.floor is not None:
        _floor(axis, x, one.floor, seen, colour, f"{one.legend}: sampling floor", vertical)


def _fit(axis: Any, plan: FigurePlan, one: _Series, vertical: Vertical) -> None:
    """The fitted law with its error, or that there is too little for one; and how many values are in it not."""
    law = LAWS[plan.model.fit]
    kept, left_out = usable(law, one.x, one.y, one.floor)
    x = one.x[kept]
    left_out |= {one.told: len(one.early)} if one.early else {}
    left_out |= {"without a value": one.lost} if one.lost else {}
    fitted = fit(law, x, one.y[kept], one.replicates[kept])
    if fitted is None:
        few = f"no fit: {len(np.unique(x))} different x, it needs {FIT_FROM}"
        text = f"{one.legend}: {'; '.join(filter(None, [few, left_out_text(left_out)]))}"
        axis.plot([], [], " ", label=fill(text, LEGEND_LETTERS))
        return
    left_out |= {f"of replicates with fewer than {FIT_FROM} x": fitted.unused} if fitted.unused else {}
    beside = ", ".join(filter(None, [fitted.source, left_out_text(left_out)]))
    text = f"{fitted.text} ({beside})"
    if len(text) > LEGEND_LETTERS:
        text = f"{fitted.text}\n{fill(f'({beside})', LEGEND_LETTERS)}"
    grid = np.geomspace(x.min(), x.max(), 100) if plan.model.scale.x == "log" and x.min() > 0 else None
    grid = np.linspace(x.min(), x.max(), 100) if grid is None else grid
    axis.plot(grid, vertical.shown(fitted.at(grid)), "--", color=one.style["color"], linewidth=0.9, label=text)


def _floor(axis: Any, x: Any, floor: Any, seen: Any, colour: Any, text: str, vertical: Vertical) -> None:
    """The sampling floor, and the points that are not told from zero."""
    places = np.unique(x)
    means = vertical.shown([np.mean(floor[x == place]) for place in places])
    axis.plot(places, means, ":", color=colour, linewidth=0.9, label=text)
    if not seen.all():
        shown = vertical.shown(floor[~seen])
        called(axis.plot(x[~seen], shown, "v", color=colour, markersize=4, fillstyle="none", linewidth=0)[0], text)
