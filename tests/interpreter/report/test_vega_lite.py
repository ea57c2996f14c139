"""A figure's description as a Vega-Lite dictionary: what is in it, and the library that draws it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter import report
from dlspec.interpreter.report.vega_lite import MOST_PANELS, can_be_drawn, table, vega_lite

FOLDER = Path(report.__file__).parent
BUILD = Path(__file__).parents[3] / "vega"
LINE: dict[str, Any] = {"colour": "#0072b2", "width": 1.2}


def described(*series: dict[str, Any], scale: str = "linear", **more: Any) -> dict[str, Any]:
    """A description of one panel."""
    axis = {"scale": scale, "ends": [0.1, 10.0]}
    panel = {
        "title": "", "x": "step", "y": "error", "size": [2.9, 2.1], "row": 0, "square": False, "axes": {"x": {"scale": "linear", "ends": [0, 2]}, "y": axis},
        "marks": [], "texts": [], "series": list(series),
    }  # fmt: skip
    words = {"title": ["Fall"], "below": [], "colour_bars": [], "key": []}
    return {"format_version": 2, "panels": [panel | more.pop("panel", {})], **words, **more}


def rows(description: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(vega_lite(description)["data"]["values"])))


def parts(value: Any) -> Any:
    """All dictionaries within one."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def test_what_a_logarithmic_axis_cannot_hold_is_a_null() -> None:
    series = {"label": "a", "of": 3, "look": LINE, "x": [0, 1, 2, 2], "y": [1.0, 0.0, None, -2.0]}
    assert [row["y"] for row in rows(described(series, scale="log"))] == ["1.0", "", "", ""]
    assert [row["y"] for row in rows(described(series))] == ["1.0", "0.0", "", "-2.0"], (
        "the twin: a linear one holds them"
    )
    scales = [
        one["scale"]
        for one in parts(vega_lite(described(series, scale="log")))
        if one.get("field") == "y" and "scale" in one
    ]
    assert scales == [{"type": "log", "domain": [0.1, 10.0], "nice": False}]


def test_colours_and_dashes_are_those_of_the_image() -> None:
    series = {"label": "a", "of": 2, "look": {**LINE, "dash": [4, 2]}, "x": [0, 1], "y": [1, 2]}
    made = vega_lite(described(series, key=[{"label": "a", "text": "a", **LINE, "dash": [4, 2]}]))
    looks = [one for one in parts(made) if one.get("label") == "a"]
    assert [one["colour"] for one in looks] == ["#0072b2"] and looks[0]["dash"] == pytest.approx(
        [4 * 100 / 72, 2 * 100 / 72]
    )
    assert {json.dumps(one["scale"]) for one in parts(made) if one.get("field") == "colour"} == {"null"}, (
        "no scale chooses any"
    )
    params = [one["name"] for one in parts(made) if "select" in one]
    assert params == ["near_0", "zoom_0", "hidden"] and looks[0]["k"] == 0


def test_without_a_key_nothing_is_hidden() -> None:
    made = vega_lite(described({"label": "a", "of": 2, "look": LINE, "x": [0, 1], "y": [1, 2]}))
    assert "hidden" not in json.dumps(made)


def test_what_belongs_to_a_name_of_the_key_is_hidden_with_it() -> None:
    dots = {
        "label": "each replicate",
        "of": 1,
        "look": {"colour": "#000000", "marker": ".", "size": 2},
        "x": [0],
        "y": [1],
        "goes_with": "error",
    }
    key = [{"label": "gap", "text": "gap", **LINE}, {"label": "error", "text": "error", **LINE}]
    (look,) = [one for one in parts(vega_lite(described(dots, key=key))) if one.get("label") == "each replicate"]
    assert look["k"] == 1


def test_names_with_commas_and_quotes_stay_whole() -> None:
    names = ['deep, "size" = 4', "plain"]
    series = {"label": "a", "of": 2, "look": {"colour": "#0072b2", "bar": 0.4}, "x": names, "at": [0, 1], "y": [1, 2]}
    axes = {
        "x": {"scale": "linear", "ends": [-1, 2], "names": [[0, names[0]], [1, names[1]]]},
        "y": {"scale": "linear", "ends": [0, 2]},
    }
    description = described(series, panel={"axes": axes})
    assert [(row["x"], row["at"]) for row in rows(description)] == [("0", names[0]), ("1", names[1])]
    (told,) = {one["labelExpr"] for one in parts(vega_lite(description)) if one.get("labelAngle") is not None}
    assert told == 'datum.value == 0 ? "deep, \\"size\\" = 4" : datum.value == 1 ? "plain" : \'\''


