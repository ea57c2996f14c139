"""The drawing of profiles: array measures against their index, or against another array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan
from dlspec.spec.model.figures import entry

from ..results.cell_groups import cell_of, programs
from ..results.replicates import DONE, Replicate, Results
from .axis_scales import Array, Vertical, called, drawable, horizontal, plotted
from .draw import MOST_PANELS, draws, heading, names, panels, some, split
from .palette import Palette
from .references import level_lines
from .series_key import SeriesKey
from .series_names import SeriesNames
from .shared_axes import share_vertical

MOST_LINES = 200
"""How many lines a panel has at most."""


@dataclass(frozen=True)
class _Line:
    """One measure of a cell at one step: `x` and `y` are [replicates that have it, entries].

    `lost` of the cell's `of` replicates have nothing there: they diverged, or were broken off.
    """

    replicates: Sequence[Replicate]
    measure: str
    step: int
    x: Array
    y: Array
    lost: int
    of: int


@draws("profile")
def profile(plan: FigurePlan, results: Results) -> Any:
    """Arrays over their entries: the mean over replicates and the range that they span, or all replicates as thin lines.

    A mean is drawn where all replicates of the line have a value; x is the mean of theirs. Steps of one cell are lighter and darker.
    """
    parts = split(results, plan.model.panel)
    if not any(replicates for _, replicates in parts):
        return None
    figure, axes = panels(min(len(parts), MOST_PANELS))
    measures = names(plan.model.y)
    palette = Palette.of(results, plan.model.colour, (plan.model.panel,), measures)
    key = SeriesKey(figure, palette, SeriesNames(results, (plan.model.panel,)), measures)
    for axis, (title, replicates) in zip(axes, some(parts, MOST_PANELS, figure, "panels"), strict=True):
        lines = [line for group in programs(replicates) for name in measures for line in _lines(plan, group, name)]
        lines = list(some(lines, MOST_LINES, figure, "lines of a panel"))
        vertical = Vertical(axis, figure, plan.model.scale.y)
        if plan.model.replicates == "mean":
            vertical.choose_bands(len(lines))
        styles = [palette.line(line.replicates[0], line.measure) for line in lines]
        for line, style in zip(lines, styles, strict=True):
            for x, y in zip(line.x, line.y, strict=True):
                vertical.take(x, y, style["color"])
        for line, style in zip(lines, styles, strict=True):
            _draw(axis, line, vertical, plan, style, lines, key)
        colours = {cell_of(line.replicates[0]): style["color"] for line, style in zip(lines, styles, strict=True)}
        level_lines(axis, plan, replicates, vertical, colours)
        x = np.concatenate([drawable(line.x).ravel() for line in lines] or [np.zeros(0)])
        horizontal(axis, plan.model.scale.x, x, whole=plan.model.x is None)
        vertical.finish()
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(heading([plan.model.x]) if plan.model.x is not None else "entry")
    share_vertical(figure, axes, heading(measures))
    key.finish(axes)
    return figure


def _lines(plan: FigurePlan, group: Sequence[Replicate], measure: str) -> list[_Line]:
    """The lines of one measure in one cell, one a step; a replicate that `until` stopped is shown where it stopped."""
    lines = []
    for step in plan.steps.get(cell_of(group[0]), ()):
        pairs = [pair for replicate in group if (pair := _values(plan, replicate, measure, step)) is not None]
        if pairs:
            x, y = (np.stack(values) for values in zip(*pairs, strict=True))
            lines.append(_Line(group, measure, step, x, y, len(group) - len(pairs), len(group)))
    return lines


def _values(plan: FigurePlan, replicate: Replicate, measure: str, step: int) -> tuple[Array, Array] | None:
    """Places and values [entries] of a replicate at a step; none where it did not come to it."""
    at = replicate.steps[-1] if replicate.steps and replicate.status == DONE and step > replicate.steps[-1] else step
    values = _array(replicate, measure, at)
    if values is None:
        return None
    if plan.model.x is None:
        return np.arange(len(values), dtype=float), values
    constant = plan.places.get(cell_of(replicate))
    places = _array(replicate, plan.model.x, at) if constant is None else np.asarray(constant)
    return None if places is None else (places, values)


def _array(replicate: Replicate, word: str, step: int) -> Array | None:
    """A measure, or a row of one, at an evaluated step."""
    name, index = entry(word)
    curve = replicate.curves.get(name, [])
    if step not in replicate.steps or (place := replicate.steps.index(step)) >= len(curve):
        return None
    return np.asarray(np.asarray(curve[place])[index], dtype=float)


def _draw(
    axis: Any,
    line: _Line,
    vertical: Vertical,
    plan: FigurePlan,
    style: dict[str, Any],
    lines: Sequence[_Line],
    key: SeriesKey,
) -> None:
    """The mean with its range, or each replicate thin."""
    own = sorted({one.step for one in lines if cell_of(one.replicates[0]) == cell_of(line.replicates[0])})
    style = {**style, "alpha": 1.0 - 0.7 * (len(own) - 1 - own.index(line.step)) / max(1, len(own) - 1)}
    name = _text(line, lines, key)
    text: str | None = name
    if plan.model.replicates == "all":
        for x, y in zip(line.x, line.y, strict=True):
            order = np.argsort(x, kind="stable")
            drawn = plotted(axis, drawable(x)[order], vertical.shown(y)[order], label=text, linewidth=0.7, **style)
            key.seen(called(drawn, name))
            text = None
        return
    everywhere = np.isfinite(line.y).all(axis=0)
    with np.errstate(all="ignore"):
        x = drawable(line.x.mean(axis=0))
        mean, low, high = (np.where(everywhere, drawable(f(line.y, axis=0)), np.nan) for f in (np.mean, np.min, np.max))
    if not everywhere.all():
        vertical.figure.note(
            "Where a replicate has no finite value there is no mean: a gap. `replicates: all` shows each."
        )
    order = np.argsort(x, kind="stable")
    x, mean, low, high = x[order], mean[order], low[order], high[order]
    drawn = plotted(axis, x, vertical.shown(mean), label=text, linewidth=1.2, **style)
    vertical.band(drawn, x, low, high, 0.15 * style["alpha"])
    key.seen(drawn)


def _text(line: _Line, lines: Sequence[_Line], key: SeriesKey) -> str:
    """What the key calls a line: what tells it from the others, and how many replicates are not in it."""
    step = f"step {line.step:,}" if len({one.step for one in lines}) > 1 else ""
    lost = f"{line.lost} of {line.of} not there" if line.lost else ""
    return key.text(line.replicates[0], line.measure, lost, ahead=step)
