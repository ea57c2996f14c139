"""MLflow's client as far as dlspec speaks to it, which keeps what it is told: for machines without MLflow."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

CALLS = (
    "get_experiment_by_name", "create_experiment", "create_run", "log_batch", "set_tag", "set_terminated", "log_artifact", "search_runs",
)  # fmt: skip
"""What dlspec calls of a client."""


class Metric(NamedTuple):
    """A point of a metric."""

    key: str
    value: float
    timestamp: int
    step: int


class Param(NamedTuple):
    """A parameter of a run."""

    key: str
    value: str


@dataclass
class Kept:
    """What a run was told."""

    name: str
    tags: dict[str, str]
    metrics: list[Metric] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    status: str = "RUNNING"
    artifacts: list[str] = field(default_factory=list)


class Server:
    """All runs by their name. `fails_at` is called where a client's call has the name."""

    def __init__(self, fails_at: str = "", fault: Callable[..., Any] = lambda: None) -> None:
        self.fails_at, self.fault = fails_at, fault
        self.runs: dict[str, Kept] = {}
        self.numbers = count()
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in CALLS:
            raise AttributeError(name)

        def call(*told: Any, **more: Any) -> Any:
            self.called.add(name)
            if name == self.fails_at:
                self.fault()
            return getattr(self, f"_{name}")(*told, **more)

        return call

    def _get_experiment_by_name(self, name: str) -> None:
        return None

    def _search_runs(self, experiments: list[str], wanted: str, max_results: int) -> list[Any]:
        design = re.findall(r"'(\w+)'", wanted)[0]
        return [
            run for run in self.runs.values() if run.tags.get("dlspec.design") == design and run.status == "FINISHED"
        ]

    def _create_experiment(self, name: str) -> str:
        return name

    def _create_run(self, experiment: str, tags: dict[str, str], run_name: str) -> Any:
        key = str(next(self.numbers))
        self.runs[key] = Kept(run_name, dict(tags))
        return SimpleNamespace(info=SimpleNamespace(run_id=key))

    def _log_batch(self, run: str, metrics: Sequence[Metric] = (), params: Sequence[Param] = ()) -> None:
        self.runs[run].metrics += metrics
        self.runs[run].params.update((one.key, one.value) for one in params)

    def _set_tag(self, run: str, name: str, value: str) -> None:
        self.runs[run].tags[name] = value

    def _set_terminated(self, run: str, status: str) -> None:
        self.runs[run].status = status

    def _log_artifact(self, run: str, path: str, folder: str = "") -> None:
        self.runs[run].artifacts.append(path)


def install(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    """Puts the client in MLflow's place."""
    tracking, entities = ModuleType("mlflow.tracking"), ModuleType("mlflow.entities")
    tracking.__dict__["MlflowClient"] = lambda tracking_uri: server
    entities.__dict__.update(Metric=Metric, Param=Param)
    for name, module in (
        ("mlflow", ModuleType("mlflow")),
        ("mlflow.tracking", tracking),
        ("mlflow.entities", entities),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("dlspec.interpreter.tracking.mlflow.needs", lambda *_: None)
