"""Results of earlier runs: replicates and verdicts, read from the folders under `runs/` without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dlspec import spec
from dlspec.spec.ir.plan import ExperimentPlan, Program, StudyPlan
from dlspec.spec.passes.digests import measure_digest
from dlspec.spec.resolve.overrides import Override

from .errors import StoreError
from .run_list import RunRecord, list_runs
from .run_study import SPEC, run_study


@dataclass(frozen=True)
class StoredRun:
    """One run: its replicates and claims as `replicates.json` and `claims.json` hold them, and the spec that it ran."""

    run: RunRecord
    replicates: Sequence[Mapping[str, Any]]
    claims: Sequence[Mapping[str, Any]]

    @cached_property
    def measured(self) -> Mapping[str, Mapping[str, str]]:
        """What the measures of each program mean, by its place; empty where the spec cannot be resolved any more."""
        try:
            overrides = [Override.read(text) for text in self.run.overrides]
            document = spec.parse(run_study(self.run))
            plan = spec.resolve(document, self.run.profile or None, overrides, self.run.only)
        except spec.StudyError:
            return {}
        programs = [program for experiment in plan.experiments for program in experiment.programs]
        return {
            place(p.experiment, p.variant, p.point): {
                measure.name: measure_digest(p, measure) for measure in p.measures
            }
            for p in programs
        }


def place(experiment: str, variant: str, point: Mapping[str, Any]) -> str:
    """What tells a program from the others of a study, as a text."""
    return json.dumps([experiment, variant, dict(point)], sort_keys=True, default=list)


def stored_runs(root: Path, warn: Callable[[str], None] = lambda text: None) -> list[StoredRun]:
    """The runs in a folder, the newest first; of one that cannot be read whole `warn` is told why, in a line."""
    runs = []
    unreadable: list[str] = []
    for run in list_runs(root, unreadable):
        try:
            (run.folder / SPEC).read_text("utf-8")
            runs.append(StoredRun(run, run.read("cells.json"), run.read("claims.json")))
        except StoreError as error:
            unreadable.append(error.problems[0].message)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            unreadable.append(f"{run.folder / SPEC}: cannot be read: {why}")
    for line in unreadable:
        warn(f"{line}. The run is left out of what is stored")
    return runs


def finals(runs: Sequence[StoredRun], program: Program) -> dict[str, list[float]]:
    """A program's stored finals by measure, one a replicate: those of the same training and the same measure."""
    wanted = {measure.name: measure_digest(program, measure) for measure in program.measures}
    found: dict[str, dict[int, float]] = {}
    for run in runs:
        for replicate in _cells(run, program):
            meanings = run.measured.get(
                place(replicate["experiment"], replicate["variant"], replicate["constants"]), {}
            )
            for name, mark in wanted.items():
                old = next((key for key, value in meanings.items() if value == mark), None)
                value = replicate["final"].get(old) if old is not None else None
                if isinstance(value, int | float):
                    found.setdefault(name, {}).setdefault(replicate["replicate"], float(value))
    return {name: [values[place] for place in sorted(values)] for name, values in found.items()}


def verdicts(runs: Sequence[StoredRun], plan: StudyPlan) -> dict[str, str]:
    """The stored verdict of each claim, from the newest run that ran all the replicates of its experiment."""
    verdict_by_claim: dict[str, str] = {}
    for experiment in plan.experiments:
        run = next((run for run in runs if _has_all(run, experiment)), None)
        for claim in experiment.claims:
            name = f"{experiment.name}.{claim.name}"
            known = {item["id"]: item for item in run.claims} if run else {}
            if name in known and known[name]["check"] == claim.text:
                verdict_by_claim[name] = known[name]["verdict"]
    return verdict_by_claim


def _has_all(run: StoredRun, experiment: ExperimentPlan) -> bool:
    return bool(experiment.programs) and all(
        {replicate["replicate"] for replicate in _cells(run, program)} >= set(range(program.replicates))
        for program in experiment.programs
    )


def _cells(run: StoredRun, program: Program) -> Iterator[Mapping[str, Any]]:
    return (replicate for replicate in run.replicates if replicate["digest"] == program.digest and replicate["status"] == "done"
            and replicate["experiment"] == program.experiment)  # fmt: skip
