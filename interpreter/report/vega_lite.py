"""A figure's description as a Vega-Lite dictionary: what the page and notebooks draw, with zoom, numbers under the pointer and names to click.

The description is what `interpreter/figures/description.py` writes beside a figure's image. Colours, dashes, names and ends of axes are in
it, so no scale of Vega-Lite's own chooses any. A gap is a null, and so is what a logarithmic axis can't hold: a number there would
flatten the line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .vega_keys import colour_bar, key, letters_wide
from .vega_panels import panel, size_of

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
"""The version of the grammar; versions 5 and 6 both draw it. It is a name, and nothing is fetched from there."""
DRAWN_FORMAT = 2
"""The description's format that is drawn: older runs have their image alone."""
MOST_PANELS = 24
"""How many panels a figure has at most that is drawn so: more take a browser too long."""
MOST_WIDE = 1100
"""About how many pixels panels take in a row."""
COLUMNS = ("p", "s", "x", "y", "low", "high", "m", "r", "c")
"""The table's columns of numbers: those of panel and series, the place, the value, its range, whether it has a marker, row and column of a field."""
CONFIG = {
    "background": "transparent", "font": "sans-serif", "view": {"stroke": None}, "concat": {"spacing": 22},
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "gridOpacity": 0.35, "labelLimit": 160, "titleLimit": 400},
    "title": {"fontSize": 12.5, "fontWeight": "normal", "subtitleFontSize": 11.5, "anchor": "middle"},
}  # fmt: skip


def can_be_drawn(description: Mapping[str, Any]) -> bool:
    """Whether a description has what a drawing needs, no more than a browser draws at once, and no typeset mathematics."""
    return (
        not description.get("mathematics")
        and description.get("format_version") == DRAWN_FORMAT
        and 0 < len(description.get("panels", ())) <= MOST_PANELS
    )


def vega_lite(description: Mapping[str, Any], wide: float = MOST_WIDE) -> dict[str, Any]:
    """The dictionary of a figure that `can_be_drawn`; its panels take about so many pixels in a row."""
    labels = {entry["label"]: place for place, entry in reversed(list(enumerate(description["key"])))}
    panels = [panel(place, one, labels) for place, one in enumerate(description["panels"])]
    width = max(size_of(one)[0] for one in description["panels"]) + 70
    rows = len({one["row"] for one in description["panels"]})
    columns = max(1, min(-(-len(panels) // max(1, rows)), int(wide // width)))
    drawn: dict[str, Any] = {"concat": panels, "columns": columns}
    beside = [colour_bar(bar) for bar in description["colour_bars"]]
    if description["key"]:
        beside.append(key(description["key"], max(150.0, size_of(description["panels"][0])[1] * min(rows, 3))))
    if beside:
        drawn = {"concat": [drawn, *beside], "columns": len(beside) + 1}
    if description["below"]:
        drawn = {"vconcat": [drawn, _lines(description["below"])]}
    title = {"title": {"text": description["title"], "fontSize": 15, "offset": 12}} if description["title"] else {}
    parse = dict.fromkeys(COLUMNS, "number")
    data = {"values": table(description["panels"]), "format": {"type": "csv", "parse": parse}}
    return {"$schema": SCHEMA, **title, "config": CONFIG, "data": data, **drawn}


def table(panels: Sequence[Mapping[str, Any]]) -> str:
    """All points as CSV, a line each: `COLUMNS`, and the name of the place where it has one."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*COLUMNS, "at"])
    for place, one in enumerate(panels):
        logs = {axis: one.get("axes", {}).get(axis, {}).get("scale") == "log" for axis in "xy"}
        for number, series in enumerate(one["series"]):
            writer.writerows(_points(place, number, series, logs))
    return file.getvalue()


def _lines(lines: Sequence[str]) -> dict[str, Any]:
    """The caption and the notes, below all else."""
    return {
        "data": {"values": [{}]}, "width": max(map(letters_wide, lines)), "height": 14 * len(lines),
        "mark": {"type": "text", "align": "left", "baseline": "top", "fontSize": 11, "text": list(lines), "x": 0, "y": 0},
        "encoding": {},
    }  # fmt: skip


def _points(place: int, number: int, series: Mapping[str, Any], logs: Mapping[str, bool]) -> Iterator[tuple[Any, ...]]:
    none: Sequence[Any] = [None] * len(series["x"])
    named = "at" in series or any(isinstance(x, str) for x in series["x"])
    places = series["at"] if "at" in series else range(len(none)) if named else series["x"]
    field = "row" in series
    marked = set(series.get("look", {}).get("marked", range(len(none))))
    for turn, (x, y, low, high) in enumerate(
        zip(places, series["y"], series.get("low", none), series.get("high", none), strict=True)
    ):
        yield (
            place, number, _held(x, logs["x"]), _held(y, logs["y"] and not field), low, high, 1 if turn in marked else None,
            series["row"] if field else None, turn if field else None, series["x"][turn] if named else None,
        )  # fmt: skip


def _held(value: Any, log: bool) -> Any:
    """A number as an axis can hold it: on a logarithmic one nothing that is not positive."""
    return None if value is None or (log and value <= 0) else value
