"""Points of single examples: which are shown, where, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.figures.description import describe
from dlspec.interpreter.figures.draw import DRAWERS, draw, drawn

Make = Callable[..., Any]

SCATTER = "{kind: scatter, y: {data: 'x[:2]', samples: '[f, f]'}, steps: [0, 20]}"
VALUES = {(d, number): [1.0, 2.0, 3.0] for d in (1, 2) for number in (0, 1)}
DATA = np.asarray([[0.0, 1.0], [2.0, 3.0], [4.0, -1.0]])


def of(made: Make, figure: str) -> Any:
    """A figure's plan and results: the samples of a replicate are its data times 10^replicate · d, at step 20 less by the data."""
    plan, found = made(figure, VALUES)
    for replicate in found.replicates:
        size = 10.0**replicate.number * replicate.constants["d"]
        replicate.samples = {
            "shown": {step: {"y:data": DATA, "y:samples": size * DATA - DATA * (step > 0)} for step in (0, 20)}
        }
    return plan, found


def shown(axis: Any) -> dict[str, list[tuple[float, float]]]:
    return {line.get_label(): list(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in axis.get_lines()}


def test_points_lie_where_they_are_a_row_a_cell_and_a_column_a_step(made: Make) -> None:
    plan, found = of(made, SCATTER)
    figure = DRAWERS["scatter"](plan, found)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [f"d = {d}\nstep {step}" for d in (1, 2) for step in (0, 20)]
    assert shown(figure.axes[2])["samples"] == [(0, 2), (4, 6), (8, -2)]
    assert shown(figure.axes[3])["samples"] == [(0, 1), (2, 3), (4, -1)] == shown(figure.axes[3])["data"]
    assert figure.axes[2].get_xlim() == figure.axes[3].get_xlim() != figure.axes[0].get_xlim()
    assert {axis.get_aspect() for axis in figure.axes} == {1.0}
    (key,) = drawn(plan, found).legends
    assert [text.get_text() for text in key.get_texts()] == ["data", "samples"]
    figure.canvas.draw()
    series = {one["label"]: one for one in describe(figure)["panels"][2]["series"]}
    assert (series["samples"]["x"], series["samples"]["y"], series["samples"]["of"]) == ([0, 4, 8], [2, 6, -2], 3)


def test_all_replicates_have_a_row_each(made: Make) -> None:
    plan, found = of(made, SCATTER.replace("steps: [0, 20]", "replicates: all"))
    figure = DRAWERS["scatter"](plan, found)
    titles = [axis.get_title() for axis in figure.axes[::2]]
    assert titles == [f"d = {d}, replicate {number}\nstep 0" for d in (1, 2) for number in (0, 1)]
    assert shown(figure.axes[2])["samples"] == [(0, 10), (20, 30), (40, -10)]


def test_what_is_not_there_is_said(made: Make, tmp_path: Path) -> None:
    plan, found = of(made, SCATTER.replace("]}", "], replicates: all}"))
    samples = found.replicates[0].samples["shown"]
    samples[0]["y:samples"] = np.asarray([[np.nan, 0], [1, np.inf], [1, 2]])
    samples[20]["y:data"] = samples[20]["y:samples"] = np.full((3, 2), np.nan)
    found.replicates[1].samples, found.replicates[1].status = {}, "failed"
    told: list[str] = []
    assert len(draw(plan, found, tmp_path, told.append)) == 3
    assert told == ["nothing is shown of a, d = 1, replicate 1 (failed)"]
    figure = DRAWERS["scatter"](plan, found)
    assert shown(figure.axes[0])["samples"] == [(1, 2)] and shown(figure.axes[1])["samples"] == []
    assert figure.notes == ["Points that are not finite, or too far for an axis, are left out."]
    assert len(figure.axes) == 6, "three rows: the replicate without samples has none"


@pytest.mark.parametrize("value", [0.0, 1e199, 1e-300])
def test_axes_have_room_at_every_size(value: float, made: Make, tmp_path: Path) -> None:
    plan, found = of(made, SCATTER)
    for replicate in found.replicates:
        replicate.samples = {"shown": {20: {"y:data": np.full((1, 2), value), "y:samples": np.full((1, 2), value)}}}
    assert len(draw(plan, found, tmp_path, pytest.fail)) >= 2
