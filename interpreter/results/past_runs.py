"""Results of earlier runs: replicates and verdicts, read from the folders under `runs/` without TensorFlow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dlspec import spec
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ExperimentPlan, Program, StudyPlan
from dlspec.spec.passes.digests import measure_digest
from dlspec.spec.resolve.overrides import Override

from .errors import StoreError
from .replicates import final_of
from .run_list import RunRecord, list_runs
from .run_study import SPEC, run_study


@dataclass(frozen=True)
class StoredRun:
    """One run: its replicates and claims as `replicates.json` and `claims.json` hold them, and the spec that it ran."""

    run: RunRecord
    replicates: Sequence[Mapping[str, Any]]
    claims: Sequence[Mapping[str, Any]]

    @cached_property
    def plan(self) -> StudyPlan | None:
        """The plan that was run; nothing where the spec cannot be resolved any more."""
        return plan_of(self.run)

    @cached_property
    def measured(self) -> Mapping[str, Mapping[str, str]]:
        """What the measures of each program mean, by its place; empty where the spec cannot be resolved any more."""
        programs = [
            program for experiment in (self.plan.experiments if self.plan else ()) for program in experiment.programs
        ]
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
    """A program's stored finals by measure, one a replicate: those of the same training and the same measure, NaN where one is undefined."""
    wanted = {measure.name: measure_digest(program, measure) for measure in program.measures}
    found: dict[str, dict[int, float]] = {}
    for run in runs:
        for replicate in _cells(run, program):
            meanings = run.measured.get(
                place(replicate["experiment"], replicate["variant"], replicate["constants"]), {}
            )
            for name, mark in wanted.items():
                old = next((key for key, value in meanings.items() if value == mark), None)
                ends = final_of(replicate)
                if old in ends and not isinstance(ends[old], list):
                    value = math.nan if ends[old] is None else float(ends[old])
                    found.setdefault(name, {}).setdefault(replicate["replicate"], value)
    return {name: [values[place] for place in sorted(values)] for name, values in found.items()}


def verdicts(runs: Sequence[StoredRun], plan: StudyPlan) -> dict[str, str]:
    """The stored verdict of each claim, from the newest run that judged the same: by its meaning, on the replicates of its experiment and no others."""
    verdict_by_claim: dict[str, str] = {}
    for experiment in plan.experiments:
        names = [claim.name for claim in experiment.claims]
        for run in runs if names else ():
            if not _has_all(run, experiment):
                continue
            told = {item["id"]: item["verdict"] for item in run.claims}
            known = [name for name in names if f"{experiment.name}.{name}" in told]
            for mark in (f"{experiment.name}.{name}" for name in judged_alike(run.plan, experiment, known)):
                verdict_by_claim.setdefault(mark, told[mark])
    return verdict_by_claim


def plan_of(run: RunRecord) -> StudyPlan | None:
    """The plan of a run's study as it was run; nothing where the spec cannot be resolved any more."""
    try:
        overrides = [Override.read(text) for text in run.overrides]
        return spec.resolve(spec.parse(run_study(run)), run.profile or None, overrides, run.only)
    except spec.StudyError:
        return None


def judged_alike(
    before: StudyPlan | None, now: ExperimentPlan, names: Sequence[str], replicates: bool = True
) -> list[str]:
    """Which claims of an experiment another plan judges by the same meaning, on the same cells, and with as many `replicates` where these count.

    The text of a check is not enough: what it measures, its constants, its judge and its cells may be others.
    """
    known = next((item for item in (before.experiments if before else ()) if item.name == now.name), None)
    if known is None:
        return []
    return [name for name in names if _judged(known, name, replicates) == _judged(now, name, replicates) is not None]


def _judged(experiment: ExperimentPlan, name: str, replicates: bool) -> Any:
    """What a verdict on a claim depends on beside the numbers: its check with constants by value, its judge and family, and its cells."""
    claim = next((claim for claim in experiment.claims if claim.name == name), None)
    if claim is None:
        return None
    family = sorted(one.name for one in experiment.claims if claim.family and one.family == claim.family)
    measures = {part.measure for part in c.parts(claim.tree) if isinstance(part, c.Measured)}
    cells = {
        (p.digest, p.replicates if replicates else 0, place("", p.variant, p.point), tuple((m.name, measure_digest(p, m)) for m in p.measures if m.name in measures))
        for p in experiment.programs
    }  # fmt: skip
    return claim.tree, str(claim.judge), family, cells


def _has_all(run: StoredRun, experiment: ExperimentPlan) -> bool:
    return bool(experiment.programs) and all(
        {replicate["replicate"] for replicate in _cells(run, program)} >= set(range(program.replicates))
        for program in experiment.programs
    )


def _cells(run: StoredRun, program: Program) -> Iterator[Mapping[str, Any]]:
    return (replicate for replicate in run.replicates if replicate["digest"] == program.digest and replicate["status"] == "done"
            and replicate["experiment"] == program.experiment)  # fmt: skip
