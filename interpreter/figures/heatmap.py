"""The drawing of heatmaps: final measures as colours, over two axes or over the entries of a matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan
from dlspec.spec.model.figures import entry
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize

from ..results.cell_groups import axis_value, programs
from ..results.number_text import number
from ..results.replicates import Replicate, Results
from .axis_scales import MARK_ID, Array, drawable
from .canvas import panels
from .draw import MOST_PANELS, draws, heading, some, split_finished
from .key import SIZE, finish_bar, shades
from .math_text import short
from .palette import shown_values
from .series_names import SeriesNames

FIELD_INCHES = 0.34
"""How wide and how high a field is, where there is room."""
LEAST_INCHES, MOST_INCHES = 1.5, 6.0
"""How wide and how high a panel is at least and at most."""
NAME_INCHES, LINE_INCHES = 0.075, 0.2
"""About how wide a letter of a tick is, and how high its line."""
MOST_WRITTEN = 7
"""Up to how many fields side by side have their numbers written in them."""
GAP = "0.88"
"""The colour of fields without a value."""


@dataclass(frozen=True)
class _Panel:
    """The fields of one panel [rows, columns], with the names of both; `ended` says where replicates ended early, or have no value."""

    title: str
    values: Array
    ended: Array
    rows: Sequence[str]
    columns: Sequence[str]


@draws("heatmap")
def heatmap(plan: FigurePlan, results: Results) -> Any:
    """The mean over the replicates that came to their end; a field with a cross holds one that did not.

    A field where none did, or where a value is not finite, has no colour. All panels have one scale of colours.
    """
    parts = list(_panels(plan, results))
    if not any(np.isfinite(part.values).any() or part.ended.any() for part in parts):
        return None
    width, height = (
        float(np.clip(FIELD_INCHES * max(part.values.shape[place] for part in parts), LEAST_INCHES, MOST_INCHES))
        for place in (1, 0)
    )
    figure, axes = panels(min(len(parts), MOST_PANELS), width, height)
    every = np.concatenate([part.values.ravel() for part in parts])
    norm, low = _norm(plan, every)
    if plan.model.scale.z == "log" and not isinstance(norm, LogNorm):
        figure.note("The colours are linear: no value is positive.")
    for axis, part in zip(axes, some(parts, MOST_PANELS, figure, "panels"), strict=True):
        _draw(axis, part, norm, low, (width, height))
        if plan.model.x is None:
            axis.invert_yaxis()  # a matrix has its first row on top
        axis.set_title(part.title, fontsize=9)
        axis.set_xlabel(heading([plan.model.x]) if plan.model.x else "column")
        axis.set_ylabel(heading([plan.model.y]) if plan.model.y else "row")
    if any(part.ended.any() for part in parts):
        figure.note("A cross: a replicate that diverged or was not finished, and is in no mean.")
    if not np.isfinite(every).all() or (low and (every <= 0).any()):
        figure.note(
            "Grey: no value" + (", or one that is not positive (a triangle)." if low and (every <= 0).any() else ".")
        )
    bar = figure.colorbar(ScalarMappable(norm, shades()), ax=axes, fraction=0.06, pad=0.02, aspect=24)
    bar.set_label(heading([plan.model.z]), fontsize=SIZE + 1)
    finish_bar(bar, [])
    return figure


def _panels(plan: FigurePlan, results: Results) -> Iterator[_Panel]:
    x, y = plan.model.x, plan.model.y
    words = SeriesNames(results, (x, y))
    if x is None:
        for group in programs(results.replicates):
            values, ended = _mean(group, plan.model.z)
            if values.ndim == 2:
                rows, columns = (list(map(str, range(size))) for size in values.shape)
                title = "" if words.alone else short(words.of(group[0]))
                yield _Panel(title, values, np.full(values.shape, ended), rows, columns)
        return
    across, up = shown_values(results, x), shown_values(results, y)
    rest: dict[tuple[Any, ...], list[list[Replicate]]] = {}
    others = [axis for axis in results.axes if axis not in (x, y)]
    for group in programs(results.replicates):
        rest.setdefault(tuple(axis_value(group[0], axis) for axis in others), []).append(group)
    for groups in rest.values():
        values = np.full((len(up), len(across)), np.nan)
        crosses = np.zeros((len(up), len(across)), bool)
        for group in groups:
            place = up.index(axis_value(group[0], y)), across.index(axis_value(group[0], x))
            found, crosses[place] = _mean(group, plan.model.z)
            values[place] = found if found.ndim == 0 else np.nan
        title = "" if words.alone else short(words.of(groups[0][0]))
        yield _Panel(title, values, crosses, list(map(str, up)), list(map(str, across)))


def _mean(group: Sequence[Replicate], word: str) -> tuple[Array, bool]:
    """The mean of a cell's finals, in the shape of the measure, and whether a replicate ended early."""
    name, index = entry(word)
    finished = split_finished(group)[0]
    early = any(replicate.status != "done" for replicate in group)
    ends = [
        np.asarray(replicate.curves[name][-1], float)[index]
        for replicate in finished
        if len(replicate.curves.get(name, ()))
    ]
    if not ends:
        shapes = [np.asarray(r.curves[name][-1])[index].shape for r in group if len(r.curves.get(name, ()))]
        return np.full(shapes[0] if shapes else (), np.nan), early
    with np.errstate(all="ignore"):
        return drawable(np.mean(ends, axis=0)), early


