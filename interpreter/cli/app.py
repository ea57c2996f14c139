"""The command `dlspec`. What needs TensorFlow is imported where it is used, so the rest starts at once."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..api.settings import ExecutorName
from ..backend.devices import AUTO
from . import compare, runs
from .data import data
from .diff import diff
from .exit_codes import ended
from .export import export
from .fmt import fmt
from .lsp import lsp
from .merge import merge
from .options import AllowData, File, Only, Overrides, Profile, from_options, resolved
from .plan import plan
from .register import register
from .report import report
from .run_options import RunOptions
from .standard_output import prepared
from .validate import validate

app = typer.Typer(
    help="Specs of experiments on how deep learning fails: written down, run, reviewed.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

app.command()(compare.compare)
app.add_typer(runs.app, name="runs")

DONE, ERROR, USAGE, CLAIM_FAILS = 0, 1, 2, 3
SCHEMA = Path("schemas/study.schema.json")
REFERENCE = Path("docs/reference.md")


class Stage(StrEnum):
    """Stages of the pipeline that can be printed."""

    resolved = "resolved"
    cells = "cells"
    expressions = "expressions"
    graph = "graph"


@app.command()
@from_options(RunOptions)
def run(options: RunOptions) -> None:
    """Runs what is not stored yet of a study; figures, claims and numbers go to a folder under runs/."""
    if options.address is not None and options.executor is not ExecutorName.ray:
        print("--address is that of a Ray cluster: it goes with --executor ray", file=sys.stderr)
        raise typer.Exit(USAGE)
    if options.device != AUTO and options.executor is ExecutorName.ray:
        print("--device is for this machine: on a cluster the plan says which nodes a program gets", file=sys.stderr)
        raise typer.Exit(USAGE)
    plan = resolved(options.file, options.profile, options.override, options.only)
    from .run import execute

    raise typer.Exit(execute(plan, options, sys.argv[1:]))


app.command()(validate)
app.command()(fmt)
app.command()(lsp)


@app.command()
def show(
    file: File, stage: Annotated[Stage, typer.Option(help="Which stage.")] = Stage.cells,
    profile: Profile = None, override: Overrides = None, only: Only = None, allow_data: AllowData = False,
) -> None:  # fmt: skip
    """Prints a stage of the pipeline: the resolved spec, its cells, its typed expressions, or its graphs."""
    from . import show as stages

    plan = resolved(file, profile, override, only)
    if stage is Stage.graph:
        from ..backend.startup import start

        start(own_process=True)
    print(getattr(stages, stage.value)(plan))


app.command()(diff)
app.command()(merge)
app.command()(plan)
app.command()(register)
app.command()(export)
app.command()(report)
app.command()(data)


@app.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help=f"Writes {SCHEMA}.")] = False,
    check: Annotated[bool, typer.Option("--check", help=f"Fails when {SCHEMA} is stale.")] = False,
) -> None:
    """Prints the JSON Schema of a study."""
    from dlspec.spec.model.json_schema import study_schema_text

    _generated(study_schema_text(), SCHEMA, write, check)


@app.command()
def ops(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of them.")] = None,
    write: Annotated[bool, typer.Option("--write", help=f"Writes {REFERENCE}.")] = False,
    check: Annotated[bool, typer.Option("--check", help=f"Fails when {REFERENCE} is stale.")] = False,
) -> None:
    """Prints the operations, distributions, layers and modes of the language, or one of them."""
    from dlspec.spec.diagnostics.problems import did_you_mean, sentence
    from dlspec.spec.model import reference

    if name is None:
        _generated(reference.reference(), REFERENCE, write, check)
        return
    text = reference.describe(name)
    if text is None:
        hint = sentence(did_you_mean(name, reference.known()), "`dlspec ops` lists them all.")
        print(f"there is no operation '{name}'\n{hint}", file=sys.stderr)
        raise typer.Exit(ERROR)
    print(text)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The study's name, or a path ending in .yaml.")],
) -> None:
    """Writes a first spec that runs."""
    from dlspec.spec.new_study import first_spec

    path = Path(name if name.endswith(".yaml") else f"{name}.yaml")
    word = path.stem.replace("-", "_")
    if not (word.isascii() and word.isidentifier()):
        print(f"'{word}' is not a name: a letter, then letters, digits and underscores", file=sys.stderr)
        raise typer.Exit(USAGE)
    if path.exists():
        print(f"{path} is there already; nothing was written", file=sys.stderr)
        raise typer.Exit(ERROR)
    root = next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / SCHEMA).exists()), None)
    place = os.path.relpath(root / SCHEMA, path.parent or ".") if root else str(SCHEMA)
    try:
        path.write_text(first_spec(word, place), "utf-8")
    except OSError as error:
        print(f"{path}: cannot be written: {error.strerror}", file=sys.stderr)
        raise typer.Exit(ERROR) from None
    print(f"{path}\n\nNow: dlspec run {path}")


def _generated(text: str, path: Path, write: bool, check: bool) -> None:
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(path)
    elif check:
        if not path.exists() or path.read_text("utf-8") != text:
            print(f"{path} is stale: `make schemas` writes it anew", file=sys.stderr)
            raise typer.Exit(ERROR)
    else:
        print(text, end="")


def main() -> None:
    """The entry point: whatever ends a command is told in prose, never in a traceback."""
    prepared()
    sys.exit(ended(lambda: app(prog_name="dlspec")))
