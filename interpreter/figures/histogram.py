"""The drawing of histograms: how final values are spread over the entries of arrays and over replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan
from dlspec.spec.model.figures import entry

from ..results.cell_groups import programs
from ..results.replicates import Replicate, Results
from .axis_scales import Array, Vertical, drawable, horizontal
from .draw import MOST_PANELS, draws, heading, names, panels, some, split, split_finished
from .palette import Palette
from .series_key import SeriesKey
from .series_names import SeriesNames
from .shared_axes import share_vertical

MOST_LINES = 200
"""How many lines a panel has at most."""
MOST_BINS = 60
"""How many bins there are at most where the values choose."""
ROUNDING = 1e-12
"""Values that lie apart by no more than this share of their size are one value."""


@dataclass(frozen=True)
class _Values:
    """The finals of one measure in one cell, all entries of all replicates that came to their end; `lost` replicates did not."""

    replicates: Sequence[Replicate]
    measure: str
    values: Array
    lost: int


@draws("histogram")
def histogram(plan: FigurePlan, results: Results) -> Any:
    """The share of a cell's values in each bin, as steps; the bins are the same everywhere.

    What is not finite, or not positive on a logarithmic axis, is in no bin, and counted beside the cell's name.
    """
    parts = split(results, plan.model.panel)
    measures = names(plan.model.y)
    lines = [[_values(group, name) for group in programs(replicates) for name in measures] for _, replicates in parts]
    log = plan.model.scale.x == "log"
    every = [_usable(line.values, log) for panel in lines for line in panel]
    seen = np.concatenate([values for values in every if values.size] or [np.zeros(0)])
    if not any(line.values.size for panel in lines for line in panel):
        return None
    figure, axes = panels(min(len(parts), MOST_PANELS))
    palette = Palette.of(results, plan.model.colour, (plan.model.panel,), measures)
    key = SeriesKey(figure, palette, SeriesNames(results, (plan.model.panel,)), measures)
    edges = _edges(seen, plan.model.bins, log)
    for axis, (title, _), panel in zip(axes, some(parts, MOST_PANELS, figure, "panels"), lines, strict=False):
        vertical = Vertical(axis, figure, plan.model.scale.y)
        panel = list(some(panel, MOST_LINES, figure, "lines of a panel"))
        shares = [_shares(line, edges, log) for line in panel]
        looks = [palette.line(line.replicates[0], line.measure) for line in panel]
        for share, look in zip(shares, looks, strict=True):
            vertical.take(edges[:-1], np.where(share > 0, share, np.nan), look["color"])
        for line, share, look in zip(panel, shares, looks, strict=True):
            text = key.text(line.replicates[0], line.measure, _note(line, log))
            outline = vertical.shown(np.concatenate([[0.0], share, [0.0]]))  # its ends stand on the axis of no share
            (drawn,) = axis.step(np.append(edges[0], edges), outline, where="post", label=text, linewidth=1.2, **look)
            key.seen(drawn)
        horizontal(axis, plan.model.scale.x, edges)
        vertical.finish()
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(heading(measures))
    share_vertical(figure, axes, "share of values")
    key.finish(axes)
    return figure


def _values(group: Sequence[Replicate], word: str) -> _Values:
    name, index = entry(word)
    finished, early, _ = split_finished(group)
    ends = [np.asarray(r.curves[name][-1], float)[index].ravel() for r in finished if len(r.curves.get(name, ()))]
    return _Values(group, word, np.concatenate(ends) if ends else np.zeros(0), len(early))


def _usable(values: Array, log: bool) -> Array:
    values = drawable(values)
    return values[np.isfinite(values) & ((values > 0) if log else True)]


def _edges(seen: Array, wanted: int | None, log: bool) -> Array:
    """The edges of the bins over all values that can be shown, in even steps on the axis."""
    if not seen.size:
        return np.asarray([0.0, 1.0])
    places = np.log10(seen) if log else seen
    low, high = float(places.min()), float(places.max())
    least, most = float(seen.min()), float(seen.max())
    if most - least <= ROUNDING * max(abs(least), abs(most)):
        places = places[:1]
        room = 0.5 * (abs(low) or 1.0) if not log else 0.5
        low, high = low - room, high + room
    count = wanted or int(
        np.clip(
            len(np.histogram_bin_edges(places, "sturges")) - 1 if len(seen) < 30 else 2 * len(seen) ** (1 / 3),
            5,
            MOST_BINS,
        )
    )
    edges = np.linspace(low, high, count + 1)
    return np.asarray(10.0**edges if log else edges)


def _shares(line: _Values, edges: Array, log: bool) -> Array:
    values = np.clip(_usable(line.values, log), edges[0], edges[-1])  # the ends are rounded on a logarithmic axis
    counts = np.histogram(values, edges)[0]
    return np.asarray(counts / max(1, line.values.size))


def _note(line: _Values, log: bool) -> str:
    outside = line.values.size - _usable(line.values, log).size
    parts = [f"{outside:,} of {line.values.size:,} values in no bin"] if outside else []
    parts += [f"{line.lost} of {len(line.replicates)} not there"] if line.lost else []
    return ", ".join(parts)
