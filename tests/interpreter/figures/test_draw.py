"""Figures of results made by hand: what is on the axes is what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.figures.canvas import style
from dlspec.interpreter.figures.draw import DRAWERS, draw, panels, written
from dlspec.interpreter.figures.draw import drawn as whole_figure
from dlspec.interpreter.figures.fitted_size import ROUNDS
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.model.figures import FIGURES
from matplotlib.layout_engine import ConstrainedLayoutEngine

SPEC = Path(__file__).with_name("drawn.yaml").read_text("utf-8")


def results(figure: str) -> tuple[Any, Results]:
    """A study's figure, and replicates whose `error` is d^2 · (1 + replicate) · (variant b: 10) at its last step."""
    text = SPEC.replace("FIGURE", figure)
    (plan,) = spec.resolve(spec.parse(Source("drawn.yaml", text))).experiments
    replicates = []
    for program in plan.programs:
        d = program.point["d"]
        for number in range(2):
            replicate = Replicate("e", program.variant, dict(program.point), number, "")
            for step in (0, 10, 20):
                value = d**2 * (1 + number) * (10 if program.variant == "b" else 1) * (21 - step)
                replicate.record(step, {"error": value, "other": -1.0, "pair": np.asarray([step, 2 * value])})
            x = np.asarray([2.0, 0.0, 1.0])
            replicate.samples["shown"] = {20: {"x": x, "y:target": x**2, "y:learnt": x + d}}
            replicates.append(replicate)
    return plan.figures[0], Results.of_plan(plan, replicates)


def drawn(figure: str) -> Any:
    plan, found = results(figure)
    chosen = [c for c in found.replicates if not plan.where or c.variant == plan.where[0].value]
    return DRAWERS[plan.kind](plan, Results(found.experiment, found.axes, found.replicates, chosen))


def lines(axis: Any) -> dict[str, tuple[list[float], list[float]]]:
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.get_lines()}


def dashes(axis: Any) -> list[str]:
    return [line.get_linestyle() for line in axis.get_lines() if len(line.get_xdata())]


def test_every_kind_is_drawn() -> None:
    assert DRAWERS.keys() == FIGURES.keys()


def test_curves_show_the_mean_over_replicates() -> None:
    figure = drawn("{kind: curves, y: error, panel: d}")
    assert [axis.get_title() for axis in figure.axes] == ["d = 1", "d = 2", "d = 4"]
    assert lines(figure.axes[1])["a"] == ([0, 10, 20], [4 * 1.5 * 21, 4 * 1.5 * 11, 4 * 1.5 * 1])
    plt.close(figure)


def test_scaling_shows_each_replicate_the_mean_and_the_fitted_law() -> None:
    figure = drawn("{kind: scaling, x: d, y: error, panel: variant, scale: {x: log, y: log}, fit: power}")
    shown = lines(figure.axes[0])
    assert shown["error"] == ([1, 2, 4], [1.5, 6, 24])
    assert "1.41 · x^2.00 (no error: 2 replicates)" in shown, "the geometric mean of d² and 2 d²"
    plt.close(figure)


def test_axes_in_step_with_the_swept_one_split_no_series() -> None:
    text = SPEC.replace("constants: {d: 1}", "constants: {d: 1, size: 1}")
    text = text.replace("sweep: {d: [1, 2, 4]}", "sweep: {d: [1, 2, 4], size: [30, 20, 10]}\n    zip: [[d, size]]")
    text = text.replace("FIGURE", "{kind: scaling, x: d, y: error, fit: power, scale: {x: log, y: log}}")
    (plan,) = spec.resolve(spec.parse(Source("drawn.yaml", text))).experiments
    runs = []
    for program in plan.programs:
        run = Replicate("e", program.variant, dict(program.point), 0, "")
        run.record(0, {"error": np.float64(program.point["d"] ** 2 * (3 if program.variant == "b" else 1))})
        runs.append(run)
    figure = DRAWERS["scaling"](plan.figures[0], Results.of_plan(plan, runs))
    shown = lines(figure.axes[0])
    assert shown["a"] == ([1, 2, 4], [1, 4, 16]) and shown["b"] == ([1, 2, 4], [3, 12, 48])
    assert not [name for name in shown if "size" in name or "no fit" in name]
    assert len({line.get_color() for line in figure.axes[0].get_lines()}) == 2
    plt.close(figure)


def test_an_entry_of_an_array_is_a_curve() -> None:
    figure = drawn('{kind: curves, y: ["pair[0]", "pair[1]"], panel: d, where: variant == a}')
    shown = lines(figure.axes[0])
    assert shown["pair[0]"] == ([0, 10, 20], [0, 10, 20])
    assert shown["pair[1]"] == ([0, 10, 20], [2 * 1.5 * 21, 2 * 1.5 * 11, 2 * 1.5 * 1])
    plt.close(figure)


def test_an_entry_of_an_array_has_a_scaling() -> None:
    figure = drawn('{kind: scaling, x: d, y: "pair[1]", panel: variant, fit: power}')
    assert lines(figure.axes[0])["pair[1]"] == ([1, 2, 4], [3, 12, 48])
    plt.close(figure)


