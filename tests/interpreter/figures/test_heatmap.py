"""Heatmaps: what is measured lies where its cell is, and what is not there is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.figures.axis_scales import MARK_ID
from dlspec.interpreter.figures.draw import DRAWERS, draw
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.spec import parse, resolve
from dlspec.spec.diagnostics.problems import Source
from matplotlib.colors import LogNorm

Make = Callable[..., Any]

STUDY = """dlspec: 1
study: s
experiments:
  e:
    constants: {rate: 1.0, d: 1}
    sweep: {rate: [0.1, 1.0, 10.0], d: [1, 2]}
    task: {example: {x: "normal([3])"}}
    measures: {error: "E(x[0]) * rate * d", table: "E(outer(x, x))"}
    replicates: 2
    figures: {shown: FIGURE}
"""


def of(figure: str) -> Any:
    """`error` is rate · d in the first replicate, and three times that in the second; `table` [[0, 1, 2], …] by d."""
    (plan,) = resolve(parse(Source("s.yaml", STUDY.replace("FIGURE", figure)))).experiments
    replicates = []
    for program in plan.programs:
        for number in range(2):
            replicate = Replicate("e", "", dict(program.point), number, "")
            level = program.point["rate"] * program.point["d"]
            replicate.record(
                0, {"error": np.asarray(level * (1 + 2 * number)), "table": np.arange(9.0).reshape(3, 3) * level}
            )
            replicates.append(replicate)
    return plan.figures[0], Results.of_plan(plan, replicates)


def marks(axis: Any, shape: str) -> list[tuple[float, float]]:
    points = [
        tuple(map(float, point))
        for line in axis.get_lines()
        if line.get_marker() == shape
        for point in line.get_xydata()
    ]
    return sorted(set(points))


def table(axis: Any) -> list[list[float]]:
    (mesh,) = axis.collections
    return [[round(float(value), 6) for value in row] for row in np.ma.filled(mesh.get_array(), -1)]


def test_a_field_is_the_mean_of_its_cell(tmp_path: Path) -> None:
    plan, found = of("{kind: heatmap, z: error, x: rate, y: d}")
    figure = DRAWERS["heatmap"](plan, found)
    axis, bar = figure.axes
    assert table(axis) == [[0.2, 2, 20], [0.4, 4, 40]]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.1", "1.0", "10.0"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["1", "2"]
    assert (axis.get_xlabel(), axis.get_ylabel(), bar.get_ylabel()) == ("rate", "d", "error")
    assert sorted(text.get_text() for text in axis.texts) == ["0.2", "0.4", "2", "20", "4", "40"]
    low, high = figure.axes[0].get_ylim()
    assert low < high, "an axis goes up"
    (panel,) = json.loads(draw(plan, found, tmp_path, pytest.fail)[2].read_text("utf-8"))["panels"]
    assert [(one["label"], one["x"], one["y"]) for one in panel["series"]] == [
        ("1", ["0.1", "1.0", "10.0"], [0.2, 2, 20]), ("2", ["0.1", "1.0", "10.0"], [0.4, 4, 40]),
    ]  # fmt: skip


def test_what_diverged_is_marked_and_in_no_mean() -> None:
    plan, found = of("{kind: heatmap, z: error, x: rate, y: d}")
    for replicate in found.replicates:
        if replicate.constants == {"rate": 10.0, "d": 2} or (
            replicate.constants == {"rate": 0.1, "d": 1} and replicate.number
        ):
            replicate.status = "diverged"
    figure = DRAWERS["heatmap"](plan, found)
    assert table(figure.axes[0]) == [[0.1, 2, 20], [0.4, 4, -1]], "one that is left is the mean; none is a gap"
    assert {(x, round(y)) for x, y in marks(figure.axes[0], "x")} == {(0, 0), (2, 1)}
    assert figure.notes == [
        "A cross: a replicate that diverged or was not finished, and is in no mean.",
        "Grey: no value.",
    ]
    assert all(line.get_gid() == MARK_ID for line in figure.axes[0].get_lines())


def test_logarithmic_colours_mark_what_is_not_positive() -> None:
    plan, found = of("{kind: heatmap, z: error, x: rate, y: d, scale: {z: log}}")
    for replicate in found.replicates:
        if replicate.constants == {"rate": 1.0, "d": 1}:
            replicate.curves = {"error": [np.asarray(-1.0)]}
    figure = DRAWERS["heatmap"](plan, found)
    (mesh,) = figure.axes[0].collections
    assert isinstance(mesh.norm, LogNorm) and (mesh.norm.vmin, mesh.norm.vmax) == (0.2, 40)
    assert table(figure.axes[0])[0] == [0.2, -1, 20] and marks(figure.axes[0], "v") == [(1, 0)]
    for replicate in found.replicates:
        replicate.curves = {"error": [np.asarray(-1.0)]}
    assert "The colours are linear: no value is positive." in DRAWERS["heatmap"](plan, found).notes


def test_a_matrix_has_a_panel_a_cell_and_its_first_row_on_top(tmp_path: Path) -> None:
    plan, found = of("{kind: heatmap, z: table, where: d == 2}")
    found = Results(found.experiment, found.axes, 2, [one for one in found.replicates if one.constants["d"] == 2])
    found.replicates[0].curves["table"] = [np.full((3, 3), np.nan)]
    figure = DRAWERS["heatmap"](plan, found)
    assert [axis.get_title() for axis in figure.panels] == ["rate = 0.1", "rate = 1.0", "rate = 10.0"]
    assert table(figure.panels[0]) == [[-1, -1, -1]] * 3, "where a replicate has no value there is no mean"
    assert table(figure.panels[1]) == [[0, 2, 4], [6, 8, 10], [12, 14, 16]]
    assert figure.panels[1].get_ylim()[0] > figure.panels[1].get_ylim()[1]
    assert len(draw(plan, found, tmp_path, pytest.fail)) == 3
