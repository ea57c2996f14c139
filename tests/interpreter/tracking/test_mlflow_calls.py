"""What MLflow is told, by a client that keeps it: what is not done is no finished run, and has no final."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.store.requests import requests_of
from dlspec.interpreter.store.store import FINAL_STATUSES
from dlspec.interpreter.tracking import Origin, opened
from dlspec.interpreter.tracking.mlflow import MAX_PARAMETERS, RUN_STATUSES
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import StudyPlan

from tests.interpreter.tracking.conftest import STUDY
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
    assert server.called == {*CALLS} - {"search_runs"}, "of what is new nothing is looked up"


def test_every_end_of_a_replicate_has_a_status_there() -> None:
    assert {*FINAL_STATUSES, "interrupted", "failed"} == RUN_STATUSES.keys()
    assert [status for status, word in RUN_STATUSES.items() if word == "FINISHED"] == ["done"]


def test_what_is_stored_and_known_is_told_once(
    plan: StudyPlan, ended: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    install(monkeypatch, server)
    run = tmp_path / "small-1"
    run.mkdir()

    def told(stored: bool) -> list[str]:
        tracking = opened(plan, tmp_path, "small-1", False, "file:x", pytest.fail)
        cells = ended()
        for cell in cells:
            cell.stored = stored
        tracking.ended(cells)
        tracking.conclude({}, run, [], [])
        tracking.close()
        return [one.name for one in server.runs.values()]

    first = told(stored=True)
    assert len(first) == 3, "it is there for the first time, though it was stored before"
    assert told(stored=True) == first, "nothing was to do"
    assert len(told(stored=False)) == 6, "it was run again, with --force say"


@pytest.mark.parametrize(
    ("ending", "word"), [("interrupted", "KILLED"), ("failed", "FAILED"), ("diverged", "FINISHED")]
)
def test_a_run_without_some_of_its_replicates_is_no_finished_one(
    ending: str, word: str, plan: StudyPlan, ended: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was broken off stood there as FINISHED, with its verdicts, and the next one told nothing of what it had stored."""
    server = Server()
    install(monkeypatch, server)
    cells = ended()
    cells[1].status = ending
    (tmp_path / "small-1").mkdir()

    def told(title: str) -> list[str]:
        tracking = opened(plan, tmp_path, title, False, "file:x", pytest.fail)
        tracking.ended(cells)
        tracking.conclude({}, tmp_path / "small-1", [], [])
        tracking.close()
        return [one.status for one in server.runs.values()]

    assert told("small-1")[0] == word
    for cell in cells:
        cell.status, cell.stored = "done", True
    again = told("small-2")
    assert again[3:] == ([] if word == "FINISHED" else ["FINISHED"] * 3)


def test_what_is_infinite_is_no_number_there_and_is_said(
    plan: StudyPlan, ended: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    install(monkeypatch, server)
    tracking = opened(plan, tmp_path, "small-1", False, "file:x", pytest.fail)
    (cell, _) = ended()
    cell.curves["error"][1] = math.inf
    tracking.ended([cell])
    tracking.close()
    _, one = server.runs.values()
    values = {metric.step: metric.value for metric in one.metrics if metric.key == "error"}
    assert math.isnan(values[10]) and values[0] == 1.0
    assert one.tags["dlspec.infinite.error"] == "at step 10"


def test_a_deleted_experiment_is_told_of_and_another_takes_the_runs(
    plan: StudyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    deleted = SimpleNamespace(experiment_id="7", lifecycle_stage="deleted")
    monkeypatch.setattr(server, "_get_experiment_by_name", {"small": deleted}.get)
    install(monkeypatch, server)
    warnings: list[str] = []
    opened(plan, tmp_path, "small-1", False, "file:x", warnings.append).close()
    (warning,) = warnings
    assert (
        "'small' was deleted in MLflow, and accepts no runs: they go to 'small-2'" in warning
        and "--experiment-id 7" in warning
    )


def test_every_differing_setting_is_a_parameter_and_the_run_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    install(monkeypatch, server)
    text = STUDY.replace(
        "    claims:",
        "    variants: {plain: {}, large: {training: {batch: 16, optimizer: {adam: {learning_rate: rate}}}}}\n    claims:",
    )
    plan = spec.resolve(spec.parse(Source("small.yaml", text)))
    tracking = opened(
        plan, tmp_path, "small-1", False, "file:x", pytest.fail, Origin(("run", "a b.yaml"), tmp_path / "a.yaml")
    )
    tracking.ended(request.replicate(0) for request in requests_of(plan, "cpu"))
    tracking.close()
    parent, *runs = server.runs.values()
    assert [(one.params["variant"], one.params["rate"], one.params["training.batch"]) for one in runs] == [
        ("plain", "0.1", "8"), ("plain", "0.05", "8"), ("large", "0.1", "16"), ("large", "0.05", "16"),
    ]  # fmt: skip
    assert (
        any(key.startswith("training.optimizer") for key in runs[0].params) and "training.steps" not in runs[0].params
    )
    assert parent.tags["dlspec.command"] == "dlspec run 'a b.yaml'" and parent.tags["dlspec.package.numpy"]


def test_more_settings_than_mlflow_takes_at_once_are_all_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replicate's own number and variant came last, and were cut off."""
    server = Server()
    install(monkeypatch, server)
    names = [f"c{number}" for number in range(MAX_PARAMETERS)]
    text = STUDY.replace(
        "constants: {rate: 0.1}", f"constants: {{rate: 0.1, {', '.join(f'{name}: 0' for name in names)}}}"
    )
    text = text.replace("E(f^2), pair", f"E(f^2) + {' + '.join(names)}, pair")
    changed = ", ".join(f"{name}: 1" for name in names)
    text = text.replace(
        "    claims:", f"    variants: {{plain: {{}}, other: {{constants: {{{changed}}}}}}}\n    claims:"
    )
    plan = spec.resolve(spec.parse(Source("small.yaml", text)))
    tracking = opened(plan, tmp_path, "small-1", False, "file:x", pytest.fail)
    tracking.ended(request.replicate(0) for request in requests_of(plan, "cpu"))
    tracking.close()
    _, *runs = server.runs.values()
    assert [(one.params["variant"], one.params["replicate"]) for one in runs] == [("plain", "0")] * 2 + [
        ("other", "0")
    ] * 2
    assert all({key.split(".")[-1] for key in one.params} >= {*names} for one in runs)
