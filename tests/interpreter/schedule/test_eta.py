"""Time left over a whole run: work that is left, at the rate of what was done here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from dlspec.interpreter.schedule import eta as time_left
from dlspec.interpreter.schedule.eta import TimeLeft, in_words, steps, work
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.spec.ir.plan import Program

BODY = """
task: {example: {x: "normal([3])", y: "sum(x)"}}
architecture: {f: {input: x, layers: [dense: 1]}}
loss: {squared: (f - y)^2}
training: {optimizer: {sgd: {}}, batch: 8, steps: 100, evaluate: {every: 50, examples: 64}}
measures: {error: E((f - y)^2)}
replicates: 2
"""


@pytest.fixture(autouse=True)
def compiled_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_left, "COMPILE_OPERATIONS", 0.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def two(program: Callable[[str], Program]) -> list[ReplicateBatch]:
    """Two replicate batches that cost the same, by different names."""
    own = CellRequest.of(program(BODY), "cpu")
    return [ReplicateBatch(own, (0, 1)), ReplicateBatch(replace(own, base="another"), (0, 1))]


def test_it_is_what_is_left_at_the_rate_of_what_was_done(two: list[ReplicateBatch]) -> None:
    clock = Clock()
    left = TimeLeft(two, clock)
    assert left.seconds() is None
    left.started(two[0], 0)
    clock.now = 10
    left.reached(two[0], 50)
    assert left.seconds() == pytest.approx(30)
    clock.now = 20
    left.finished(two[0])
    assert left.seconds() == pytest.approx(20)
    left.started(two[1], 0)
    clock.now = 40
    left.finished(two[1])
    assert left.seconds() == 0


def test_what_a_checkpoint_or_another_process_spares_is_not_counted_as_done(two: list[ReplicateBatch]) -> None:
    clock = Clock()
    left = TimeLeft(two, clock)
    left.started(two[0], 50)
    left.stored(two[1])
    clock.now = 8
    left.reached(two[0], 75)
    assert left.seconds() == pytest.approx(8)


def test_compiling_is_work_too(two: list[ReplicateBatch], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    steps_alone = work(two[0])
    monkeypatch.setattr(time_left, "COMPILE_OPERATIONS", 3 * steps_alone)
    left = TimeLeft(two, clock)
    left.started(two[0], 0)
    clock.now = 3
    left.reached(two[0], 0)
    assert left.seconds() == pytest.approx(5)


def test_words() -> None:
    assert [in_words(s) for s in (None, 0.0, 89.0, 300.0, 5400.0)] == ["", "0 s", "89 s", "5 min", "1 h 30 min"]


def test_steps_of_a_program_that_only_measures(program: Callable[[str], Program]) -> None:
    assert steps(program('task: {example: {x: "normal([3])"}}\nmeasures: {size: E(sum(x^2))}')) == 1
