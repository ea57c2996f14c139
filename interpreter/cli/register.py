"""`dlspec register`: writes down what a study claims, and on which design, before it is run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from dlspec.spec.diagnostics.problems import StudyError

from .options import ERROR, File, Profile, Runs, fail, resolved


def register(
    file: File, profile: Profile = None, runs: Runs = Path("runs"),
    replace: Annotated[bool, typer.Option("--replace", help="Registers anew what is registered already.")] = False,
) -> None:  # fmt: skip
    """Writes FILE's claims and design into a file beside it; later runs say whether they are still the same."""
    plan = resolved(file, profile, None, None)
    from ..results.registration import FULL, read_registrations
    from ..results.registration import register as write_registration
    from ..results.run_list import list_runs

    study = Path(file)
    try:
        before = read_registrations(study)
        there = before.get(plan.profile or FULL)
        if there is not None and not replace:
            print(f"{file}: registered already on {there['time']}. --replace registers it anew.", file=sys.stderr)
            raise typer.Exit(ERROR)
        judged = sum(run.study == plan.name and run.profile == plan.profile for run in list_runs(runs))
        path = write_registration(study, plan, judged, before)
    except StudyError as error:
        fail(error)
    except OSError as error:
        print(f"{file}: its registration cannot be written: {error.strerror}", file=sys.stderr)
        raise typer.Exit(ERROR) from None
    claims = sum(len(experiment.claims) for experiment in plan.experiments)
    after = f", after {judged} earlier run{'s' if judged > 1 else ''} under {runs}" if judged else ""
    print(f"{path}: {claims} claim{'s' if claims != 1 else ''} registered{after}. Commit it before you run the study.")
