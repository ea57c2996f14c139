"""A figure's description is what is drawn."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from dlspec.interpreter.figures.axis_scales import MARK_ID
from dlspec.interpreter.figures.description import FEWEST_POINTS, MAX_POINTS, describe
from dlspec.interpreter.figures.draw import panels


@pytest.fixture(autouse=True)
def closed() -> object:
    yield
    plt.close("all")


def test_a_line_is_described_as_it_is_drawn() -> None:
    figure, (axes,) = panels(1)
    axes.plot([0, 5, 10], [1.0, np.nan, 100.0], label="line", color="#ff0000", marker="s", markersize=12, linewidth=0)
    axes.plot([0, 5, 7, 10], [2.0, np.nan, 3.0, 4.0], "--", label="dashed", color="#00ff00", linewidth=1.5, alpha=0.5)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    figure.canvas.draw()
    (panel,) = describe(figure)["panels"]
    line, dashed = panel["series"]
    assert (line["label"], line["x"], line["y"], line["of"]) == ("line", [0, 10], [1, 100], 2)
    assert line["look"] == {"colour": "#ff0000", "marker": "s", "size": 12}
    assert dashed["x"] == [0, 7, 7, 10] and dashed["y"] == [2, None, 3, 4] and dashed["of"] == 3, "a gap has no y"
    look = dashed["look"]
    assert (look["colour"], look["width"], look["opacity"]) == ("#00ff00", 1.5, 0.5) and look["dash"] == pytest.approx(
        [5.55, 2.4]
    )
    assert panel["axes"]["y"]["scale"] == "log" and panel["axes"]["x"]["scale"] == "linear"
    assert panel["axes"]["x"]["ends"] == pytest.approx(axes.get_xlim(), rel=1e-5) and panel["x"] == "step"
    assert panel["axes"]["y"]["ticks"] == [1, 10, 100] and "ticks" not in panel["axes"]["x"]


def test_levels_marks_and_texts_are_described() -> None:
    figure, (axes,) = panels(1)
    axes.plot([0, 10], [1.0, 2.0], label="line", color="#ff0000")
    axes.axhline(1.5, label="theory", color="#555555")
    (mark,) = axes.plot([5], [0.97], "x", color="#ff0000", transform=axes.get_xaxis_transform(), label="gone")
    mark.set_gid(MARK_ID)
    axes.text(5, 1.2, "here")
    figure.canvas.draw()
    (panel,) = describe(figure)["panels"]
    assert [one["label"] for one in panel["series"]] == ["line", "theory"]
    assert panel["series"][1]["y"] == [1.5, 1.5] and panel["series"][1]["x"] == pytest.approx(axes.get_xlim(), rel=1e-4)
    (told,) = panel["marks"]
    assert (told["x"], told["edge"], told["marker"], told["label"]) == ([5], 0.97, "x", "gone")
    (text,) = panel["texts"]
    assert (text["x"], text["y"], text["text"], text["inside"]) == (5, 1.2, "here", True)


def test_what_is_outside_the_panel_is_left_out_and_long_series_are_thinned() -> None:
    figure, (axes,) = panels(1)
    axes.plot(np.arange(10_000), np.arange(10_000.0), label="long")
    axes.set_xlim(0, 4999)
    figure.canvas.draw()
    (panel,) = describe(figure)["panels"]
    (series,) = panel["series"]
    assert series["of"] == 5000 and series["x"] == list(range(5000))
    axes.set_xlim(0, 9999)
    (series,) = describe(figure)["panels"][0]["series"]
    assert len(series["x"]) == MAX_POINTS and (series["x"][0], series["x"][-1], series["of"]) == (0, 9999, 10_000)
    for turn in range(999):
        axes.plot(np.arange(20), np.full(20, float(turn)))
    series = describe(figure)["panels"][0]["series"]
    assert {len(one["x"]) for one in series} == {FEWEST_POINTS}


def test_bars_bear_the_names_of_their_ticks() -> None:
    figure, (axes,) = panels(1)
    for place, height in enumerate([3.0, 4.0]):
        axes.bar(place, height, color="C0", label="error" if place == 0 else None)
    axes.plot([1, 1], [3.5, 4.5], ".", color="black")
    axes.set_xticks([0, 1], ["plain", "deep"])
    figure.canvas.draw()
    (panel,) = describe(figure)["panels"]
    assert panel["axes"]["x"]["names"] == [[0, "plain"], [1, "deep"]] and panel["series"][0]["at"] == [0, 1]
    assert [(s["label"], s["x"], s["y"]) for s in panel["series"]] == [
        ("error", ["plain", "deep"], [3, 4]), ("each replicate", ["deep", "deep"], [3.5, 4.5]),
    ]  # fmt: skip


def test_a_band_goes_with_its_line() -> None:
    figure, (axes,) = panels(1)
    for colour, shift in (("C0", 0.0), ("C1", 10.0)):
        axes.plot([0, 1, 2], np.asarray([1.0, 2.0, 3.0]) + shift, label=f"{shift:g}", color=colour)
        axes.fill_between(
            [0, 1, 2], np.asarray([0.0, 1.5, 3.0]) + shift, np.asarray([2.0, 2.5, 3.5]) + shift, color=colour, alpha=0.2
        )
    axes.plot([0, 2], [5.0, 5.0], label="bare", color="C2")
    figure.canvas.draw()
    (panel,) = describe(figure)["panels"]
    first, second, bare = panel["series"]
    assert (first["low"], first["high"]) == ([0, 1.5, 3], [2, 2.5, 3.5])
    assert (second["low"], second["high"]) == ([10, 11.5, 13], [12, 12.5, 13.5])
    assert "low" not in bare and "high" not in bare


def test_typeset_mathematics_is_told() -> None:
    for title, typeset in (("Error of $x^2$", True), ("5 $ and 6 $", False), ("", False)):
        figure, (axes,) = panels(1)
        axes.plot([0, 1], [1.0, 2.0], label="a")
        axes.set_title(title)
        figure.canvas.draw()
        assert describe(figure)["mathematics"] == typeset


def test_images_have_none() -> None:
    figure, (axes,) = panels(1)
    axes.set_axis_off()
    axes.imshow(np.zeros((2, 2)))
    figure.canvas.draw()
    assert describe(figure)["panels"] == []
