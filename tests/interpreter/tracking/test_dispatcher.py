"""What trackers are told: every point once and in order, whatever happens; and a fault of one is no fault of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.store.requests import ReplicateBatch, requests_of
from dlspec.interpreter.tracking import Tracking, opened
from dlspec.interpreter.tracking.extras import MissingExtra
from dlspec.interpreter.tracking.tensorboard import place
from dlspec.spec.diagnostics.problems import Source, render
from dlspec.spec.ir.plan import StudyPlan

from tests.interpreter.tracking.conftest import STUDY

EVERY = [0, 10, 20, 30, 40]


class Noting:
    """Keeps what it is told; raises at one of the things."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.steps: dict[int, list[int]] = {}
        self.happened: list[str] = []

    def note(self, what: str) -> None:
        self.happened.append(what)
        if what == self.fails:
            raise RuntimeError("the server\nis gone")

    def begin(self) -> None:
        self.note("begin")

    def progressed(self, replicate: Replicate, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        self.note("progressed")
        self.steps.setdefault(replicate.number, []).extend(step for step, _ in points)

    def ended(self, replicate: Replicate) -> None:
        self.note("ended")

    def conclude(self, folder: Path, figures: Sequence[Path], verdicts: Sequence[Any]) -> None:
        self.note("conclude")

    def close(self) -> None:
        self.note("close")


def told(tracker: Noting, what: Callable[[Tracking], None]) -> list[str]:
    warnings: list[str] = []
    tracking = Tracking({"Noting": tracker}, warnings.append)
    what(tracking)
    tracking.close()
    return warnings


def test_points_are_told_as_they_come(
    batch: ReplicateBatch, measured: Callable[..., Any], ended: Callable[..., Any]
) -> None:
    tracker = Noting()

    def happens(tracking: Tracking) -> None:
        for step in EVERY:
            tracking.evaluated(batch, step, measured(step))
        tracking.ended(ended())
        tracking.conclude({}, Path(), [], [])

    assert told(tracker, happens) == []
    assert tracker.happened == ["begin", *["progressed"] * 10, "ended", "ended", "conclude", "close"]
    assert tracker.steps == {0: EVERY, 1: EVERY}


def test_a_batch_that_goes_on_or_begins_again_has_no_gap_and_no_point_twice(
    batch: ReplicateBatch, measured: Callable[..., Any], ended: Callable[..., Any]
) -> None:
    resumed, again = Noting(), Noting()

    def goes_on(tracking: Tracking) -> None:
        for step in (30, 40):
            tracking.evaluated(batch, step, measured(step))
        tracking.ended(ended())

    def begins_again(tracking: Tracking) -> None:
        for step in (0, 10, 20, 0, 10, 20, 30):
            tracking.evaluated(batch, step, measured(step))
        tracking.ended(ended())
        tracking.ended(ended())

    assert told(resumed, goes_on) == told(again, begins_again) == []
    assert resumed.steps == again.steps == {0: EVERY, 1: EVERY}
    assert resumed.happened == ["begin", "progressed", "ended", "progressed", "ended", "close"]


def test_a_replicate_that_ended_has_no_more_points(
    batch: ReplicateBatch, measured: Callable[..., Any], ended: Callable[..., Any]
) -> None:
    tracker = Noting()

    def happens(tracking: Tracking) -> None:
        for step in EVERY:
            values = measured(step)
            for value in values.values():
                value[1] = np.nan if step > 10 else value[1]
            tracking.evaluated(batch, step, values)
        tracking.ended(ended(early=10))

    assert told(tracker, happens) == []
    assert tracker.steps == {0: EVERY, 1: [0, 10]}


@pytest.mark.parametrize("fails", ["begin", "progressed", "ended", "conclude", "close"])
def test_a_fault_is_a_warning(
    fails: str, batch: ReplicateBatch, measured: Callable[..., Any], ended: Callable[..., Any]
) -> None:
    bad, good, warnings = Noting(fails), Noting(), []
    tracking = Tracking({"Bad": bad, "Good": good}, warnings.append)
    tracking.evaluated(batch, 0, measured(0))
    tracking.ended(ended())
    tracking.conclude({}, Path(), [], [])
    tracking.close()
    (text,) = warnings
    assert text == "Bad gets no more of this run: RuntimeError: the server. The run continues, and keeps everything"
    assert bad.happened[-1] == fails and bad.happened.count(fails) == 1
    assert good.happened[-1] == "close" and good.steps == {0: EVERY, 1: EVERY}


def test_a_tracker_that_hangs_holds_up_nothing(batch: ReplicateBatch, measured: Callable[..., Any]) -> None:
    go = threading.Event()

    class Slow(Noting):
        def begin(self) -> None:
            assert go.wait(60)

    tracker = Slow()
    tracking = Tracking({"Slow": tracker}, pytest.fail)
    for step in EVERY:
        tracking.evaluated(batch, step, measured(step))
    assert tracker.steps == {}
    go.set()
    tracking.close()
    assert tracker.steps == {0: EVERY, 1: EVERY}


def test_without_trackers_nothing_is_done(plan: StudyPlan, tmp_path: Path, ended: Callable[..., Any]) -> None:
    tracking = opened(plan, tmp_path, "small-1", False, None, pytest.fail)
    tracking.ended(ended())
    tracking.close()
    assert tracking.events.empty() and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("asked", "name"), [((True, None), "tensorboard"), ((False, "file:x"), "mlflow")])
def test_a_missing_extra_is_named_before_anything_runs(
    asked: tuple[bool, str | None], name: str, plan: StudyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlspec.interpreter.tracking.extras.find_spec", lambda package: None)
    with pytest.raises(MissingExtra) as caught:
        opened(plan, tmp_path, "small-1", *asked, pytest.fail)
    text = render(caught.value.problems)
    assert f"`--{name}` needs" in text and f"`pip install 'dlspec[{name}]'`" in text


def test_replicates_of_equal_cells_are_each_told(tmp_path: Path) -> None:
    """They have one key, and trackers showed the first cell alone."""
    text = STUDY.replace("    claims:", "    variants: {a: {}, b: {}}\n    claims:")
    plan = spec.resolve(spec.parse(Source("small.yaml", text)))
    cells = [request.replicate(0) for request in requests_of(plan, "cpu")]
    assert len({one.key for one in cells}) == 2 and len({one.name for one in cells}) == 4
    for one in cells:
        one.record(0, {"error": np.asarray(1.0)})
    names: list[str] = []

    class Named(Noting):
        def ended(self, replicate: Replicate) -> None:
            names.append(replicate.name)

    tracker = Named()
    assert told(tracker, lambda tracking: tracking.ended([*cells, *cells])) == []
    assert names == [one.name for one in cells] and tracker.steps == {0: [0] * 4}


def test_tensorboard_has_each_of_equal_cells(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    plan = spec.resolve(
        spec.parse(Source("small.yaml", STUDY.replace("    claims:", "    variants: {a: {}, b: {}}\n    claims:")))
    )
    cells = [request.replicate(0) for request in requests_of(plan, "cpu")]
    tracking = opened(plan, tmp_path, "small-1", True, None, pytest.fail)
    for one in cells:
        for step in (0, 10):
            one.record(step, {"error": np.asarray(2.0 + step)})
    tracking.ended(cells)
    tracking.close()
    for one in cells:
        file = accumulator.EventAccumulator(str(tmp_path / "tensorboard" / "small-1" / place(one)))
        file.Reload()
        assert [(event.step, event.value) for event in file.Scalars("error")] == [(0, 2.0), (10, 12.0)]
