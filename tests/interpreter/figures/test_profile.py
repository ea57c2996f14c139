"""Profiles: arrays over their entries, of the steps, cells and replicates that are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.figures.draw import DRAWERS, draw
from dlspec.interpreter.results.replicates import Results
from dlspec.spec import parse, resolve
from dlspec.spec.diagnostics.problems import Source, StudyError

Make = Callable[..., Any]

VALUES = {(d, number): [1.0, 2.0, 3.0] for d in (1, 4) for number in (0, 1)}


def of(made: Make, figure: str) -> Any:
    """A figure's plan and results: `pair` is [step + d, -(step + d) · (1 + replicate)], and `rows` [pair, 2 · pair]."""
    plan, found = made(figure, VALUES)
    for replicate in found.replicates:
        pairs = [
            np.asarray([1.0, -1.0 - replicate.number]) * (step + replicate.constants["d"]) for step in replicate.steps
        ]
        replicate.curves = {**replicate.curves, "pair": pairs, "rows": [np.stack([pair, 2 * pair]) for pair in pairs]}
    return plan, found


def lines(axis: Any) -> dict[str, tuple[list[float], list[float]]]:
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.get_lines()}


def test_the_mean_lies_over_the_entries_with_the_range_of_the_replicates(made: Make, tmp_path: Path) -> None:
    plan, found = of(made, "{kind: profile, y: pair}")
    (axis,) = DRAWERS["profile"](plan, found).axes
    assert lines(axis) == {"d = 1": ([0, 1], [21, -31.5]), "d = 4": ([0, 1], [24, -36])}
    paths = draw(plan, found, tmp_path, pytest.fail)
    (panel,) = json.loads(paths[2].read_text("utf-8"))["panels"]
    assert [(one["low"], one["high"]) for one in panel["series"]] == [([21, -42], [21, -21]), ([24, -48], [24, -24])]


def test_lines_of_several_steps_and_measures_say_which(made: Make) -> None:
    plan, found = of(made, '{kind: profile, y: [pair, "rows[1]"], panel: d, steps: [0, 10 * d], where: d == 1}')
    (axis,) = DRAWERS["profile"](plan, Results(found.experiment, found.axes, 2, found.replicates[:2])).axes
    assert lines(axis) == {
        "pair, step 0": ([0, 1], [1, -1.5]), "pair, step 10": ([0, 1], [11, -16.5]),
        "rows[1], step 0": ([0, 1], [2, -3]), "rows[1], step 10": ([0, 1], [22, -33]),
    }  # fmt: skip
    assert axis.get_title() == "d = 1"


