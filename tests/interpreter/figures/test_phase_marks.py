"""Where phases begin is marked in curves, in the image as in the description that the page draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.figures.axis_scales import MARK_ID
from dlspec.interpreter.figures.description import describe
from dlspec.interpreter.figures.draw import DRAWERS
from dlspec.interpreter.report.vega_lite import vega_lite
from dlspec.spec.diagnostics.problems import Source

VALUES = {(1, 0): [1, 2, 3], (2, 0): [2, 3, 4]}
PHASES = (("one", 0), ("two", 10), ("two 2", 15))

STUDY = """
dlspec: 1
study: phased
experiments:
  e:
    constants: {n: 4}
    sweep: {n: [4, 6]}
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: TRAINING
    measures: {m: E(f^2)}
    figures: {m: {kind: curves, y: m}, n: {kind: scaling, x: n, y: m}}
"""


def figures(training: str) -> dict[str, Mapping[str, Any]]:
    """What the figures of a study know of phases, by their names."""
    plan = spec.resolve(spec.parse(Source("phased.yaml", STUDY.replace("TRAINING", training))))
    return {figure.name: figure.phases for figure in plan.experiments[0].figures}


def test_curves_know_where_each_pass_of_a_phase_begins_in_each_cell() -> None:
    found = figures("{optimizer: sgd, batch: 4, phases: {a: {steps: n, times: 2}, b: {steps: 3}}}")
    assert found["m"] == {
        "e n=4": (("a", 0), ("a 2", 4), ("b", 8)),
        "e n=6": (("a", 0), ("a 2", 6), ("b", 12)),
    }
    assert found["n"] == {}, "no steps lie along it"


@pytest.mark.parametrize(
    "training",
    [
        "{optimizer: sgd, batch: 4, steps: 8}",
        "{optimizer: sgd, batch: 4, phases: {a: {steps: 8}}}",
        "{optimizer: sgd, batch: 4, phases: {a: {steps: 1, times: 99}}}",
    ],
)
def test_one_stretch_has_no_marks_and_neither_have_very_many(training: str) -> None:
    assert figures(training)["m"] == {}


def drawn(made: Callable[..., Any], phases: Mapping[str, Any], figure: str = "{kind: curves, y: error}") -> Any:
    """The figure of the two cells d = 1 and d = 2, whose phases are given."""
    plan, found = made(figure, VALUES)
    return DRAWERS["curves"](replace(plan, phases=phases), found)


def marks(axis: Any) -> tuple[list[float], list[str]]:
    """Where the lines of a panel are, and the names at them."""
    lines = [line for line in axis.get_lines() if line.get_gid() == MARK_ID and line.get_linestyle() != "None"]
    return [float(line.get_xdata()[0]) for line in lines], [text.get_text() for text in axis.texts]


def test_a_panel_has_a_line_where_a_phase_begins_and_a_name_where_there_is_room(made: Callable[..., Any]) -> None:
    named = {"e/a d=1": PHASES, "e/a d=2": PHASES}
    (axis,) = drawn(made, named).axes
    assert marks(axis) == ([0, 10, 15], ["one", "two", "two 2"])
    long = {cell: (("one", 0), ("a name of a phase that is too long", 10), ("three", 15)) for cell in named}
    (axis,) = drawn(made, long).axes
    assert marks(axis) == ([0, 10, 15], ["one", "three"])


def test_cells_of_unlike_phases_are_marked_in_panels_of_their_own_alone(made: Callable[..., Any]) -> None:
    unlike = {"e/a d=1": PHASES, "e/a d=2": PHASES[:2]}
    (axis,) = drawn(made, unlike).axes
    assert marks(axis) == ([], [])
    one, two = drawn(made, unlike, "{kind: curves, y: error, panel: d}").axes
    assert marks(one)[0] == [0, 10, 15] and marks(two)[0] == [0, 10]


def test_the_page_draws_the_same_lines_and_names(made: Callable[..., Any]) -> None:
    named = {"e/a d=1": PHASES[:2], "e/a d=2": PHASES[:2]}
    found = describe(drawn(made, named))
    (panel,) = found["panels"]
    assert [(mark["rule"], mark["text"]) for mark in panel["marks"]] == [(0, "one"), (10, "two")]
    assert panel["texts"] == []
    assert len(panel["series"]) == len(describe(drawn(made, {}))["panels"][0]["series"]), "a line is no series"
    layers = vega_lite(found)["concat"][0]["layer"]
    (rules,) = [layer for layer in layers if layer.get("mark", {}).get("type") == "rule"]
    assert [row["x"] for row in rules["data"]["values"]] == [0, 10] and rules["encoding"]["y2"]["value"] > 0
    (names,) = [layer for layer in layers if layer.get("mark", {}).get("type") == "text"]
    assert [row["text"] for row in names["data"]["values"]] == ["one", "two"]
