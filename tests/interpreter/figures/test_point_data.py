"""The numbers of a figure lie where they are drawn."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from dlspec.interpreter.figures.draw import panels
from dlspec.interpreter.figures.point_data import SERIES_POINTS_RANGE, points


@pytest.fixture(autouse=True)
def closed() -> object:
    yield
    plt.close("all")


def test_a_point_lies_where_it_is_drawn() -> None:
    figure, (axes,) = panels(1)
    axes.plot([0, 5, 10], [1.0, np.nan, 100.0], label="line", color="#ff0000", marker="s", markersize=12, linewidth=0)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    figure.canvas.draw()
    ((series,),) = [panel["series"] for panel in points(figure)["panels"]]
    assert (series["label"], series["x"], series["y"], series["of"]) == ("line", [0, 10], [1, 100], 2)
    image = np.asarray(figure.canvas.buffer_rgba())
    for left, top in zip(series["left"], series["top"], strict=True):
        pixel = image[int(top * image.shape[0]), int(left * image.shape[1])]
        assert tuple(pixel[:3]) == (255, 0, 0)
    assert tuple(image[image.shape[0] // 2, image.shape[1] // 2][:3]) != (255, 0, 0), "the twin: elsewhere is no point"


def test_what_is_outside_the_panel_is_left_out_and_long_series_are_thinned() -> None:
    figure, (axes,) = panels(1)
    axes.plot(np.arange(10_000), np.arange(10_000.0), label="long")
    axes.set_xlim(0, 4999)
    figure.canvas.draw()
    (panel,) = points(figure)["panels"]
    (series,) = panel["series"]
    assert len(series["x"]) == SERIES_POINTS_RANGE[1] and series["x"][0] == 0
    assert 4980 <= series["x"][-1] <= 5020 and series["of"] < 5040


def test_bars_bear_the_names_of_their_ticks() -> None:
    figure, (axes,) = panels(1)
    for place, height in enumerate([3.0, 4.0]):
        axes.bar(place, height, color="C0", label="error" if place == 0 else None)
    axes.plot([1, 1], [3.5, 4.5], ".", color="black")
    axes.set_xticks([0, 1], ["plain", "deep"])
    figure.canvas.draw()
    (panel,) = points(figure)["panels"]
    assert [(s["label"], s["x"], s["y"]) for s in panel["series"]] == [
        ("error", ["plain"], [3]), ("error", ["deep"], [4]), ("each replicate", ["deep", "deep"], [3.5, 4.5]),
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
    (panel,) = points(figure)["panels"]
    first, second, bare = panel["series"]
    assert (first["low"], first["high"]) == ([0, 1.5, 3], [2, 2.5, 3.5])
    assert (second["low"], second["high"]) == ([10, 11.5, 13], [12, 12.5, 13.5])
    assert "low" not in bare and "high" not in bare


def test_images_have_none() -> None:
    figure, (axes,) = panels(1)
    axes.set_axis_off()
    axes.imshow(np.zeros((2, 2)))
    figure.canvas.draw()
    assert points(figure)["panels"] == []
