"""One panel of a figure in Vega-Lite: its axes, and a layer for each way in which its series are drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

PIXELS = 100.0
"""How many pixels go on an inch, as the image on the page has them."""
POINT = PIXELS / 72
"""How many go on a point."""
SHAPES = {
    ".": "circle", "o": "circle", "^": "triangle-up", "v": "triangle-down", "s": "square", "D": "diamond", "P": "cross",
    "x": "M-1,-1L1,1M-1,1L1,-1",
}  # fmt: skip
"""Vega's words for matplotlib's markers."""
SYMLOG_SHARE = 9
"""By what the end of matplotlib's linear part is divided, so that Vega's scale gives that part one decade, too."""
ZOOM = "wheel![event.ctrlKey || event.metaKey]"
"""What zooms: the wheel alone moves the page."""
SHOWN = {"filter": {"not": {"param": "hidden", "empty": False}}}
"""What is left when a click on the key hid some."""
PLAIN = {"scale": None, "legend": None, "type": "nominal"}
"""An encoding whose field is what is drawn: a colour, a dash, a shape."""
EXPONENT = "floor(log(abs(datum.value)) / LN10 + 1e-9)"
DIGITS = "['⁰','¹','²','³','⁴','⁵','⁶','⁷','⁸','⁹']"
FACTOR = f"abs(datum.value) / pow(10, {EXPONENT})"
NUMBER = (
    "datum.value == 0 || (abs(datum.value) >= 1e-3 && abs(datum.value) < 1e6) ? format(datum.value, ',~r') : "
    f"(datum.value < 0 ? '-' : '') + (abs({FACTOR} - 1) < 1e-6 ? '' : format({FACTOR}, '.3~r') + '·') + '10' + "
    f"({EXPONENT} < 0 ? '⁻' : '') + (abs({EXPONENT}) >= 100 ? {DIGITS}[floor(abs({EXPONENT}) / 100)] : '') + "
    f"(abs({EXPONENT}) >= 10 ? {DIGITS}[floor(abs({EXPONENT}) / 10) % 10] : '') + {DIGITS}[abs({EXPONENT}) % 10]"
)
"""How numbers beside axes are written: powers of ten where they are long."""


def size_of(panel: Mapping[str, Any]) -> tuple[float, float]:
    """A panel's width and height in pixels."""
    width, height = panel["size"]
    return round(width * PIXELS), round(height * PIXELS)


def panel(place: int, one: Mapping[str, Any], labels: Mapping[str, int]) -> dict[str, Any]:
    """The panel at a place of the figure; `labels` are the numbers of the key's entries by what they say."""
    width, height = size_of(one)
    looks = [_row(number, series, labels) for number, series in enumerate(one["series"])]
    layers = [
        *_bands(looks), *_fields(one), *_bars(looks, one), *_lines(looks), *_points(looks),
        *_rules(one, height), *_marks(one, labels, height), *_texts(one), _near(one),
    ]  # fmt: skip
    fields = ["label", "k", "colour", "width", "dash", "opacity", "band", "shape", "size", "fill", "bar", "kind"]
    return {
        "name": f"panel_{place}", "width": width, "height": height, **({"title": {"text": one["title"].splitlines()}} if one["title"] else {}),
        "transform": [
            {"filter": f"datum.p === {place}"},
            {"lookup": "s", "from": {"data": {"values": looks}, "key": "s", "fields": fields}},
            *([SHOWN] if labels else []),
        ],
        "encoding": {"x": _axis("x", one, place), "y": _axis("y", one, place)},
        "layer": _named(layers, place),
        "resolve": {"scale": {"color": "independent"}},
    }  # fmt: skip