def test_against_another_array_it_goes_from_left_to_right_each_replicate_thin(made: Make) -> None:
    plan, found = of(
        made, '{kind: profile, y: "rows[1]", x: pair, replicates: all, where: d == 1, reference: {zero: 0}}'
    )
    (axis,) = DRAWERS["profile"](plan, Results(found.experiment, found.axes, 2, found.replicates[:2])).axes
    shown = [(list(line.get_xdata()), list(line.get_ydata())) for line in axis.get_lines()]
    assert shown == [([-21, 21], [-42, 42]), ([-42, 21], [-84, 42]), ([0, 1], [0, 0])]
    assert axis.get_legend_handles_labels()[1] == ["rows[1]", "zero"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("pair", "rows[1]")


def test_what_is_not_there_is_said(made: Make, tmp_path: Path) -> None:
    """A replicate that `until` stopped is shown where it stopped; one that diverged is not, and is counted."""
    plan, found = of(made, "{kind: profile, y: pair, scale: {y: log}}")
    stopped, diverged, undefined, _ = found.replicates
    for replicate, status in ((stopped, "done"), (diverged, "diverged")):
        replicate.status, replicate.steps = status, [0, 10]
    undefined.curves["pair"][2] = np.asarray([np.nan, np.inf])
    figure = DRAWERS["profile"](plan, found)
    assert lines(figure.axes[0])["d = 1 (1 of 2 not there)"][1][0] == 11
    assert "Infinite values, and those that are too large for an axis, are left out." in figure.notes
    assert any(note.startswith("Where a replicate has no finite value") for note in figure.notes)
    assert len(draw(plan, found, tmp_path, pytest.fail)) >= 2


STUDY = """dlspec: 1
study: s
experiments:
  e:
    constants: {n: 2, late: 10, places: "[10.0 * (n - k) for k < n]", square: "ones([n, 2])"}
    sweep: {n: [2, 3]}
    task: {example: {x: "normal([n])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {one: E(f), own: E(x), two: "E([f, f^2])", table: "E(outer(x, x))"}
    figures: {p: FIGURE}
"""


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        ("{kind: profile, y: one}", "the measure 'one' is one number; a figure of kind `profile` shows arrays [n]"),
        ("{kind: profile, y: table}", "the measure 'table' is an array [2, 2]; a figure of kind `profile` shows arrays [n]"),
        ('{kind: profile, y: "own[0]"}', "the measure 'own' is an array [2], and `own[0]` an entry of it; a figure of kind `profile` shows arrays [n]"),
        ('{kind: profile, y: "table[2]"}', "the measure 'table' is an array [2, 2], and has no entry [2], in e n=2"),
        ("{kind: profile, y: own, x: two}", "'own' has 3 entries, and x, 'two', has 2, in e n=3"),
        ("{kind: profile, y: awn}", "there is no measure 'awn'"),
        ("{kind: profile, y: own, x: awn}", "there is no measure 'awn'"),
        ("{kind: profile, y: two, x: places}", "'two' has 2 entries, and x, 'places', has 3, in e n=3"),
        ("{kind: profile, y: two, x: late}", "the constant 'late' is one number; an x of a `profile` is an array [n]"),
        ("{kind: profile, y: two, x: square}", "the constant 'square' is an array [2, 2]; an x of a `profile` is an array [n]"),
        ("{kind: profile, y: own, steps: [late, late + 1]}", "at step 11 of e n=2 nothing is measured"),
        ("{kind: profile, y: own, steps: [late / 4]}", "a step is a whole number from 0 on, and this is 2.5"),
        ("{kind: profile, y: own, steps: [-1]}", "a step is a whole number from 0 on, and this is -1"),
        ("{kind: profile, y: own, steps: []}", "`steps` names no step"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_an_error_with_a_remedy(figure: str, told: str) -> None:
    with pytest.raises(StudyError) as error:
        resolve(parse(Source("s.yaml", STUDY.replace("FIGURE", figure))))
    (problem,) = error.value.problems
    assert problem.message == told and problem.hint and problem.span.line == 12


def test_x_may_be_a_constant(made: Make) -> None:
    text = STUDY.replace("FIGURE", "{kind: profile, y: own, x: places}")
    (plan,) = resolve(parse(Source("s.yaml", text))).experiments
    assert plan.figures[0].places == {"e n=2": (20.0, 10.0), "e n=3": (30.0, 20.0, 10.0)}
    row = STUDY.replace("FIGURE", '{kind: profile, y: two, x: "square[1]"}')
    assert resolve(parse(Source("s.yaml", row))).experiments[0].figures[0].places["e n=3"] == (1.0, 1.0)
    drawn, found = of(made, "{kind: profile, y: pair, x: pair}")
    (axis,) = DRAWERS["profile"](replace(drawn, places=dict.fromkeys(drawn.steps, (5.0, 3.0))), found).axes
    assert lines(axis) == {"d = 1": ([3, 5], [-31.5, 21]), "d = 4": ([3, 5], [-36, 24])}


def test_cells_that_are_not_shown_may_have_other_sizes() -> None:
    text = STUDY.replace("FIGURE", "{kind: profile, y: own, x: two, where: n == 2, steps: [late, 20]}")
    (plan,) = resolve(parse(Source("s.yaml", text))).experiments
    assert plan.figures[0].steps == {"e n=2": (10, 20)}