def test_all_names_and_ticks_that_are_given_stand_beside_their_axis() -> None:
    """With a count of ticks, Vega leaves out some of those that are given."""
    series = {"label": "a", "of": 2, "look": LINE, "x": [0, 1000], "y": [1, 2]}
    signed = {"scale": "symlog", "ends": [0, 1000], "linear_to": 10, "ticks": [0, 100, 1000]}
    names = {"scale": "linear", "ends": [0, 9], "names": [[place, f"cell {place}"] for place in range(9)]}
    linear = {"scale": "linear", "ends": [0, 3]}
    for look, ticks in ((signed, [0, 100, 1000]), (names, list(range(9))), (linear, None)):
        made = vega_lite(described(series, panel={"axes": {"x": look, "y": linear}}))
        (axis,) = [one["axis"] for one in parts(made) if one.get("field") == "x" and "axis" in one]
        assert axis.get("values") == ticks and ("tickCount" in axis) == (ticks is None)


def test_a_logarithmic_axis_has_the_ticks_of_the_image_until_it_is_zoomed() -> None:
    series = {"label": "a", "of": 2, "look": LINE, "x": [0, 1], "y": [1, 2]}
    y = {"scale": "log", "ends": [0.1, 1000.0], "ticks": [0.1, 10.0, 1000.0]}
    description = described(series, panel={"axes": {"x": {"scale": "linear", "ends": [0, 1]}, "y": y}})
    (axis,) = [one["axis"] for one in parts(vega_lite(description)) if one.get("field") == "y" and "axis" in one]
    assert axis["values"] == {"expr": "isValid(zoom_0.y) ? null : [0.1, 10.0, 1000.0]"}
    assert axis["labelExpr"].startswith("isValid(zoom_0.y) && datum.label === '' ? '' : ")


def test_a_scale_of_both_signs_has_one_decade_up_to_where_it_is_linear() -> None:
    series = {"label": "a", "of": 2, "look": LINE, "x": [0, 1000], "y": [1, 2]}
    axes = {
        "x": {"scale": "symlog", "ends": [0, 1000], "linear_to": 10.0, "ticks": [0, 1000]},
        "y": {"scale": "linear", "ends": [0, 3]},
    }
    (scale,) = [
        one["scale"]
        for one in parts(vega_lite(described(series, panel={"axes": axes})))
        if one.get("field") == "x" and "scale" in one
    ]
    assert math.log10(1 + 10 / scale["constant"]) == pytest.approx(1)


def test_what_is_old_empty_or_has_too_many_panels_stays_an_image() -> None:
    series = {"label": "a", "of": 2, "look": LINE, "x": [0, 1], "y": [1, 2]}
    good = described(series)
    assert can_be_drawn(good)
    assert not can_be_drawn({**good, "format_version": 1})
    assert not can_be_drawn({**good, "panels": []})
    assert not can_be_drawn({**good, "mathematics": True})
    assert not can_be_drawn({**good, "panels": good["panels"] * (MOST_PANELS + 1)})
    old = {"label": "a", "of": 2, "x": [0, 1], "y": [1, 2], "left": [0.1, 0.9], "top": [0.9, 0.1]}
    assert "0,0,1,2,,,1,,," in table([{"title": "", "x": "", "y": "", "series": [old]}]), (
        "the numbers of an old run are saved all the same"
    )


def test_the_library_is_the_one_that_is_stated_and_bears_its_licences() -> None:
    text = (FOLDER / "vega.min.js").read_bytes()
    stated = json.loads((BUILD / "package.json").read_text("utf-8"))
    assert hashlib.sha256(text).hexdigest() == stated["sha256"], "`make vega` writes both"
    head = text[: text.index(b"*/")].decode()
    locked = json.loads((BUILD / "package-lock.json").read_text("utf-8"))["packages"]
    for name in ("vega", "vega-lite", "vega-interpreter", "vega-tooltip"):
        assert stated["dependencies"][name] == locked[f"node_modules/{name}"]["version"]
    for name in ("vega-lite", "vega-view", "vega-tooltip", "d3-scale"):
        assert f"{name} {locked[f'node_modules/{name}']['version']} (" in head
    assert "Permission to use, copy" in head and "Redistribution and use in source and binary forms" in head
    assert b"http://" not in text.split(b"*/", 1)[1].replace(b"http://www.w3.org/", b""), "no address that it could ask"