def test_what_lies_below_its_sampling_floor_is_drawn_on_it_and_fitted_to_nothing() -> None:
    plan, found = results("{kind: scaling, x: d, y: error, scale: {x: log, y: log}, fit: power, panel: variant}")
    replicates = [replicate for replicate in found.replicates if replicate.variant == "a"]
    for replicate in replicates:
        # Means over the two replicates are 1.5 d²; at d = 4 all lies below the floor.
        floor = 100.0 if replicate.constants["d"] == 4 else 0.1
        replicate.curves["error_floor"] = [np.asarray(floor)] * len(replicate.steps)
    figure = DRAWERS[plan.kind](plan, Results(found.experiment, found.axes, found.replicates, replicates))
    axis = figure.axes[0]
    shown = lines(axis)
    assert shown["error"] == ([1, 2, 4], [1.5, 6, 100])
    assert shown["error: sampling floor"] == ([1, 2, 4], [0.1, 0.1, 100])
    (hollow,) = [line for line in axis.get_lines() if line.get_marker() == "v"]
    assert list(hollow.get_xdata()) == [4, 4] and list(hollow.get_ydata()) == [100, 100]
    refused = "error: no fit: 2 different x, it needs 3; 2 values below the sampling floor left out"
    assert refused in [label.replace("\n", " ") for label in shown] and "--" not in dashes(axis)
    plt.close(figure)


def early(figure: str, status: str) -> Any:
    """A drawn figure of variant a, where at d = 4 the second replicate, and at d = 2 both, end early at step 10."""
    plan, found = results(figure)
    replicates = [replicate for replicate in found.replicates if replicate.variant == "a"]
    for replicate in replicates:
        if replicate.constants["d"] == 2 or (replicate.constants["d"] == 4 and replicate.number == 1):
            replicate.status, replicate.steps = status, replicate.steps[:2]
            replicate.curves = {name: values[:2] for name, values in replicate.curves.items()}
    return DRAWERS[plan.kind](plan, Results(found.experiment, found.axes, found.replicates, replicates))


@pytest.mark.parametrize(("status", "told"), [("diverged", "diverged"), ("interrupted", "not finished")])
def test_what_ended_early_is_a_cross_in_a_scaling_and_in_no_mean_and_no_fit(status: str, told: str) -> None:
    figure = early("{kind: scaling, x: d, y: error, scale: {x: log, y: log}, fit: power, panel: variant}", status)
    shown = lines(figure.axes[0])
    assert shown["error"] == ([1, 4], [1.5, 16])
    places, values = shown[f"error: {told}"]
    assert sorted(zip(places, values, strict=True)) == [(2, 4 * 11), (2, 8 * 11), (4, 32 * 11)]
    refused = f"error: no fit: 2 different x, it needs 3; 3 values {told} left out"
    assert refused in [label.replace("\n", " ") for label in shown] and "--" not in dashes(figure.axes[0])
    plt.close(figure)


@pytest.mark.parametrize(("status", "told"), [("diverged", "diverged"), ("failed", "not finished")])
def test_what_ended_early_is_a_cross_among_bars_and_in_no_mean(status: str, told: str) -> None:
    figure = early("{kind: bars, y: error, panel: variant}", status)
    (axis,) = figure.axes
    assert [round(patch.get_height(), 6) for patch in axis.patches] == [1.5, 16]
    crosses = [list(line.get_ydata()) for line in axis.get_lines() if line.get_marker() == "x"]
    assert crosses == [[44, 88], [352]]
    assert axis.get_legend_handles_labels()[1].count(told) == 1
    plt.close(figure)


def shown_of(figure: str, values: dict[int, dict[str, Any]]) -> Any:
    plan, found = results(figure)
    replicate = found.replicates[0]
    replicate.samples["shown"] = values
    return DRAWERS[plan.kind](plan, Results(found.experiment, found.axes, 1, [replicate]))


def test_examples_have_a_row_each_and_a_column_a_step() -> None:
    target, learnt = np.asarray([[1.0, 2, 3], [4, 5, 6]]), np.zeros((2, 3))
    values = {step: {"y:target": target, "y:learnt": learnt + step} for step in (5, 20)}
    figure = shown_of("{kind: examples, y: {target: x, learnt: x - f}, count: 2, steps: [5, 20]}", values)
    assert len(figure.axes) == 4
    assert lines(figure.axes[3]) == {"target": ([0, 1, 2], [4, 5, 6]), "learnt": ([0, 1, 2], [20, 20, 20])}
    assert [axis.get_title() for axis in figure.axes[:2]] == ["step 5", "step 20"]
    plt.close(figure)


