"""`Study.register`: what a study claims, and on which design, written down before it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlspec.spec.diagnostics.problems import Problem, StudyError
from dlspec.spec.ir.plan import StudyPlan

from ..results.errors import StoreError
from ..results.registration import FULL, read_registrations
from ..results.registration import register as write_registration
from ..results.run_list import list_runs


@dataclass(frozen=True)
class Registration:
    """What was registered of a study in a profile: the `path` that it is written to, how many `claims`, their `digest` with the design's, and how
    many runs of it were judged before (`runs_before`, under `runs`)."""

    path: Path
    profile: str
    claims: int
    digest: str
    time: str
    runs_before: int
    runs: Path

    def __str__(self) -> str:
        many = "s" if self.claims != 1 else ""
        before = f"{self.runs_before} earlier run{'s' if self.runs_before > 1 else ''}"
        after = f", after {before} under {self.runs}" if self.runs_before else ""
        return f"{self.path}: {self.claims} claim{many} registered{after}. Commit it before you run the study."


def registered(file: Path, plan: StudyPlan, runs: Path, replace: bool) -> Registration:
    """Writes what a resolved study claims beside its file. Raises StudyError where it is registered already, or cannot be written.

    Args:
        file: The study's file.
        plan: The study, resolved in a profile.
        runs: The folder whose runs of it are counted.
        replace: Whether one that is registered already is registered anew.
    """
    before = read_registrations(file)
    profile = plan.profile or FULL
    there = before.get(profile)
    if there is not None and not replace:
        hint = "Replace it with --replace, in Python with `replace=True`."
        raise StudyError(Problem(f"{file}: registered already on {there['time']}", hint=hint))
    judged = sum(run.study == plan.name and run.profile == plan.profile for run in list_runs(runs))
    try:
        path = write_registration(file, plan, judged, before)
    except OSError as error:
        hint = "Give yourself permission to write beside the study."
        raise StoreError(f"{file}: its registration cannot be written: {error.strerror}", hint) from None
    written: Mapping[str, Any] = read_registrations(file)[profile]
    claims = sum(len(experiment.claims) for experiment in plan.experiments)
    return Registration(path, plan.profile, claims, written["digest"], written["time"], judged, runs)
