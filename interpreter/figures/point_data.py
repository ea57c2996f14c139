"""The numbers of a drawn figure and where they lie on it: what a report shows under the pointer, and in a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.ticker import FixedLocator

from .axis_scales import MARK_ID

FORMAT_VERSION = 1
MAX_POINTS = 6000
"""About how many points of a figure are kept."""
SERIES_POINTS_RANGE = (12, 400)
"""How few and how many of one series, spread evenly over it."""

Array = np.ndarray[Any, Any]
Band = dict[float, tuple[float, float]]


def points(figure: Any) -> dict[str, Any]:
    """The panels of a figure that was drawn, with their series; each point with its place.

    `left` and `top` are fractions of the figure's width and height, from its upper left corner. `of` is how many
    points the series has; what is not finite or outside its panel is left out. An `x` on a named axis is its name.
    `low` and `high` are the band around the series, where one is drawn.
    """
    found = [(axes, list(_series(axes))) for axes in figure.axes if axes.get_visible() and axes.axison]
    count = sum(len(series) for _, series in found)
    most = int(np.clip(MAX_POINTS // max(1, count), *SERIES_POINTS_RANGE))
    panels = [
        {"title": axes.get_title() or axes.get_title(loc="left"), "x": axes.get_xlabel(), "y": axes.get_ylabel(),
         "series": [placed for one in series if (placed := _placed(figure, axes, most, *one))]}
        for axes, series in found
    ]  # fmt: skip
    return {"format_version": FORMAT_VERSION, "panels": [panel for panel in panels if panel["series"]]}


def _series(axes: Any) -> Iterator[tuple[Any, ...]]:
    """Lines and bars with their labels and bands; what has no label goes with what has the same colour."""
    named: dict[str, str] = {}
    for rows, columns, table in (fields for mesh in axes.collections if (fields := getattr(mesh, "fields", None))):
        for row, (name, values) in enumerate(zip(rows, table, strict=True)):
            yield name, np.arange(len(values), dtype=float), values, {}, np.full(len(values), float(row)), columns
    bands = [
        (to_hex(fill.get_facecolor()[0]), _band(fill))
        for fill in axes.collections
        if isinstance(fill, PolyCollection) and fill.get_gid() != MARK_ID
    ]
    for bars in axes.containers:
        if isinstance(bars, BarContainer):
            label = _named(bars.get_label(), named, to_hex(bars.patches[0].get_facecolor()), str(axes.get_ylabel()))
            x = [bar.get_x() + bar.get_width() / 2 for bar in bars.patches]
            yield label, np.asarray(x, float), np.asarray([bar.get_height() for bar in bars.patches], float), {}
    for line in axes.lines:
        if line.get_gid() == MARK_ID:
            continue
        label = _named(line.get_label(), named, to_hex(line.get_color()), "each replicate")
        if (ranges := getattr(line, "ranges", None)) is not None:
            yield label, np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), ranges
            continue
        own = next((place for place, (colour, _) in enumerate(bands) if colour == to_hex(line.get_color())), None)
        band = bands.pop(own)[1] if own is not None else {}
        yield label, np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), band


def _band(fill: Any) -> Band:
    """What is filled between two curves: the lowest and the highest value at each place."""
    band: Band = {}
    for path in fill.get_paths():
        for x, y in path.vertices.tolist():
            low, high = band.get(x, (y, y))
            band[x] = min(low, y), max(high, y)
    return band


def _named(label: Any, named: dict[str, str], colour: str, otherwise: str) -> str:
    text = " ".join(str(label).splitlines())
    if text and not text.startswith("_"):
        return named.setdefault(colour, text) if colour not in named else text
    return named.get(colour, otherwise)


def _placed(
    figure: Any, axes: Any, most: int, label: str, x: Array, y: Array, band: Band, at: Any = None, words: Any = None
) -> dict[str, Any] | None:
    """One series as data, or nothing where no point of it is seen; `at` is where values lie that are colours, and `words` their names of x."""
    with np.errstate(all="ignore"):
        pixels = axes.transData.transform(np.column_stack([x, y if at is None else at]))
        box = axes.get_window_extent()
        inside = np.isfinite(pixels).all(axis=1) & np.isfinite(y)
        inside &= (pixels[:, 0] >= box.x0 - 1) & (pixels[:, 0] <= box.x1 + 1)
        inside &= (pixels[:, 1] >= box.y0 - 1) & (pixels[:, 1] <= box.y1 + 1)
    seen = np.flatnonzero(inside)
    if not seen.size:
        return None
    kept = seen[np.unique(np.linspace(0, seen.size - 1, min(most, seen.size)).round().astype(int))]
    place = figure.transFigure.inverted().transform(pixels[kept])
    ranges = [band.get(float(at), (float(value), float(value))) for at, value in zip(x[kept], y[kept], strict=True)]
    spread = {"low": [_short(low) for low, _ in ranges], "high": [_short(high) for _, high in ranges]}
    return {
        "label": label, "of": int(seen.size), "x": [words[int(value)] if words else _word(axes, value) for value in x[kept]], "y": [_short(value) for value in y[kept]],
        "left": [round(float(value), 4) for value in place[:, 0]], "top": [round(1 - float(value), 4) for value in place[:, 1]],
        **(spread if spread["low"] != spread["high"] else {}),
    }  # fmt: skip


def _word(axes: Any, value: float) -> str | float:
    """A value on the horizontal axis, or the name that the nearest tick bears."""
    if isinstance(axes.xaxis.get_major_locator(), FixedLocator):
        nearest = int(np.argmin(np.abs(np.asarray(axes.get_xticks(), float) - value)))
        return str(axes.get_xticklabels()[nearest].get_text())
    return _short(value)


def _short(value: float) -> float:
    """A number in five digits at most, whole ones as they are.

    >>> _short(0.123456789), _short(123456.0)
    (0.12346, 123456)
    """
    whole = float(value).is_integer() and abs(value) < 1e15
    return int(value) if whole else float(f"{value:.5g}")