def test_images_of_one_value_share_a_row() -> None:
    images = np.arange(32)[:, None, None] * np.ones((32, 2, 2)) / 32
    rows = np.where(np.arange(32) % 3 == 0, 1.0, -1.0)
    text = '{kind: images, image: "outer(x, x)", rows: "x[0]", count: 2}'
    figure = shown_of(text, {0: {"image": images, "rows": rows}})
    pictures = [[axis.images[0].get_array()[0, 0] * 32 for axis in figure.axes[at : at + 2]] for at in (0, 2)]
    assert pictures == [[1, 2], [0, 3]]
    assert [axis.get_title(loc="left") for axis in figure.axes[::2]] == ["x[0] = -1", "x[0] = 1"]
    plt.close(figure)


def test_rows_of_images_may_be_an_axis() -> None:
    """Each row is a cell, in the order of the axis, of the same examples; nothing is looked for to sort them by."""
    plan, found = results('{kind: images, image: "outer(x, x)", rows: variant, count: 2}')
    firsts = list({(one.variant, *one.constants.items()): one for one in found.replicates[::-1]}.values())[::-1]
    for place, replicate in enumerate(firsts):
        replicate.samples["shown"] = {0: {"image": np.full((2, 2, 2), place / 10)}}
    figure = DRAWERS[plan.kind](plan, found)
    headed = [axis.get_title(loc="left") for axis in figure.axes[::2]]
    assert len(headed) == len(firsts) and len(set(headed)) == len(headed)
    assert all(replicate.variant in title for replicate, title in zip(firsts, headed, strict=True))
    shades = [axis.images[0].get_array()[0, 0] for axis in figure.axes]
    assert shades == [place / 10 for place in range(len(firsts)) for _ in range(2)]
    plt.close(figure)


def test_a_value_has_one_colour_in_every_panel() -> None:
    plan, found = results("{kind: curves, y: [error, other], panel: d}")
    replicates = sorted(found.replicates, key=lambda replicate: replicate.variant, reverse=True)
    figure = DRAWERS[plan.kind](plan, Results(found.experiment, found.axes, found.replicates, replicates))
    for axis in figure.axes:
        looks = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in axis.get_lines()}
        assert looks["error, a"][0] == looks["other, a"][0] == "C0" and looks["error, b"][0] == "C1"
        assert looks["error, a"][1] != looks["other, a"][1] and looks["error, a"][1] == looks["error, b"][1]
    plt.close(figure)
    figure = drawn("{kind: curves, y: error, colour: d, where: variant == a}")
    assert len({line.get_color() for line in figure.axes[0].get_lines()}) == 3
    plt.close(figure)


def test_bars_stand_as_high_as_the_mean() -> None:
    figure = drawn("{kind: bars, y: error, panel: variant}")
    heights = [[round(patch.get_height(), 6) for patch in axis.patches] for axis in figure.axes]
    assert heights == [[1.5, 6, 24], [15, 60, 240]]
    plt.close(figure)


def test_a_function_is_drawn_in_the_order_of_x() -> None:
    figure = drawn(
        '{kind: function, x: "x[0]", y: {target: y, learnt: f}}'.replace("y}", "y}").replace("target: y", "target: f^2")
    )
    shown = lines(figure.axes[0])
    assert shown["target"] == ([0, 1, 2], [0, 1, 4]) and shown["learnt"][1] == [1, 2, 3]
    plt.close(figure)


def test_where_chooses_the_cells(tmp_path: Path) -> None:
    plan, found = results("{kind: bars, y: error, where: variant == b}")
    paths = draw(plan, found, tmp_path)
    assert [path.name for path in paths] == ["e.shown.png", "e.shown.svg", "e.shown.json"]
    (panel,) = json.loads(paths[2].read_text("utf-8"))["panels"]
    assert sorted(y for one in panel["series"] if one["label"] == "error" for y in one["y"]) == [15, 60, 240]


def test_a_figure_of_nothing_is_left_out(tmp_path: Path) -> None:
    plan, found = results("{kind: bars, y: error}")
    assert draw(plan, Results(found.experiment, found.axes, 0, []), tmp_path) == []


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (5, (1, 5)), (6, (2, 3)), (11, (3, 4))])
def test_panels_fill_their_rows(count: int, shape: tuple[int, int]) -> None:
    figure, axes = panels(count)
    grid = axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == shape and len(axes) == count
    plt.close(figure)


def test_a_figure_is_laid_out_to_fit_its_size_and_not_again_for_its_files(tmp_path: Path) -> None:
    """The files show what the layout of the size gave; the figure itself can be laid out again."""
    execute, told = ConstrainedLayoutEngine.execute, []

    def counted(engine: Any, figure: Any) -> None:
        told.append(figure.get_size_inches().tolist())
        execute(engine, figure)

    def boxes(figure: Any) -> list[Any]:
        return [axis.get_position().bounds for axis in figure.axes]

    plan, found = results("{kind: curves, y: error, panel: d}")
    with mock.patch.object(ConstrainedLayoutEngine, "execute", counted), style():
        figure = whole_figure(plan, found)
        assert figure is not None
        fitted, places = len(told), boxes(figure)
        assert written(figure, tmp_path / "f", pytest.fail)
        assert len(told) == fitted <= ROUNDS and boxes(figure) == places
        figure.measure()
    assert len(told) == fitted + 1
    np.testing.assert_allclose(boxes(figure), places, atol=0.01)
