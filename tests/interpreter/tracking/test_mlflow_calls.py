"""What MLflow is told, by a client that keeps it: what is not done is no finished run, and has no final."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.store.store import FINAL_STATUSES
from dlspec.interpreter.tracking import opened
from dlspec.interpreter.tracking.mlflow import RUN_STATUSES
from dlspec.spec.ir.plan import StudyPlan

from tests.interpreter.tracking.made_mlflow import CALLS, Server, install


def test_what_is_not_done_is_not_finished_and_ends_with_no_number(
    plan: StudyPlan, ended: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    install(monkeypatch, server)
    tracking = opened(plan, tmp_path, "small-1", False, "file:x", pytest.fail)
    cells = ended(early=10)
    tracking.ended(cells)
    run = tmp_path / "small-1"
    run.mkdir()
    (run / "spec.yaml").write_text("", "utf-8")
    tracking.conclude({}, run, ["a.png"], [])
    tracking.close()
    parent, first, second = server.runs.values()
    assert (parent.name, parent.status) == ("small-1", "FINISHED")
    assert (first.status, first.tags["dlspec.status"]) == ("FINISHED", "done")
    assert (second.status, second.tags["dlspec.status"]) == ("FAILED", "diverged")
    assert second.tags["dlspec.message"] == cells[1].message
    last = {one.key: one.value for one in first.metrics}
    assert last["error"] == 1 / 41
    ends = {one.key: one for one in second.metrics}
    assert ends.keys() == last.keys() and all(math.isnan(one.value) for one in ends.values()), "it is ranked behind all"
    assert all(one.step > cells[1].steps[-1] for one in ends.values())
    assert server.called == set(CALLS)


def test_every_end_of_a_replicate_has_a_status_there() -> None:
    assert {*FINAL_STATUSES, "interrupted", "failed"} == RUN_STATUSES.keys()
    assert [status for status, word in RUN_STATUSES.items() if word == "FINISHED"] == ["done"]
