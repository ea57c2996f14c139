"""The drawing of curves: measures over the steps of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import cell_of, programs
from ..results.replicates import BROKEN, DONE, Replicate, Results
from .axis_scales import Array, Vertical, called, drawable, horizontal, plotted
from .draw import MOST_PANELS, curve, draws, heading, names, panels, some, split, split_finished
from .palette import Palette
from .phase_marks import phase_lines
from .references import level_lines
from .series_key import SeriesKey
from .series_names import SeriesNames
from .shared_axes import share_vertical

MOST_LINES = 200
"""How many curves a panel has at most."""


def tables(replicates: Sequence[Replicate], name: str) -> tuple[Array, Array]:
    """The steps of replicates, and a measure of theirs [replicates, steps]; undefined where a replicate has no such step."""
    steps = np.asarray(sorted({step for replicate in replicates for step in replicate.steps}), dtype=float)
    table = np.full((len(replicates), len(steps)), np.nan)
    for row, replicate in zip(table, replicates, strict=True):
        values = curve(replicate, name)
        row[np.searchsorted(steps, replicate.steps[: len(values)])] = values
    return steps, table


@draws("curves")
def curves(plan: FigurePlan, results: Results) -> Any:
    """Measures over the steps: the mean over all replicates that came to their end, and the range that they span.

    A mean is drawn where all of them have a value; elsewhere each has a thin line of its own. So has what ended early,
    up to a cross. The mean is that of all values, also where a logarithmic axis can't show some of them. Dotted lines mark where phases begin.
    """
    parts = split(results, plan.model.panel)
    if not any(replicates for _, replicates in parts):
        return None
    figure, axes = panels(min(len(parts), MOST_PANELS))
    measures = names(plan.model.y)
    palette = Palette.of(results, plan.model.colour, (plan.model.panel,), measures)
    words = SeriesNames(results, (plan.model.panel,))
    key = SeriesKey(figure, palette, words, measures)
    shown = some(parts, MOST_PANELS, figure, "panels")
    for axis, (title, replicates) in zip(axes, shown, strict=True):
        vertical = Vertical(axis, figure, plan.model.scale.y)
        lines = [_Line(group, name) for group in programs(replicates) for name in measures]
        lines = list(some(lines, MOST_LINES, figure, "curves of a panel"))
        vertical.choose_bands(len(lines))
        styles = [palette.line(line.replicates[0], line.name) for line in lines]
        for line, style in zip(lines, styles, strict=True):
            vertical.take(line.steps, line.table, style["color"])
        steps = np.concatenate([line.steps for line in lines] or [np.zeros(0)])
        horizontal(axis, plan.model.scale.x, steps, whole=True, most=4)
        for line, style in zip(lines, styles, strict=True):
            _draw(axis, line, vertical, key, style)
        colours = {
            cell_of(r): style["color"] for line, style in zip(lines, styles, strict=True) for r in line.replicates[:1]
        }
        level_lines(axis, plan, replicates, vertical, colours)
        vertical.finish()
        phase_lines(axis, plan, replicates)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("step")
    drawn = [replicate for _, replicates in parts for replicate in replicates]
    if held := sum(replicate.status == DONE and bool(replicate.message) for replicate in drawn):
        figure.note(
            f"{held:,} of {len(drawn):,} replicates held their weights to the end of a phase, whose `until` they met."
        )
    share_vertical(figure, axes, heading(measures))
    key.finish(axes)
    return figure


class _Line:
    """One measure of one program: its replicates [replicates, steps], and which of them came to their end."""

    def __init__(self, replicates: Sequence[Replicate], name: str) -> None:
        self.replicates = replicates
        self.name = name
        self.steps, self.table = tables(replicates, name)
        done, early, self.told = split_finished(replicates)
        if not done and self.told == "not finished":
            done = [replicate for replicate in early if replicate.status not in BROKEN]
            _, early, self.told = split_finished([replicate for replicate in early if replicate.status in BROKEN])
        self.early = len(early)
        self.whole = np.asarray([any(replicate is one for one in done) for replicate in replicates])


def _draw(axis: Any, line: _Line, vertical: Vertical, key: SeriesKey, style: dict[str, Any]) -> None:
    """The mean with its range where all have a value, and each replicate by itself elsewhere."""
    own = line.table[line.whole]
    everywhere = np.isfinite(own).all(axis=0) if len(own) else np.zeros(len(line.steps), bool)
    note = f"{line.early} of {len(line.replicates)} {line.told}" if line.early else ""
    name = key.text(line.replicates[0], line.name, note)
    text: str | None = name
    if everywhere.any():
        with np.errstate(all="ignore"):
            mean, low, high = (
                np.where(everywhere, drawable(f(own, axis=0)), np.nan) for f in (np.mean, np.min, np.max)
            )
        drawn = plotted(axis, line.steps, vertical.shown(mean), label=text, linewidth=1.2, **style)
        vertical.band(drawn, line.steps, low, high, 0.18)
        key.seen(drawn)
        text = None
    apart = ~everywhere
    near = apart | np.append(apart[1:], False) | np.append(False, apart[:-1])
    for row, whole, replicate in zip(line.table, line.whole, line.replicates, strict=True):
        shown = vertical.shown(np.where(near, row, np.nan) if whole else row)
        if whole and not np.isfinite(vertical.shown(np.where(apart, row, np.nan))).any():
            continue
        if np.isfinite(shown).any():
            key.seen(called(plotted(axis, line.steps, shown, label=text, linewidth=0.6, alpha=0.8, **style), name))
            text = None
            if not whole and replicate.status != "done":
                last = np.flatnonzero(np.isfinite(shown))[-1]
                called(axis.plot(line.steps[last], shown[last], "x", color=style["color"], markersize=5)[0], name)
                key.cross(line.told)
