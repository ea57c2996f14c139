"""How alike trainings are: by what they come to, whatever is written."""

from __future__ import annotations

import math

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff.training_likeness import training_likeness
from dlspec.spec.ir.plan import Program

STUDY = """\
dlspec: 1
study: s
experiments:
  one:
    constants: {rate: 0.01}
    task: {data: DATA, example: {x: "normal([4])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 8, dense: 1]}, g: {input: x, layers: [dense: 1]}}
    loss: {squared: (f - y)^2, other: (g - y)^2}
    training: {TRAINING}
    measures: {error: E((f - y)^2)}
"""
USUAL = "optimizer: {sgd: {learning_rate: rate}}, batch: 32, steps: 1000"
PLAYERS = "updates: {f: {networks: [f], loss: [squared]}, g: {networks: [g], loss: [other]}}"


def _program(training: str, data: str = "fresh") -> Program:
    text = STUDY.replace("TRAINING", training).replace("DATA", data)
    return spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs[0]


def _usual(old: str = "", new: str = "", data: str = "fresh") -> Program:
    assert old in USUAL
    return _program(USUAL.replace(old, new) if old else USUAL, data)


def test_what_is_written_otherwise_and_comes_to_the_same_is_the_same() -> None:
    other = _program(
        "steps: 10 * 100, batch: 2^5, evaluate: {every: 7}, optimizer: {sgd: {learning_rate: 0.01, momentum: 0}}"
    )
    assert training_likeness(_usual(), other) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_usual(), _usual("sgd", "adam")),
        (_usual(), _usual("batch: 32", "batch: 1")),
        (_usual(), _usual(data="{train: 1000}")),
        (_usual(data="{train: 1000}"), _usual("batch: 32", "batch: full", data="{train: 1000}")),
    ],
    ids=["optimiser", "one example a step", "a finite set", "the whole of it"],
)
def test_trainings_of_different_kinds_are_not_alike(one: Program, other: Program) -> None:
    assert training_likeness(one, other) == training_likeness(other, one) == 0
    assert training_likeness(one, one) == training_likeness(other, other) == 1


@pytest.mark.parametrize(
    ("old", "new", "nearness"),
    [
        ("rate}", "rate / 2}", [1, 1 - math.log10(2), 1, 1]),
        ("batch: 32", "batch: 64", [1, 1, 1 - math.log10(2), 1]),
        ("steps: 1000", "steps: 30000", [1, 1, 1, 0]),
        ("rate}", "rate / (1 + step)}", [1, 0, 1, 1]),
    ],
)
def test_sizes_are_near_within_a_decade(old: str, new: str, nearness: list[float]) -> None:
    assert training_likeness(_usual(), _usual(old, new)) == pytest.approx(sum(nearness) / 4)


def test_what_few_trainings_have_counts_where_either_has_it() -> None:
    players = _program(f"{USUAL}, {PLAYERS}")
    phases = _program(USUAL.replace("steps: 1000", "phases: {a: {steps: 500}, b: {steps: 500}}"))
    assert training_likeness(_usual(), players) == training_likeness(_usual(), phases) == 4 / 5
    assert training_likeness(players, phases) == 4 / 6
    assert training_likeness(players, players) == training_likeness(phases, phases) == 1


def test_all_of_a_set_is_taken_whatever_its_size() -> None:
    one, other = (_usual("batch: 32", "batch: full", f"{{train: {size}}}") for size in (20, 5000))
    assert training_likeness(one, other) == 1