def _named(layers: Sequence[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    """Layers, with the panel's own selections in the last."""
    near: dict[str, Any] = {
        "name": f"near_{place}",
        "select": {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout"},
    }
    zoom = {"name": f"zoom_{place}", "select": {"type": "interval", "zoom": ZOOM}, "bind": "scales"}
    last = dict(layers[-1])
    last["params"] = [near, zoom]
    last["encoding"] = last["encoding"] | {
        "opacity": {"condition": {"param": f"near_{place}", "empty": False, "value": 1}, "value": 0}
    }
    return [*layers[:-1], last]


def _row(number: int, series: Mapping[str, Any], labels: Mapping[str, int]) -> dict[str, Any]:
    look = series["look"]
    marker = look.get("marker")
    return {
        "s": number, "label": series["label"], "k": labels.get(series.get("goes_with", series["label"]), -1), "colour": look.get("colour", "#888888"),
        **drawn_look(look), "opacity": look.get("opacity", 1), "band": look.get("band", 0), "bar": look.get("bar", 0),
        "kind": "field" if "field" in look else "bar" if "bar" in look else "points" if "width" not in look else "steps" if "steps" in look else
                "both" if marker else "line",
    }  # fmt: skip


def drawn_look(look: Mapping[str, Any]) -> dict[str, Any]:
    """A look's width, dash, shape, size and fill as Vega draws them."""
    hollow = look.get("hollow") or look.get("marker") == "x"
    return {
        "width": look.get("width", 0) * POINT, "dash": [part * POINT for part in look.get("dash", ())] or [1, 0],
        "shape": SHAPES.get(look.get("marker", ""), "circle"), "size": round((look.get("size", 0) * POINT) ** 2, 2),
        "fill": "transparent" if hollow else look.get("colour", "#888888"),
    }  # fmt: skip


def numbers_beside(look: Mapping[str, Any], zoomed: str = "false") -> dict[str, Any]:
    """Where the numbers beside an axis are and how they are written; of one that is not linear where the image has them.

    Where a logarithmic axis is zoomed, as an expression says, Vega says where they are, and which it leaves room for.
    """
    if look["scale"] == "symlog":
        return {"labelExpr": NUMBER, "values": look["ticks"]}
    if look["scale"] == "log" and "ticks" in look:
        return {
            "values": {"expr": f"{zoomed} ? null : {json.dumps(look['ticks'])}"}, "tickCount": 5,
            "labelExpr": f"{zoomed} && datum.label === '' ? '' : {NUMBER}",
        }  # fmt: skip
    told: dict[str, Any] = {
        "tickCount": 5,
        "labelExpr": f"datum.label === '' ? '' : {NUMBER}" if look["scale"] == "log" else NUMBER,
    }
    return told | ({"tickMinStep": 1} if look.get("whole") else {})


def _axis(name: str, one: Mapping[str, Any], place: int) -> dict[str, Any]:
    look, title = one["axes"][name], one[name]
    scale: dict[str, Any] = {
        "type": look["scale"],
        "domain": look["ends"],
        "nice": False,
        **({} if look["scale"] == "log" else {"zero": False}),
    }
    axis = {**numbers_beside(look, f"isValid(zoom_{place}.{name})"), "title": title.splitlines() or None}
    if look["scale"] == "symlog":
        scale["constant"] = look["linear_to"] / SYMLOG_SHARE
    if look["ends"][0] > look["ends"][1]:
        scale |= {"domain": look["ends"][::-1], "reverse": True}
    if "names" in look:
        places = [place for place, _ in look["names"]]
        words = "".join(
            f"datum.value == {place:g} ? {json.dumps(text, ensure_ascii=False)} : " for place, text in look["names"]
        )
        room = one["size"][0] * PIXELS / max(1, len(places)) / 6.2
        upright = name == "x" and any(len(text) > room for _, text in look["names"])
        axis.pop("tickCount", None)  # Vega would leave some out
        axis |= {"values": places, "labelExpr": words + "''", "labelAngle": -90 if upright else 0}
        axis |= {"grid": False, "ticks": False, "labelOverlap": False, "labelLimit": 260}
    return {"field": name, "type": "quantitative", "scale": scale, "axis": axis}


def _only(*kinds: str) -> list[dict[str, Any]]:
    return [{"filter": {"field": "kind", "oneOf": list(kinds)}}]


def _bands(looks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not any(look["band"] for look in looks):
        return []
    return [{
        "transform": [{"filter": "datum.band > 0"}, {"calculate": "isValid(datum.low) ? datum.low : datum.y", "as": "below"},
                      {"calculate": "isValid(datum.high) ? datum.high : datum.y", "as": "above"}],
        "mark": {"type": "area", "clip": True},
        "encoding": {"y": {"field": "below", "type": "quantitative"}, "y2": {"field": "above"}, "detail": {"field": "s"},
                     "fill": {"field": "colour", **PLAIN}, "fillOpacity": {"field": "band", **PLAIN, "type": "quantitative"}},
    }]  # fmt: skip


def _fields(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    colours = [
        {"f": f"{number}:{turn}", "colour": colour or "#e0e0e0"}
        for number, series in enumerate(one["series"]) for turn, colour in enumerate(series.get("colours", ()))
    ]  # fmt: skip
    if not colours:
        return []
    return [{
        "transform": [*_only("field"), {"calculate": "datum.s + ':' + datum.c", "as": "f"},
                      {"lookup": "f", "from": {"data": {"values": colours}, "key": "f", "fields": ["colour"]}},
                      *({"calculate": f"datum.{of} {sign} 0.5", "as": to} for of, sign, to in
                        (("x", "-", "x1"), ("x", "+", "x2"), ("r", "-", "y1"), ("r", "+", "y2")))],
        "mark": {"type": "rect", "clip": True},
        "encoding": {"x": {"field": "x1", "type": "quantitative"}, "x2": {"field": "x2"}, "y": {"field": "y1", "type": "quantitative"},
                     "y2": {"field": "y2"}, "fill": {"field": "colour", **PLAIN}},
    }]  # fmt: skip


def _bars(looks: Sequence[Mapping[str, Any]], one: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not any(look["kind"] == "bar" for look in looks):
        return []
    foot: dict[str, Any] = {"value": "height"} if one["axes"]["y"]["scale"] == "log" else {"datum": 0}
    return [{
        "transform": [*_only("bar"), {"calculate": "datum.x - datum.bar", "as": "x1"}, {"calculate": "datum.x + datum.bar", "as": "x2"}],
        "mark": {"type": "rect", "clip": True},
        "encoding": {"x": {"field": "x1", "type": "quantitative"}, "x2": {"field": "x2"}, "y": {"field": "y", "type": "quantitative"}, "y2": foot,
                     "fill": {"field": "colour", **PLAIN}, "fillOpacity": {"field": "opacity", **PLAIN, "type": "quantitative"}},
    }]  # fmt: skip


def _lines(looks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    encoding = {
        "detail": {"field": "s"}, "stroke": {"field": "colour", **PLAIN}, "strokeDash": {"field": "dash", **PLAIN},
        "strokeWidth": {"field": "width", **PLAIN, "type": "quantitative"}, "strokeOpacity": {"field": "opacity", **PLAIN, "type": "quantitative"},
    }  # fmt: skip
    kinds = {look["kind"] for look in looks}
    return [
        {"transform": _only(*names), "mark": {"type": "line", "clip": True, **more}, "encoding": encoding}
        for names, more in ((("line", "both"), {}), (("steps",), {"interpolate": "step-after"}))
        if kinds & set(names)
    ]


def _points(looks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not any(look["kind"] in ("points", "both") for look in looks):
        return []
    return [
        {
            "transform": [*_only("points", "both"), {"filter": "datum.m === 1"}],
            "mark": {"type": "point", "strokeWidth": 1.2},
            "encoding": _POINT,
        }
    ]


_POINT: dict[str, Any] = {
    "stroke": {"field": "colour", **PLAIN}, "fill": {"field": "fill", **PLAIN}, "shape": {"field": "shape", **PLAIN},
    "size": {"field": "size", **PLAIN, "type": "quantitative"}, "opacity": {"field": "opacity", **PLAIN, "type": "quantitative"},
}  # fmt: skip


def _marks(one: Mapping[str, Any], labels: Mapping[str, int], height: float) -> list[dict[str, Any]]:
    """What is no value: triangles and crosses at the edges, points that stand alone."""
    layers: list[dict[str, Any]] = []
    marks = [mark for mark in one["marks"] if "rule" not in mark]
    for edge in dict.fromkeys(mark.get("edge") for mark in marks):
        rows = [
            {"x": x, **({} if edge is not None else {"y": mark["y"][turn]}), "label": mark.get("label", ""), "k": labels.get(mark.get("label", ""), -1),
             "colour": mark["colour"], **drawn_look(mark), "opacity": mark.get("opacity", 1)}
            for mark in marks if mark.get("edge") == edge for turn, x in enumerate(mark["x"])
        ]  # fmt: skip
        where: dict[str, Any] = {"y": {"value": round(height * (1 - edge), 1)}} if edge is not None else {}
        encoding: dict[str, Any] = where | _POINT
        mark_look = {"type": "point", "strokeWidth": 1.2}
        layers.append(
            {"data": {"values": rows}, "transform": [SHOWN] if labels else [], "mark": mark_look, "encoding": encoding}
        )
    return layers


def _rules(one: Mapping[str, Any], height: float) -> list[dict[str, Any]]:
    """Lines from the lower to the upper edge, with their names: where phases begin."""
    rules = [
        {"x": mark["rule"], "text": mark["text"], "colour": mark["colour"], **drawn_look(mark)}
        for mark in one["marks"]
        if "rule" in mark
    ]
    if not rules:
        return []
    line = {
        "strokeDash": {"field": "dash", **PLAIN},
        "strokeWidth": {"field": "width", **PLAIN, "type": "quantitative"},
    }
    looks = {
        "rule": {"y": {"value": 0}, "y2": {"value": height}, "stroke": {"field": "colour", **PLAIN}, **line},
        "text": {"y": {"value": 3}, "text": {"field": "text", "type": "nominal"}, "fill": {"field": "colour", **PLAIN}},
    }
    more = {"rule": {}, "text": {"align": "left", "baseline": "top", "dx": 3, "fontSize": 9}}
    return [
        {"data": {"values": rules}, "mark": {"type": name, "clip": True, **more[name]}, "encoding": looks[name]}
        for name in looks
    ]


def _texts(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    texts = [text for text in one["texts"] if text["inside"]]
    if not texts:
        return []
    return [{
        "data": {"values": texts}, "mark": {"type": "text", "fontSize": 10, "clip": True},
        "encoding": {"text": {"field": "text", "type": "nominal"}, "fill": {"field": "colour", **PLAIN}},
    }]  # fmt: skip


def _near(one: Mapping[str, Any]) -> dict[str, Any]:
    """All points unseen, the one nearest to the pointer as a ring: its numbers are told."""
    fields = any("row" in series for series in one["series"])
    named = any("at" in series for series in one["series"])
    x = one["x"].replace("\n", " ") or "entry"
    told: list[dict[str, Any]] = [
        {"field": "label", "title": (one["y"] or "row").replace("\n", " ") if fields else "series", "type": "nominal"}
    ]
    told.append({"field": "at" if named else "x", "title": x, "type": "nominal"})
    told.append(
        {"field": "y", "title": "value" if fields else one["y"].replace("\n", " ") or "value", "type": "nominal"}
    )
    transform = [{"filter": "isValid(datum.y)"}]
    if any("low" in series for series in one["series"]):
        transform.append({"calculate": "isValid(datum.low) ? datum.low + ' to ' + datum.high : '–'", "as": "range"})
        told.append({"field": "range", "title": "range", "type": "nominal"})
    return {
        "transform": transform,
        "mark": {"type": "point", "size": 90, "strokeWidth": 2, "filled": False, "clip": True},
        "encoding": {"stroke": {"value": "#444444"}, "tooltip": told, **({"y": {"field": "r", "type": "quantitative"}} if fields else {})},
    }  # fmt: skip
