"""The one description of a figure: what is drawn, where and how it looks, read off the figure that matplotlib drew.

The static files are that figure; the page and notebooks draw the description with Vega-Lite (`interpreter/report/vega_lite.py`), so that
colours, names, notes and the ends of axes are the same in both. A table lists its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from .axis_scales import MARK_ID
from .looks import axis_look, bar_look, bar_of_colours, key_look, line_look, words_of
from .math_text import mathematics
from .palette import MARKED_PLACES

FORMAT_VERSION = 2
MAX_POINTS = 6000
"""About how many points of a figure are kept."""
FEWEST_POINTS = 12
"""How few of one series are kept, spread evenly over it."""

Array = np.ndarray[Any, Any]
Band = dict[float, tuple[float, float]]


@dataclass
class _Series:
    """Points that look alike and have one name; `names` are those of x, `rows` the places of values that are colours."""

    label: str
    look: dict[str, Any]
    x: Array
    y: Array
    band: Band = field(default_factory=dict)
    filled: bool = False
    names: Any = None
    colours: Any = None
    row: int | None = None
    of: str = ""
    """What the key calls it, where that is another name."""


def describe(figure: Any) -> dict[str, Any]:
    """A drawn figure's panels with their series, marks and axes, its key, its colour bars and its words; all plain data.

    `of` is how many points a series has; what is outside its panel is left out, and a gap is a point without y. An `x` on a
    named axis is its name, and `at` its place. `low` and `high` are the range around a series, where it has one.
    """
    found = [
        (axes, _merged(_series(axes)))
        for axes in figure.axes
        if axes.get_visible() and axes.axison and not _is_bar(axes)
    ]
    total = sum(one.x.size for _, series in found for one in series)
    count = sum(len(series) for _, series in found)
    most = total if total <= MAX_POINTS else max(FEWEST_POINTS, MAX_POINTS // max(1, count))
    panels = []
    for axes, series in found:
        placed = [made for one in series if (made := _placed(axes, most, one))]
        if placed:
            panels.append(_panel(axes) | {"series": placed})
    return {
        "format_version": FORMAT_VERSION, "mathematics": _typeset(figure), **words_of(figure), "panels": panels,
        "colour_bars": [bar_of_colours(axes) for axes in figure.axes if _is_bar(axes)],
        "key": [{"label": " ".join(text.split()), "text": text, **key_look(handle)} for handle, text in getattr(figure, "keyed", ())],
    }  # fmt: skip


def _typeset(figure: Any) -> bool:
    """Whether a text of it is set as mathematics, which Vega-Lite can't."""
    return any(map(mathematics, {line for text in figure.findobj(Text) for line in text.get_text().splitlines()}))


def _is_bar(axes: Any) -> bool:
    return getattr(axes, "_colorbar", None) is not None


def _panel(axes: Any) -> dict[str, Any]:
    size = getattr(axes.figure, "panel_size", None) or (2.9, 2.1)
    place = axes.get_subplotspec()
    return {
        "title": axes.get_title() or axes.get_title(loc="left"), "x": axes.get_xlabel(), "y": axes.get_ylabel(),
        "size": list(size), "row": place.rowspan.start, "square": axes.get_aspect() == 1.0,
        "axes": {"x": axis_look(axes.xaxis, axes.get_xlim()), "y": axis_look(axes.yaxis, axes.get_ylim())},
        "marks": [mark for line in axes.lines if line.get_gid() == MARK_ID and (mark := _mark(axes, line))],
        "texts": [{"x": float(text.get_position()[0]), "y": float(text.get_position()[1]), "text": text.get_text(), "colour": to_hex(text.get_color()),
                   "inside": bool(text.get_transform() == axes.transData)} for text in axes.texts if text.get_gid() != MARK_ID],
    }  # fmt: skip


def _mark(axes: Any, line: Any) -> dict[str, Any]:
    """What is drawn that is no value: where, or at which edge of the panel."""
    x, y = (np.asarray(values, float) for values in line.get_data())
    there = np.isfinite(x) & np.isfinite(y)
    if line.get_transform() == axes.get_xaxis_transform() and len(set(x.tolist())) == 1 < x.size:
        return {"rule": _short(x[0]), "text": line.series, **line_look(line)}
    at_edge = line.get_transform() != axes.transData
    label = str(line.get_label())
    where = {"edge": float(y[0])} if at_edge and y.size else {"y": [_short(value) for value in y[there]]}
    told = {} if label.startswith("_") else {"label": label}
    return {"x": [_short(value) for value in x[there]], **where, **told, **line_look(line)} if there.any() else {}


def _series(axes: Any) -> Iterator[_Series]:
    """Lines, bars and fields with their labels and ranges; what has no label, and keeps no name, goes with what has the same colour."""
    named: dict[str, str] = {}
    for mesh in axes.collections:
        if (fields := getattr(mesh, "fields", None)) is not None:
            yield from _fields(mesh, *fields)
    for bars in axes.containers:
        if isinstance(bars, BarContainer):
            label = _named(bars, named, to_hex(bars.patches[0].get_facecolor()), str(axes.get_ylabel()))
            x = [bar.get_x() + bar.get_width() / 2 for bar in bars.patches]
            heights = np.asarray([bar.get_height() for bar in bars.patches], float)
            yield _Series(label, bar_look(bars.patches[0]), np.asarray(x, float), heights)
    bands = [
        (to_hex(fill.get_facecolor()[0]), fill) for fill in axes.collections if isinstance(fill, PolyCollection) and not hasattr(fill, "fields")
    ]  # fmt: skip
    for line in axes.lines:
        if line.get_gid() == MARK_ID:
            continue
        label = _named(line, named, to_hex(line.get_color()), "each replicate")
        places, values = (np.asarray(own, float) for own in line.get_data(orig=False))
        if line.get_transform() != axes.transData:  # a level, from the left edge to the right one
            places = np.asarray(axes.get_xlim(), float)
        own = next((place for place, (colour, _) in enumerate(bands) if colour == to_hex(line.get_color())), None)
        ranges = getattr(line, "ranges", None)
        look = line_look(line)
        filled = own is not None and "width" in look and (ranges is not None or bands[own][1].get_gid() != MARK_ID)
        fill = bands.pop(own)[1] if filled and own is not None else None
        band = ranges if ranges is not None else _band(fill) if fill is not None else {}
        look |= {"band": float(fill.get_alpha() or 1.0)} if fill is not None else {}
        yield _Series(label, look, places, values, band, fill is not None, of=getattr(line, "key", ""))


