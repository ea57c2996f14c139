"""`dlspec plan`: what a run would take, before it is run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from dlspec import spec

from .options import ERROR, AsJson, File, Only, Overrides, Profile, Runs, resolved

GIB = 2**30


def plan(
    file: File, profile: Profile = None, override: Overrides = None, only: Only = None,
    device: Annotated[str, typer.Option(help="What it would run on: cpu or gpu.")] = "cpu",
    memory: Annotated[
        float | None, typer.Option(metavar="GIB", help="How much memory there is; otherwise what is free here.")
    ] = None,
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Prints every cell's shapes, parameters, FLOPs, memory and expected time, and whether it is stored already."""
    found = resolved(file, profile, override, only)
    if device not in ("cpu", "gpu"):
        print(f"there is no device '{device}': it is cpu or gpu", file=sys.stderr)
        raise typer.Exit(2)
    from ..results.folder_names import STORE
    from ..schedule.estimate import available_memory, calibrate, plan_data, refusal, rows, stored_replicates

    rate = calibrate()
    limit = available_memory() if memory is None else round(memory * GIB)
    try:
        stored = stored_replicates(found, runs / STORE, device)
    except spec.SpecError as error:
        problem = error.problems[0]
        print(f"warning: {problem.message}. {problem.hint} Nothing counts as stored in what follows.", file=sys.stderr)
        stored = {}
    made = rows(found, stored, rate, device)
    unsettled = _unsettled(found, runs)
    refused = [text for row in made if (text := refusal(row, limit))]
    if as_json:
        import json

        print(json.dumps({**plan_data(found, made, rate, refused), "unsettled": unsettled}, allow_nan=False))
    else:
        from ..verdicts.evidence_text import needed
        from .text.plan import print_plan

        print_plan(found, made, rate)
        for claim in unsettled:
            print(f"{claim['id']}: {claim['verdict']} in {claim['run']}; {needed(claim)}")
    if refused:
        print("\n".join(refused), file=sys.stderr)
        raise typer.Exit(ERROR)


def _unsettled(plan: spec.StudyPlan, root: Path) -> list[dict[str, Any]]:
    """The claims that the newest run of a plan's study did not settle, and with how many replicates they would be, from its spread."""
    from ..results.run_list import chosen, list_runs

    asked = {f"{e.name}.{claim.name}": claim.text for e in plan.experiments for claim in e.claims}
    try:
        for run in chosen(list_runs(root), plan.name, plan.profile)[:1]:
            claims = [claim for claim in run.read("claims.json") if asked.get(claim["id"]) == claim["check"]]
            return [
                {"id": claim["id"], "verdict": claim["verdict"], "needed": claim["needed"], "run": run.name}
                for claim in claims
                if claim.get("needed")
            ]
    except spec.SpecError as error:
        print(f"warning: {error.problems[0].message}. What it says of claims is left out.", file=sys.stderr)
    return []
