"""One edit is one change, of the part that it really changes: nothing is trained, data are finite, training stops by a measure."""

from __future__ import annotations

import pytest

from .test_judged_on import STUDY, UNTRAINED, difference

FINITE = STUDY.replace("    task:\n", "    task:\n      data: {train: 100, test: 50}\n").replace(", examples: 500", "")
STOPPED = STUDY.replace("steps: 400,", "steps: 400, until: error < 0.1,")
AWAY = STUDY.replace("steps: 400,", "steps: 400, until: away < 0.1,")


def test_fixtures_are_what_they_are_called() -> None:
    assert "train: 100" in FINITE and "examples" not in FINITE and "until: error" in STOPPED and "until: away" in AWAY


@pytest.mark.parametrize(
    ("text", "edits", "changes", "status"),
    [
        (UNTRAINED, [("tanh", "relu")], {"e.architecture.f.layers.dense_1.activation": ("architecture",)}, "again"),
        (UNTRAINED, [("x: \"normal([3])\"", "x: \"uniform([3])\"")], {"e.task.example.x": ("task",)}, "again"),
        (UNTRAINED, [("bar: 1", "bar: 2")], {"e.constants.bar": ("measure",)}, "measures"),
        (UNTRAINED, [("f^2", "f^4")], {"e.measures.size": ("measure",)}, "measures"),
        (STUDY, [("    task:\n", "    task:\n      data: {train: 100, test: 50}\n"), (", examples: 500", "")],
         {"e.task.data": ("task",)}, "again"),
        (STUDY, [("    task:\n", "    task:\n      data: {test: 500}\n"), (", examples: 500", "")], {}, "same"),
        (STUDY, [("    task:\n", "    task:\n      data: {test: 50}\n"), (", examples: 500", "")],
         {"e.task.data": ("measure",)}, "measures"),
        (FINITE, [("data: {train: 100, test: 50}", "data: fresh")], {"e.task.data": ("task",)}, "again"),
        (FINITE, [("train: 100, test: 50", "train: 200, test: 80")],
         {"e.task.data.train": ("task",), "e.task.data.test": ("measure",)}, "again"),
        (FINITE, [("test: 50", "test: 80")], {"e.task.data.test": ("measure",)}, "measures"),
        (FINITE, [("test: 50", "test: 50, order: shuffle")], {}, "same"),
        (STOPPED, [("every: 20", "every: 40")], {"e.training.evaluate.every": ("training",)}, "again"),
        (STOPPED, [("examples: 500", "examples: 40")], {"e.training.evaluate.examples": ("training",)}, "again"),
        (STOPPED, [("error: E((f - y)^2)", "error: E((f - y)^4)")], {"e.measures.error": ("training", "measure")}, "again"),
        (STOPPED, [("away: E((f", "away: E((2 * f")], {"e.measures.away": ("measure",)}, "measures"),
        (STOPPED, [("15 * sign", "1 * sign")], {"e.task.example.shifted": ("measure",)}, "measures"),
        (AWAY, [("15 * sign", "1 * sign")], {"e.task.example.shifted": ("task",)}, "again"),
        (AWAY, [("noise: 1", "noise: 2")], {"e.constants.noise": ("training", "measure")}, "again"),
        (STUDY, [("every: 20", "every: 40")], {"e.training.evaluate.every": ("measure",)}, "same"),
    ],
)  # fmt: skip
def test_an_edit_is_a_change_of_the_part_that_it_changes(
    text: str, edits: list[tuple[str, str]], changes: dict[str, tuple[str, ...]], status: str
) -> None:
    diff = difference(text, *edits)
    assert {change.label: change.classes for change in diff.changes} == changes
    assert {cell.status for cell in diff.cells} == (
        {status} if changes else {"same"} & {cell.status for cell in diff.cells}
    )
    assert diff.same == (not changes)


def test_a_task_and_a_network_that_change_together_are_confounded_at_initialisation_too() -> None:
    diff = difference(UNTRAINED, ("tanh", "relu"), ('x: "normal([3])"', 'x: "uniform([3])"'))
    assert diff.headline.startswith("confounded: task and architecture both changed")


def test_why_the_evaluated_steps_are_training_is_said() -> None:
    (change,) = difference(STOPPED, ("every: 20", "every: 40")).changes
    assert change.note == "`until` is checked when measures are taken, so training may stop at another step"


DERIVED = STUDY + "  f: {base: e, training: {steps: 500}}\n  g: {base: f, training: {batch: 16}}\n"


@pytest.mark.parametrize(
    ("edits", "headline"),
    [
        (
            [("learning_rate: 0.01", "learning_rate: 0.02")],
            "one factor changed: optimizer learning rate, 0.01 → 0.02 in experiments `e`, `f` and `g`",
        ),
        (
            [("learning_rate: 0.01", "learning_rate: 0.02"), ("steps: 500", "steps: 600")],
            "2 changes in different experiments: optimizer learning rate 0.01 → 0.02 in experiment `e` and steps 500 → 600 in experiment `f`",
        ),
        (
            [("learning_rate: 0.01", "learning_rate: 0.02"), ("batch: 8", "batch: 4")],
            "2 values of training changed in experiment `e`: optimizer learning rate 0.01 → 0.02 and batch 8 → 4",
        ),
    ],
)
def test_a_change_that_derived_experiments_take_over_is_counted_once(
    edits: list[tuple[str, str]], headline: str
) -> None:
    assert difference(DERIVED, *edits).headline == headline


def test_a_derived_experiment_is_confounded_by_its_own_change_beside_its_base_s() -> None:
    text = DERIVED.replace("f: {base: e,", "f: {base: e, loss: {squared: abs(f - y)},")
    diff = difference(text, ("learning_rate: 0.01", "learning_rate: 0.02"), ("abs(f - y)}", "abs(f - y)^3}"))
    assert diff.headline.startswith("confounded: loss and training both changed")
    taken_over = {change.label: change.inherited for change in diff.changes if change.inherited}
    assert taken_over == {
        "f.training.optimizer.learning_rate": "e",
        "g.training.optimizer.learning_rate": "f",
        "g.loss.squared": "f",
    }
