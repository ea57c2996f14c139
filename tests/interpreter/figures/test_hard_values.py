"""Figures of values that are hard to draw: none is left out in silence, and none ends the figure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.figures.axis_scales import MARK_ID
from dlspec.interpreter.figures.description import describe
from dlspec.interpreter.figures.draw import DRAWERS, draw

Make = Callable[..., Any]
LOG = "scale: {y: log}"


def lines(axis: Any) -> dict[str, tuple[list[float], list[float]]]:
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.get_lines()}


def marked(axis: Any) -> list[float]:
    """Where a logarithmic axis says that a value lies below it."""
    return [x for line in axis.get_lines() if line.get_marker() == "v" for x in line.get_xdata()]


def test_a_mean_on_a_logarithmic_axis_is_that_of_all_replicates(made: Make) -> None:
    plan, found = made(f"{{kind: curves, y: error, {LOG}}}", {(1, 0): [8, 2, 6], (1, 1): [4, 0, -8]})
    figure = DRAWERS["curves"](plan, found)
    (axis,) = figure.axes
    steps, mean = lines(axis)["error"]
    assert steps == [0, 10, 20] and mean[:2] == [6, 1], "the mean of 2 and 0 is 1, not 2"
    assert np.isnan(mean[2]), "the mean of 6 and -8 is -1: a gap"
    assert marked(axis) == [10, 20] and axis.get_yscale() == "log"
    assert "≤ 0 in a replicate" in axis.get_legend_handles_labels()[1]
    figure.canvas.draw()
    (series,) = describe(figure)["panels"][0]["series"]
    assert series["y"] == [6, 1] and series["low"] == [4, 0], "its numbers are what was measured"


def test_a_logarithmic_axis_without_a_positive_value_is_linear_and_says_so(made: Make) -> None:
    for kind in ("curves, y: error", "bars, y: error", "scaling, x: d, y: error, fit: power"):
        plan, found = made(f"{{kind: {kind}, {LOG}}}", {(1, 0): [0, 0, 0], (1, 1): [-1, 0, -2], (2, 0): [0, 0, 0]})
        figure = DRAWERS[plan.kind](plan, found)
        assert figure.axes[0].get_yscale() == "linear"
        assert any("linear where no value is positive" in note for note in figure.notes)


def test_bars_and_scalings_mark_what_lies_below_a_logarithmic_axis(made: Make) -> None:
    values = {(1, 0): [1, 1, 8], (1, 1): [1, 1, -4], (2, 0): [1, 1, -1], (2, 1): [1, 1, 0], (4, 0): [1, 1, 5]}
    plan, found = made(f"{{kind: bars, y: error, {LOG}}}", values)
    (axis,) = DRAWERS["bars"](plan, found).axes
    assert [patch.get_height() for patch in axis.patches] == [2, 5] and marked(axis) == [0, 1]
    plan, found = made(f"{{kind: scaling, x: d, y: error, {LOG}, fit: power}}", values)
    (axis,) = DRAWERS["scaling"](plan, found).axes
    shown = lines(axis)
    places, means = next(value for label, value in shown.items() if label == "error")
    assert places == [1, 2, 4] and means[0] == 2 and np.isnan(means[1]) and means[2] == 5
    assert marked(axis) == [1, 2]
    assert any("no fit: 2 different x, it needs 3; 3 values ≤ 0 left" in label.replace("\n", " ") for label in shown)


def test_a_replicate_that_diverged_is_in_no_mean_and_ends_in_a_cross(made: Make) -> None:
    plan, found = made("{kind: curves, y: error}", {(1, 0): [4, 3, 2], (1, 1): [6, 5, 4], (1, 2): [9, 90]})
    found.replicates[2].status = "diverged"
    (axis,) = DRAWERS["curves"](plan, found).axes
    shown = lines(axis)
    assert shown["error (1 of 3 diverged)"] == ([0, 10, 20], [5, 4, 3])
    assert [list(line.get_xydata()[0]) for line in axis.get_lines() if line.get_marker() == "x"] == [[10, 90]]


def test_what_only_some_replicates_have_is_no_mean(made: Make) -> None:
    """`until` ends a replicate early: the rest are told apart from the mean of all."""
    plan, found = made("{kind: curves, y: error}", {(1, 0): [4, 3, 2], (1, 1): [6, 5]})
    (axis,) = DRAWERS["curves"](plan, found).axes
    mean, alone = [list(line.get_ydata()) for line in axis.get_lines() if line.get_gid() != MARK_ID]
    assert mean[:2] == [5, 4] and np.isnan(mean[2])
    assert np.isnan(alone[0]) and alone[1:] == [3, 2]


NAN, INF = float("nan"), float("inf")
HARD = {
    "undefined": [NAN, NAN, NAN], "some undefined": [1, NAN, 2], "infinite": [1, INF, -INF], "huge": [1e308, -1e308, 1e308],
    "tiny": [1e-320, 0, 1e-320], "constant": [3, 3, 3], "a single one": [5], "zero": [0, 0, 0], "negative": [-1, -2, -3],
}  # fmt: skip
KINDS = ("curves, y: [error, other]", "bars, y: [error, other]", "scaling, x: d, y: [error, other], fit: FIT")


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("name", HARD)
def test_every_kind_is_drawn_of_hard_values(name: str, scale: str, made: Make, tmp_path: Path) -> None:
    law = {"linear": "linear", "log": "power"}[scale]
    values = {(d, replicate): HARD[name] for d in (1, 2) for replicate in (0, 1)}
    for kind in KINDS:
        kind = kind.replace("FIT", law)
        plan, found = made(f"{{kind: {kind}, scale: {{x: {scale}, y: {scale}}}}}", values)
        paths = draw(plan, found, tmp_path, pytest.fail)
        assert [path.suffix for path in paths[:2]] == [".png", ".svg"]
        for path in paths[2:]:
            json.loads(path.read_text("utf-8"))
        if name in ("undefined", "huge"):
            figure = DRAWERS[plan.kind](plan, found)
            assert figure.notes or figure.axes[0].texts, "the figure says why there is nothing"


SHOWN = np.asarray([[0.0, 1.0, NAN], [2.0, INF, 0.5]])
OF_EXAMPLES = {
    "{kind: function, x: 'x[0]', y: {_t: f, l: f}}": {"x": SHOWN[0], "y:_t": SHOWN[1], "y:l": SHOWN[0] * NAN},
    "{kind: function, x: 'x[0]', y: {t: f}, zoom: [0, 1]}": {"x": SHOWN[0, :1], "y:t": SHOWN[1, :1]},
    "{kind: examples, y: {_t: x, l: x}}": {"y:_t": SHOWN, "y:l": SHOWN * 1e307},
    "{kind: images, image: 'outer(x, x)', rows: 'x[0]'}": {"image": np.stack([SHOWN, SHOWN]), "rows": SHOWN[0, 1:]},
    "{kind: images, image: 'outer(x, x)'}": {"image": SHOWN[None, :, :, None]},
    "{kind: images, image: 'outer(x, x[:1])'}": {"image": SHOWN[:, :, None]},
    "{kind: images, image: 'reshape(x, [1, 3])'}": {"image": SHOWN[:, None, :]},
}


@pytest.mark.parametrize("figure", OF_EXAMPLES)
def test_every_kind_of_examples_is_drawn_of_hard_values(figure: str, made: Make, tmp_path: Path) -> None:
    plan, found = made(figure, {(1, 0): [1, 2, 3]}, {20: OF_EXAMPLES[figure]})
    assert len(draw(plan, found, tmp_path, pytest.fail)) >= 2
    assert DRAWERS[plan.kind](plan, found).notes or "zoom" in figure, "what is not finite is said"


def test_images_of_what_is_trained_say_their_step_and_have_rows_for_each(made: Make) -> None:
    text = "{kind: images, image: 'outer(x, x) * f', count: 2, steps: [0, 20]}"
    pictures = {step: {"image": np.full((2, 2, 2), step / 40)} for step in (0, 20)}
    plan, found = made(text, {(1, 0): [1, 2, 3]}, pictures)
    figure = DRAWERS["images"](plan, found)
    headings = [axis.get_title(loc="left") for axis in figure.axes[::2]]
    assert headings == ["step 0", "step 20"]
    assert [float(axis.images[0].get_array()[0, 0]) for axis in figure.axes] == [0, 0, 0.5, 0.5]


def test_the_first_of_many_say_that_there_are_more(made: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in ("curves", "bars", "scaling"):
        monkeypatch.setattr(f"dlspec.interpreter.figures.{module}.MOST_PANELS", 2)
    values = {(d, replicate): [1.0, 2.0, 3.0] for d in (1, 2, 4) for replicate in (0, 1)}
    for kind in ("curves, y: error", "bars, y: error"):
        plan, found = made(f"{{kind: {kind}, panel: d}}", values)
        figure = DRAWERS[plan.kind](plan, found)
        assert figure.notes == ["The first 2 of 3 panels: `where` chooses others."] and len(figure.axes) == 2


def test_nothing_to_show_is_said(made: Make, tmp_path: Path) -> None:
    plan, found = made("{kind: curves, y: error}", {})
    told: list[str] = []
    assert draw(plan, found, tmp_path, told.append) == [] and not list(tmp_path.iterdir())
    assert told == ["no cell has what it shows, so it is not drawn"]