def _norm(plan: FigurePlan, values: Array) -> tuple[Any, bool]:
    """The scale of the colours over all values, and whether it is logarithmic."""
    seen = values[np.isfinite(values)]
    positive = seen[seen > 0]
    if plan.model.scale.z == "log" and positive.size:
        low, high = float(positive.min()), float(positive.max())
        return LogNorm(low, high if high > low else low * 10), True
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    return Normalize(low, high if high > low else low + (abs(low) or 1.0)), False


def _draw(axis: Any, part: _Panel, norm: Any, low: bool, size: tuple[float, float]) -> None:
    height, width = part.values.shape
    there = np.isfinite(part.values) & ((part.values > 0) if low else True)
    axis.set_facecolor(GAP)
    mesh = axis.pcolormesh(
        np.arange(width + 1) - 0.5, np.arange(height + 1) - 0.5, np.ma.masked_where(~there, part.values), norm=norm, cmap=shades(),
        rasterized=part.values.size > 400,
    )  # fmt: skip
    mesh.fields = (part.rows, part.columns, part.values)
    axis.grid(False)
    _ticks(axis.xaxis, part.columns, size[0] / (NAME_INCHES * max(map(len, part.columns)) + 0.08))
    _ticks(axis.yaxis, part.rows, size[1] / LINE_INCHES)
    written = width <= MOST_WRITTEN and height * LINE_INCHES < size[1]
    written = written and max(len(number(value)) for value in part.values.ravel()) * NAME_INCHES < size[0] / width
    if written:
        for row, column in zip(*np.nonzero(there), strict=True):
            dark = norm(part.values[row, column]) < 0.6
            axis.text(column, row, number(part.values[row, column]), ha="center", va="bottom" if part.ended[row, column] else "center",
                      fontsize=7, color="white" if dark else "black")  # fmt: skip
    _marks(axis, part.ended, "x", -0.22 if written else 0.0)
    if low:
        _marks(axis, np.isfinite(part.values) & (part.values <= 0), "v", 0.0)


def _marks(axis: Any, where: Array, shape: str, shift: float) -> None:
    rows, columns = np.nonzero(where)
    if rows.size:
        for colour, width in (("white", 2.4), ("black", 1.0)):
            (line,) = axis.plot(
                columns, rows + shift, shape, color=colour, markersize=4, markeredgewidth=width, fillstyle="none"
            )
            line.set_gid(MARK_ID)


def _ticks(axis: Any, names: Sequence[str], most: float) -> None:
    """The names of rows or columns, as many as have room: the first, the last, and some between them evenly."""
    count = len(names)
    step = max(1, -(-(count - 1) // max(1, int(most) - 1))) if count > 1 else 1
    places = list(range(0, count, step))
    axis.set_ticks(places, [names[place] for place in places])
