"""MLflow tracking: the study is an experiment, a run of it a parent, and each replicate a run under it."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir.plan import StudyPlan
from dlspec.spec.passes.registration import registered

from ..results.folder_names import REPORT
from ..results.replicates import DONE, Replicate
from .extras import needs
from .origin import Origin
from .scalars import scalars
from .settings import Settings

if TYPE_CHECKING:
    from ..results.verdicts import Verdict

MAX_METRICS = 1000
"""How many metrics MLflow takes at once."""
MAX_PARAMETERS = 100
"""How many parameters MLflow takes at once."""
MAX_KEY_LENGTH = 250
MAX_PARAMETER_LENGTH = 500
"""How long the value of a parameter may be in every store of MLflow."""
RUN_STATUSES = {
    "done": "FINISHED",
    "diverged": "FAILED",
    "undefined": "FAILED",
    "interrupted": "KILLED",
    "failed": "FAILED",
}
NOT_WHOLE = ("interrupted", "failed")
"""How replicates end that leave a run without them: it is no finished one, and a later one is told all."""
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""How long a server that does not answer is waited for, and what MLflow says of itself, where the environment does not say."""
ARTIFACTS = ("spec.yaml", "claims.json", "cells.json", REPORT)


class MLflow:
    """Tells a tracking server, or a local store, by its URI; raises what MLflow raises."""

    def __init__(self, uri: str, plan: StudyPlan, title: str, origin: Origin, note: Callable[[str], None]) -> None:
        needs("mlflow", "MLflow", "--mlflow")
        self.uri = uri
        self.plan = plan
        self.title = title
        self.origin = origin
        self.note = note
        self.settings = Settings(plan)
        self.client: Any = None
        self.parent = ""
        self.concluded = False
        self.endings: set[str] = set()
        self.runs: dict[str, str] = {}
        self.infinite: dict[str, dict[str, list[int]]] = {}

    def begin(self) -> None:
        """Finds the experiment called like the study, or makes it. The parent run is made when there is something to be told."""
        for name, value in DEFAULTS.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(tracking_uri=self.uri)
        self.experiment = self._experiment()

    def _experiment(self) -> str:
        """The experiment; one that was deleted takes no runs, and keeps its name until it is removed for good."""
        deleted: list[str] = []
        while True:
            name = self.plan.name if not deleted else f"{self.plan.name}-{len(deleted) + 1}"
            found = self.client.get_experiment_by_name(name)
            if found is None or found.lifecycle_stage != "deleted":
                break
            deleted.append(str(found.experiment_id))
        if deleted:
            self.note(
                f"the experiment '{self.plan.name}' was deleted in MLflow, and accepts no runs: they go to '{name}'. "
                f"`mlflow experiments restore --experiment-id {deleted[0]}` brings it back, `mlflow gc` removes it for good"
            )
        return str(found.experiment_id if found is not None else self.client.create_experiment(name))

    @cached_property
    def design(self) -> str:
        """The digest of what the study claims, and of what is trained and measured for that."""
        return str(registered(self.plan)["digest"])

    @cached_property
    def known(self) -> bool:
        """Whether a run of the same claims and design is there, whole: what is stored was told then."""
        wanted = f"tags.`dlspec.design` = '{self.design}' and attributes.status = 'FINISHED'"
        return bool(self.client.search_runs([self.experiment], wanted, max_results=1))

    def _parent(self) -> str:
        """The parent run, made when it is first spoken of."""
        if not self.parent:
            tags = {
                "mlflow.note.content": self.plan.title, "mlflow.source.type": "LOCAL", "dlspec.version": version("dlspec"),
                "dlspec.study": self.plan.name, "dlspec.profile": self.plan.profile, "dlspec.design": self.design, **self.origin.tags(),
            }  # fmt: skip
            self.parent = self.client.create_run(self.experiment, tags=tags, run_name=self.title).info.run_id
        return self.parent

    def _passed_over(self, replicate: Replicate) -> bool:
        """Whether a replicate was told already: it was stored before this run, and a run of the same design holds it."""
        return replicate.stored and replicate.name not in self.runs and self.known

    def progressed(self, replicate: Replicate, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Logs the next points of a replicate's metrics; what is infinite is no number there, which would keep 1.8e308."""
        if self._passed_over(replicate):
            return
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        for step, numbers in points:
            for name, value in numbers.items():
                if math.isinf(value):
                    self.infinite.setdefault(replicate.name, {}).setdefault(name, []).append(step)
        metrics = [
            Metric(name, math.nan if math.isinf(value) else value, now, step)
            for step, numbers in points
            for name, value in numbers.items()
        ]
        for some in _some(metrics, MAX_METRICS):
            self.client.log_batch(self._run(replicate), metrics=some)

    def ended(self, replicate: Replicate) -> None:
        """Ends a replicate's run, with how it ended among its tags; what is not done has no final metric."""
        self.endings.add(replicate.status)
        if self._passed_over(replicate):
            return
        run = self._run(replicate)
        if replicate.status != DONE and replicate.steps:
            self._no_finals(replicate)
        tags = {
            "dlspec.status": replicate.status,
            "dlspec.compiled": replicate.compiled,
            "dlspec.stored": str(replicate.stored).lower(),
        }
        for name, steps in self.infinite.pop(replicate.name, {}).items():
            tags[f"dlspec.infinite.{name}"] = f"at {listing([f'step {step}' for step in steps], 6)}"
        for name, value in {**tags, **({"dlspec.message": replicate.message} if replicate.message else {})}.items():
            self.client.set_tag(run, name, value)
        self.client.set_terminated(run, RUN_STATUSES[replicate.status])
        del self.runs[replicate.name]

    def _no_finals(self, replicate: Replicate) -> None:
        """Ends each metric with what is not a number: MLflow takes the last for the result, and ranks that behind all."""
        last = dict(scalars({name: values[-1] for name, values in replicate.curves.items() if values}))
        step = max(replicate.steps[-1] + 1, replicate.end or 0)
        self.progressed(replicate, [(step, dict.fromkeys(last, float("nan")))])

    def conclude(self, folder: Path, figures: Sequence[Path], verdicts: Sequence[Verdict]) -> None:
        """Logs figures and what else belongs to the run, and its verdicts as tags; nothing where nothing was to be told."""
        self.concluded = True
        if not self.parent and self.known:
            return
        parent = self._parent()
        for path in figures:
            self.client.log_artifact(parent, str(path), FIGURES)
        for name in ARTIFACTS:
            if (folder / name).exists():
                self.client.log_artifact(parent, str(folder / name))
        for verdict in verdicts:
            self.client.set_tag(parent, f"dlspec.claim.{verdict.id}", verdict.verdict)
        self.client.set_tag(parent, "dlspec.run", folder.name)
        self.client.set_terminated(parent, RUN_STATUSES[next((one for one in NOT_WHOLE if one in self.endings), DONE)])
        self.parent = ""

    def close(self) -> None:
        """Ends what was not ended: the run was broken off. One that began and told nothing is there, too."""
        if self.client is not None and not self.concluded:
            self._parent()
        for run in [*self.runs.values(), *([self.parent] if self.parent else [])]:
            self.client.set_terminated(run, "KILLED")
        self.runs.clear()

    def _run(self, replicate: Replicate) -> str:
        """The run of a replicate, made when it is first spoken of."""
        if replicate.name not in self.runs:
            from mlflow.entities import Param

            given = self.settings.of(replicate)
            tags = {
                "mlflow.parentRunId": self._parent(),
                "dlspec.digest": replicate.digest,
                "dlspec.key": replicate.key,
            }
            name = "/".join(part for part in (replicate.experiment, replicate.variant) if part)
            name = ", ".join(
                [
                    name,
                    *(f"{key}={value}" for key, value in replicate.constants.items()),
                    f"replicate {replicate.number}",
                ]
            )
            run = self.client.create_run(self.experiment, tags=tags, run_name=name[:MAX_PARAMETER_LENGTH]).info.run_id
            told = {_key(key): str(value)[:MAX_PARAMETER_LENGTH] for key, value in given.items() if value != ""}
            for some in _some([Param(key, value) for key, value in told.items()], MAX_PARAMETERS):
                self.client.log_batch(run, params=some)
            self.runs[replicate.name] = run
        return self.runs[replicate.name]


def _key(name: str) -> str:
    """A path as a parameter's name, which has letters, digits and some signs."""
    return re.sub(r"[^\w\-./ ]", "_", name)[:MAX_KEY_LENGTH]


FIGURES = "figures"
"""The folder of a run's artifacts in which figures lie."""


def _some(items: Sequence[Any], count: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), count):
        yield items[start : start + count]
