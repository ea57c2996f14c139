"""What stands beside the panels of a figure in Vega-Lite: the key, whose names are clicked to hide what they name, and colour bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .vega_panels import PLAIN, SYMLOG_SHARE, drawn_look, numbers_beside

LINE = 16
"""How many pixels a line of the key is high."""
HANDLE = 34
"""How many stand before a name."""
LETTER = 6.1
"""About how wide a letter is."""
MOST_COLUMNS = 4
"""About how many columns the key has at most: of many names they are longer."""
BAR_WIDTH, BAR_HEIGHT = 14, 200


def letters_wide(text: str) -> float:
    """About how many pixels a text takes."""
    return round(len(text) * LETTER + 8)


def key(entries: Sequence[Mapping[str, Any]], height: float) -> dict[str, Any]:
    """The names of what is drawn, in columns about so high; a click on one hides its series, a second shows them again."""
    height = max(height, LINE * 8, LINE * -(-len(entries) // MOST_COLUMNS))
    rows, x, y = [], 0.0, 0.0
    widest = 0.0
    for place, entry in enumerate(entries):
        lines = entry["text"].splitlines() or [""]
        if y and y + LINE * len(lines) > height:
            x, y, widest = x + widest, 0.0, 0.0
        wide = HANDLE + max(map(letters_wide, lines))
        widest = max(widest, wide)
        rows.append({
            "k": place, "text": lines, "at": x, "to": x + 28, "middle": x + 14, "words": x + HANDLE, "end": x + wide, "top": y,
            "bottom": y + LINE * len(lines), "y": y + LINE / 2, "colour": entry.get("colour", "#888888"), **drawn_look(entry),
            "opacity": entry.get("opacity", 1), "bar": "bar" in entry,
        })  # fmt: skip
        y += LINE * len(lines)
    end = max(row["end"] for row in rows)
    shown = {"opacity": {"condition": {"param": "hidden", "empty": False, "value": 0.25}, "value": 1}}

    def at(x: str, y: str = "y", **ends: str) -> dict[str, Any]:
        found = {name: {"field": field, **_PIXELS} for name, field in (("x", x), ("y", y))}
        return found | {name: {"field": field} for name, field in ends.items()}

    return {
        "data": {"values": rows}, "width": end, "height": max(row["bottom"] for row in rows),
        "layer": [
            {"transform": [{"filter": "datum.width > 0"}], "mark": {"type": "rule"},
             "encoding": {**at("at", x2="to"), "stroke": {"field": "colour", **PLAIN}, "strokeDash": {"field": "dash", **PLAIN},
                          "strokeWidth": {"field": "width", **PLAIN, "type": "quantitative"},
                          "strokeOpacity": {"field": "opacity", **PLAIN, "type": "quantitative"}, **shown}},
            {"transform": [{"filter": "datum.size > 0"}], "mark": {"type": "point", "strokeWidth": 1.2},
             "encoding": {**at("middle"), "stroke": {"field": "colour", **PLAIN}, "fill": {"field": "fill", **PLAIN}, "shape": {"field": "shape", **PLAIN},
                          "size": {"field": "size", **PLAIN, "type": "quantitative"}, **shown}},
            {"transform": [{"filter": "datum.bar"}], "mark": {"type": "square", "size": 110, "fillOpacity": 0.6},
             "encoding": {**at("middle"), "fill": {"field": "colour", **PLAIN}, **shown}},
            {"mark": {"type": "text", "align": "left", "baseline": "middle", "fontSize": 11},
             "encoding": {**at("words"), "text": {"field": "text", "type": "nominal"}, **shown}},
            {"params": [{"name": "hidden", "select": {"type": "point", "fields": ["k"], "toggle": "true", "clear": False}}],
             "mark": {"type": "rect", "fill": "transparent", "cursor": "pointer"},
             "encoding": at("at", "top", x2="end", y2="bottom")},
        ],
    }  # fmt: skip


_PIXELS: Mapping[str, Any] = {"type": "quantitative", "scale": None, "axis": None}


def colour_bar(bar: Mapping[str, Any]) -> dict[str, Any]:
    """The colours of numbers, from the lowest to the highest."""
    edges = bar["edges"]
    parts = [
        {"low": low, "high": high, "colour": colour}
        for low, high, colour in zip(edges, edges[1:], bar["colours"], strict=False)
    ]
    scale: dict[str, Any] = {
        "type": bar["scale"],
        "domain": [edges[0], edges[-1]],
        "nice": False,
        **({} if bar["scale"] == "log" else {"zero": False}),
    }
    axis: dict[str, Any] = {
        "orient": "right",
        "title": bar["label"].splitlines(),
        **numbers_beside(bar),
        "grid": False,
    }
    if bar["scale"] == "symlog":
        scale["constant"] = bar["linear_to"] / SYMLOG_SHARE
    return {
        "data": {"values": parts}, "width": BAR_WIDTH, "height": BAR_HEIGHT, "mark": {"type": "rect"},
        "encoding": {"y": {"field": "low", "type": "quantitative", "scale": scale, "axis": axis}, "y2": {"field": "high"},
                     "fill": {"field": "colour", **PLAIN}},
    }  # fmt: skip
