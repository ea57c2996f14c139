"""`dlspec plan`: what a run would take, before it is run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import ERROR, AllowData, AsJson, File, Only, Overrides, Profile, Runs, resolved
from .warnings_told import tell_warning


def plan(
    file: File, profile: Profile = None, override: Overrides = None, only: Only = None,
    device: Annotated[str, typer.Option(help="What it would run on: cpu or gpu.")] = "cpu",
    memory: Annotated[
        float | None, typer.Option(metavar="GIB", help="Memory to plan for; otherwise what is free here.")
    ] = None,
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
    allow_data: AllowData = False,
) -> None:  # fmt: skip
    """Prints what a run would take: memory, operations, time. Each cell's shapes, parameters, FLOPs, memory, expected time, and whether it is stored."""
    found = resolved(file, profile, override, only)
    from ..api.planning import DEVICES, planned

    if device not in DEVICES:
        print(f"there is no device '{device}': it is cpu or gpu", file=sys.stderr)
        raise typer.Exit(2)
    what = planned(found, runs, device, memory, tell_warning)
    if as_json:
        import json

        print(json.dumps(what.data(), allow_nan=False))
    else:
        from ..api.plan_text import print_plan

        print_plan(found, what.rows, what.rate)
        for line in what.unsettled_lines():
            print(line)
    if what.refused:
        print("\n".join(what.refused), file=sys.stderr)
        raise typer.Exit(ERROR)
