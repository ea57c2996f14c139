"""MLflow tracking: the study is an experiment, a run of it a parent, and each replicate a run under it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.spec.ir.plan import StudyPlan

from ..results.folder_names import REPORT
from ..results.replicates import DONE, Replicate
from .extras import needs
from .scalars import scalars

if TYPE_CHECKING:
    from ..results.verdicts import Verdict

MAX_METRICS = 1000
"""How many metrics MLflow takes at once."""
MAX_PARAMETER_LENGTH = 500
"""How long the value of a parameter may be in every store of MLflow."""
RUN_STATUSES = {
    "done": "FINISHED",
    "diverged": "FAILED",
    "undefined": "FAILED",
    "interrupted": "KILLED",
    "failed": "FAILED",
}
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""How long a server that does not answer is waited for, and what MLflow says of itself, where the environment does not say."""
ARTIFACTS = ("spec.yaml", "claims.json", "cells.json", REPORT)


class MLflow:
    """Tells a tracking server, or a local store, by its URI; raises what MLflow raises."""

    def __init__(self, uri: str, plan: StudyPlan, title: str) -> None:
        needs("mlflow", "MLflow", "--mlflow")
        self.uri = uri
        self.plan = plan
        self.title = title
        self.client: Any = None
        self.parent = ""
        self.runs: dict[str, str] = {}

    def begin(self) -> None:
        """Makes the parent run, in an experiment called like the study."""
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(tracking_uri=self.uri)
        found = self.client.get_experiment_by_name(self.plan.name)
        self.experiment = found.experiment_id if found else self.client.create_experiment(self.plan.name)
        tags = {
            "mlflow.note.content": self.plan.title, "dlspec.version": version("dlspec"), "dlspec.study": self.plan.name,
            "dlspec.profile": self.plan.profile,
        }  # fmt: skip
        self.parent = self.client.create_run(self.experiment, tags=tags, run_name=self.title).info.run_id

    def progressed(self, replicate: Replicate, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Logs the next points of a replicate's metrics."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, value, now, step) for step, numbers in points for name, value in numbers.items()]
        for some in _some(metrics, MAX_METRICS):
            self.client.log_batch(self._run(replicate), metrics=some)

    def ended(self, replicate: Replicate) -> None:
        """Ends a replicate's run, with how it ended among its tags; what is not done has no final metric."""
        run = self._run(replicate)
        if replicate.status != DONE and replicate.steps:
            self._no_finals(replicate)
        tags = {
            "dlspec.status": replicate.status,
            "dlspec.compiled": replicate.compiled,
            "dlspec.stored": str(replicate.stored).lower(),
        }
        for name, value in {**tags, **({"dlspec.message": replicate.message} if replicate.message else {})}.items():
            self.client.set_tag(run, name, value)
        self.client.set_terminated(run, RUN_STATUSES[replicate.status])
        del self.runs[replicate.key]

    def _no_finals(self, replicate: Replicate) -> None:
        """Ends each metric with what is not a number: MLflow takes the last for the result, and ranks that behind all."""
        last = dict(scalars({name: values[-1] for name, values in replicate.curves.items() if values}))
        step = max(replicate.steps[-1] + 1, replicate.end or 0)
        self.progressed(replicate, [(step, dict.fromkeys(last, float("nan")))])

    def conclude(self, folder: Path, figures: Sequence[Path], verdicts: Sequence[Verdict]) -> None:
        """Logs figures and what else belongs to the run, and its verdicts as tags."""
        for path in figures:
            self.client.log_artifact(self.parent, str(path), FIGURES)
        for name in ARTIFACTS:
            if (folder / name).exists():
                self.client.log_artifact(self.parent, str(folder / name))
        for verdict in verdicts:
            self.client.set_tag(self.parent, f"dlspec.claim.{verdict.id}", verdict.verdict)
        self.client.set_tag(self.parent, "dlspec.run", folder.name)
        self.client.set_terminated(self.parent, "FINISHED")
        self.parent = ""

    def close(self) -> None:
        """Ends what was not ended: the run was broken off."""
        for run in [*self.runs.values(), *([self.parent] if self.parent else [])]:
            self.client.set_terminated(run, "KILLED")
        self.runs.clear()

    def _run(self, replicate: Replicate) -> str:
        """The run of a replicate, made when it is first spoken of."""
        if replicate.key not in self.runs:
            from mlflow.entities import Param

            given = {
                "experiment": replicate.experiment,
                "variant": replicate.variant,
                **replicate.constants,
                "replicate": replicate.number,
            }
            tags = {"mlflow.parentRunId": self.parent, "dlspec.digest": replicate.digest, "dlspec.key": replicate.key}
            name = "/".join(part for part in (replicate.experiment, replicate.variant) if part)
            name = ", ".join(
                [
                    name,
                    *(f"{key}={value}" for key, value in replicate.constants.items()),
                    f"replicate {replicate.number}",
                ]
            )
            run = self.client.create_run(self.experiment, tags=tags, run_name=name[:MAX_PARAMETER_LENGTH]).info.run_id
            self.client.log_batch(
                run,
                params=[Param(key, str(value)[:MAX_PARAMETER_LENGTH]) for key, value in given.items() if value != ""],
            )
            self.runs[replicate.key] = run
        return self.runs[replicate.key]


FIGURES = "figures"
"""The folder of a run's artifacts in which figures lie."""


def _some(items: Sequence[Any], count: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), count):
        yield items[start : start + count]
