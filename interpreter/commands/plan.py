"""`dlspec plan`: what a run would take, before it is run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from dlspec import spec

ERROR = 1
GIB = 2**30


def plan(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A study.")],
    profile: Annotated[str | None, typer.Option("-p", "--profile", metavar="NAME", help="A profile of the study.")] = None,
    override: Annotated[
        list[str] | None, typer.Option("-o", metavar="PATH=VALUE", help="Overrides one path; may be repeated.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="EXPERIMENT[/VARIANT]", help="Only this; may be repeated.")
    ] = None,
    device: Annotated[str, typer.Option(help="What it would run on: cpu or gpu.")] = "cpu",
    memory: Annotated[
        float | None, typer.Option(metavar="GIB", help="How much memory there is; otherwise what is free here.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where runs are stored.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object.")] = False,
) -> None:  # fmt: skip
    """Prints every cell's shapes, parameters, FLOPs, memory and expected time, and whether it is stored already."""
    try:
        overrides = [spec.Override.read(text) for text in override or ()]
        found = spec.resolve(spec.load(file), profile, overrides, only or ())
    except spec.SpecError as error:
        print(spec.render(error.problems), file=sys.stderr)
        raise typer.Exit(ERROR) from None
    if found.warnings:
        print(spec.render(found.warnings), file=sys.stderr)
    if device not in ("cpu", "gpu"):
        print(f"there is no device '{device}': it is cpu or gpu", file=sys.stderr)
        raise typer.Exit(2)
    from ..folders import STORE
    from ..planning import available_memory, calibrate, plan_data, refusal, rows, stored_replicates

    rate = calibrate()
    limit = available_memory() if memory is None else round(memory * GIB)
    try:
        stored = stored_replicates(found, runs / STORE, device)
    except spec.SpecError as error:
        print(spec.render(error.problems), file=sys.stderr)
        raise typer.Exit(ERROR) from None
    made = rows(found, stored, rate, device)
    refused = [text for row in made if (text := refusal(row, limit))]
    if as_json:
        import json

        print(json.dumps(plan_data(found, made, rate, refused), allow_nan=False))
    else:
        from ..plan_table import print_plan

        print_plan(found, made, rate)
    if refused:
        print("\n".join(refused), file=sys.stderr)
        raise typer.Exit(ERROR)
