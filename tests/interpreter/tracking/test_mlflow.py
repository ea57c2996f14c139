"""MLflow tracking in a local store, read back by MLflow's own client."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.results.verdicts import Decision, Verdict
from dlspec.interpreter.store.requests import ReplicateBatch
from dlspec.interpreter.tracking import opened
from dlspec.spec.ir.plan import StudyPlan

mlflow = pytest.importorskip("mlflow.tracking", reason="MLflow is not installed")


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_a_run_a_cell_under_the_study(
    uri: str,
    plan: StudyPlan,
    batch: ReplicateBatch,
    measured: Callable[..., Any],
    ended: Callable[..., Any],
    tmp_path: Path,
) -> None:
    tracking = opened(plan, tmp_path, "small-1", False, uri, pytest.fail)
    for step in (0, 10):
        tracking.evaluated(batch, step, measured(step))
    cells = ended(early=10)
    tracking.ended(cells)
    run = tmp_path / "small-1"
    run.mkdir()
    for name in ("line.fall.png", "line.fall.svg", "spec.yaml", "claims.json", "curves.parquet"):
        (run / name).write_bytes(name.encode())
    (claim,) = plan.experiments[0].claims
    tracking.conclude({}, run, ["line.fall.png", "line.fall.svg"], [Verdict(claim, Decision("holds"), 1.0, None)])
    tracking.close()

    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("small")
    found = {one.info.run_name: one for one in client.search_runs([experiment.experiment_id])}
    assert set(found) == {"small-1", "line, rate=0.1, replicate 0", "line, rate=0.1, replicate 1"}
    parent, first, second = found["small-1"], found["line, rate=0.1, replicate 0"], found["line, rate=0.1, replicate 1"]
    assert (parent.info.status, first.info.status, second.info.status) == ("FINISHED", "FINISHED", "FAILED")
    assert first.data.params == {"experiment": "line", "rate": "0.1", "replicate": "0"}
    assert first.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (first.data.tags["dlspec.digest"], first.data.tags["dlspec.key"]) == (cells[0].digest, cells[0].key)
    assert (first.data.tags["dlspec.status"], second.data.tags["dlspec.status"]) == ("done", "diverged")
    assert second.data.tags["dlspec.message"] == "the loss term 'squared' was not finite at step 11"
    history = client.get_metric_history(first.info.run_id, "error")
    assert [(point.step, point.value) for point in history] == [(step, 1 / (step + 1)) for step in (0, 10, 20, 30, 40)]
    history = client.get_metric_history(second.info.run_id, "pair/1")
    assert [(point.step, math.isnan(point.value)) for point in history] == [(0, False), (10, False), (11, True)]
    for order in ("metrics.error ASC", "metrics.error DESC"):
        ranked = client.search_runs([experiment.experiment_id], "params.replicate != ''", order_by=[order])
        assert [run.info.run_name for run in ranked] == [first.info.run_name, second.info.run_name]
    assert set(first.data.metrics) == {"error", "pair/0", "pair/1"}
    assert parent.data.tags["dlspec.claim.line.learns"] == "holds"
    assert {item.path for item in client.list_artifacts(parent.info.run_id)} == {"claims.json", "figures", "spec.yaml"}
    assert [item.path for item in client.list_artifacts(parent.info.run_id, "figures")] == ["figures/line.fall.png"]


def test_a_broken_off_run_is_ended(
    uri: str, plan: StudyPlan, batch: ReplicateBatch, measured: Callable[..., Any], tmp_path: Path
) -> None:
    tracking = opened(plan, tmp_path, "small-1", False, uri, pytest.fail)
    tracking.evaluated(batch, 0, measured(0))
    tracking.close()
    client = mlflow.MlflowClient(tracking_uri=uri)
    runs = client.search_runs([client.get_experiment_by_name("small").experiment_id])
    assert [run.info.status for run in runs] == ["KILLED"] * 3


def test_a_server_that_is_not_there_is_a_warning(
    plan: StudyPlan, ended: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    warnings: list[str] = []
    tracking = opened(plan, tmp_path, "small-1", False, "http://127.0.0.1:9", warnings.append)
    tracking.ended(ended())
    tracking.close()
    (text,) = warnings
    assert text.startswith("MLflow gets no more of this run: ") and "127.0.0.1" in text