def _fields(mesh: Any, rows: Any, columns: Any, table: Array) -> Iterator[_Series]:
    """The fields of a heatmap, a series a row, each with its colour."""
    shown = np.ma.filled(np.ma.asarray(mesh.get_array()).astype(float), np.nan).reshape(table.shape)
    for row, (name, values) in enumerate(zip(rows, table, strict=True)):
        colours = [to_hex(mesh.cmap(mesh.norm(value))) if np.isfinite(value) else None for value in shown[row]]
        yield _Series(
            name, {"field": True}, np.arange(len(values), dtype=float), values, names=columns, colours=colours, row=row
        )


def _merged(series: Iterator[_Series]) -> list[_Series]:
    """Series, where points and bars of one name and look are one; lines stay apart."""
    kept: dict[Any, _Series] = {}
    for place, one in enumerate(series):
        apart = place if "width" in one.look or "field" in one.look else -1
        name = (apart, one.label, one.of, repr(one.look))
        if (first := kept.get(name)) is None:
            kept[name] = one
        else:
            first.x, first.y = np.append(first.x, one.x), np.append(first.y, one.y)
    return list(kept.values())


def _band(fill: Any) -> Band:
    """What is filled between two curves: the lowest and the highest value at each place."""
    band: Band = {}
    for path in fill.get_paths():
        for x, y in path.vertices.tolist():
            low, high = band.get(x, (y, y))
            band[x] = min(low, y), max(high, y)
    return band


def _named(drawn: Any, named: dict[str, str], colour: str, otherwise: str) -> str:
    text = " ".join(str(drawn.get_label()).splitlines())
    if text and not text.startswith("_"):
        named.setdefault(colour, text)
        return text
    return str(getattr(drawn, "series", "")) or named.get(colour, otherwise)


def _placed(axes: Any, most: int, one: _Series) -> dict[str, Any] | None:
    """One series as data, or nothing where no point of it is seen."""
    low, high = sorted(axes.get_xlim())
    left, right = sorted(axes.get_ylim())
    room = 1e-9 * (high - low), 1e-9 * (right - left)
    with np.errstate(all="ignore"):
        finite = np.isfinite(one.x) & np.isfinite(one.y)
        inside = finite & (one.x >= low - room[0]) & (one.x <= high + room[0])
        if one.row is None:
            inside &= (one.y >= left - room[1]) & (one.y <= right + room[1])
    seen = np.flatnonzero(inside)
    if not seen.size:
        return None
    kept = seen[np.unique(np.linspace(0, seen.size - 1, min(most, seen.size)).round().astype(int))]
    x, y = one.x[kept], one.y[kept]
    made: dict[str, Any] = {"label": one.label, "of": int(seen.size), "look": one.look}
    if "width" in one.look and len(gaps := _gaps(one, kept)):  # a point without y, where the line breaks
        x, y = (np.insert(values, gaps, more) for values, more in ((x, x[gaps]), (y, np.nan)))
    named = one.names is not None or isinstance(axes.xaxis.get_major_locator(), FixedLocator)
    made["x"] = [one.names[int(value)] for value in x] if one.names else [_word(axes, value) for value in x]
    made |= {"at": [_short(value) for value in x]} if named else {}
    made["y"] = [_short(value) if np.isfinite(value) else None for value in y]
    ranges = [
        one.band.get(float(at), (float(v), float(v))) if np.isfinite(v) else (v, v) for at, v in zip(x, y, strict=True)
    ]
    if one.band and any(low != high for low, high in ranges if np.isfinite(low)):
        for place, name in enumerate(("low", "high")):
            made[name] = [_short(ends[place]) if np.isfinite(ends[place]) else None for ends in ranges]
    if "width" in one.look and "marker" in one.look:
        made["look"] = one.look | {"marked": _marked(axes, x, y)}
    if one.row is not None:
        made |= {"row": one.row, "colours": [one.colours[place] for place in kept]}
    return made | ({"goes_with": one.of} if one.of else {})


def _marked(axes: Any, x: Array, y: Array) -> list[int]:
    """Which points of a line bear its marker: one in each part of the panel's width."""
    shares = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack([x, y])))[:, 0]
    first: dict[int, int] = {}
    for turn, share in enumerate(shares):
        if np.isfinite(y[turn]) and np.isfinite(share):
            first.setdefault(int(share / MARKED_PLACES), turn)
    return list(first.values())


def _gaps(one: _Series, kept: Array) -> Array:
    """Before which of the points that are kept a line is broken, by a value that can't be drawn."""
    broken = np.concatenate([[0], np.cumsum(~np.isfinite(one.y))])
    return np.flatnonzero(np.diff(broken[kept]) > 0) + 1


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
