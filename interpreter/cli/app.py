"""The command `dlspec`. What needs TensorFlow is imported where it is used, so the rest starts at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..api.settings import ExecutorName
from ..backend.devices import AUTO
from . import runs
from .compare import compare
from .data import data
from .diff import diff
from .exit_codes import ended
from .export import export
from .fmt import fmt
from .generated import written_or_checked
from .lsp import lsp
from .merge import merge
from .new import new
from .ops import ops
from .options import AllowData, File, Only, Overrides, Profile, from_options, resolved
from .pack import cite, pack, unpack
from .plan import plan
from .register import register
from .report import report
from .root_command import without_commands
from .run_options import RunOptions
from .standard_output import prepared
from .validate import validate

app = without_commands()


def _add(*commands: Callable[..., None]) -> None:
    """Commands in the order in which help lists them."""
    for command in commands:
        app.command()(command)


_add(new, ops, data, validate, fmt, plan, register)

DONE, ERROR, USAGE, CLAIM_FAILS = 0, 1, 2, 3
SCHEMA = Path("schemas/study.schema.json")


class Stage(StrEnum):
    """Stages of the pipeline that can be printed."""

    resolved = "resolved"
    cells = "cells"
    expressions = "expressions"
    graph = "graph"


@app.command()
@from_options(RunOptions)
def run(options: RunOptions) -> None:
    """Runs what is not stored yet of a study. Figures, claims and numbers go to a folder under runs/."""
    if options.address is not None and options.executor is not ExecutorName.ray:
        print("--address needs --executor ray: it is the address of a Ray cluster", file=sys.stderr)
        raise typer.Exit(USAGE)
    if options.device != AUTO and options.executor is ExecutorName.ray:
        print("--device is for this machine: on a cluster the plan decides which nodes a program gets", file=sys.stderr)
        raise typer.Exit(USAGE)
    for archive in options.take or ():
        unpack(archive, options.runs)
    if options.watch:
        from .watch import watch

        raise typer.Exit(watch(options, sys.argv[1:]))
    plan = resolved(options.file, options.profile, options.override, options.only)
    from .run import execute

    raise typer.Exit(execute(plan, options, sys.argv[1:]))


app.add_typer(runs.app, name="runs")
_add(compare, report, pack, unpack, cite)


@app.command()
def show(
    file: File, stage: Annotated[Stage, typer.Option(help="Which stage.")] = Stage.cells,
    profile: Profile = None, override: Overrides = None, only: Only = None, allow_data: AllowData = False,
) -> None:  # fmt: skip
    """Prints a stage of the pipeline. The resolved spec, its cells, its typed expressions, or its graphs."""
    from . import show as stages

    plan = resolved(file, profile, override, only)
    if stage is Stage.graph:
        from ..backend.startup import start

        start(own_process=True)
    stages.print_stage(getattr(stages, stage.value)(plan))


_add(diff, merge, export)


@app.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help=f"Writes {SCHEMA}.")] = False,
    check: Annotated[bool, typer.Option("--check", help=f"Fails when {SCHEMA} is stale.")] = False,
) -> None:
    """Prints the JSON Schema of a study."""
    from dlspec.spec.model.json_schema import study_schema_text

    written_or_checked(study_schema_text(), SCHEMA, write, check)


_add(lsp)


def main() -> None:
    """All commands: whatever ends one is told in prose, never in a traceback."""
    prepared()
    sys.exit(ended(lambda: app(prog_name="dlspec")))
