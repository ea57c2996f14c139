"""`dlspec runs`: what is kept; shown, asked for numbers, exported, pruned, repaired."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..results.folder_names import STORE
from . import complete
from .options import ERROR, AsJson, Runs
from .warnings_told import tell_warning

app = typer.Typer(help="Lists runs; shows, exports or prunes them, or prints numbers.", rich_markup_mode=None)

Name = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run: its name, the beginning of it, or its folder.", autocompletion=complete.runs
    ),
]
RUNS = Path("runs")
DRAFT_SECONDS = 86_400


class VerdictName(StrEnum):
    """How a claim can come out."""

    holds = "holds"
    seen = "seen"
    fails = "fails"
    inconclusive = "inconclusive"


@app.callback(invoke_without_command=True)
def runs(
    context: typer.Context, root: Runs = RUNS,
    study: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this study.")] = None,
    profile: Annotated[str | None, typer.Option("-p", "--profile", metavar="NAME", help="Only runs of this profile.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only runs that ended since then.")] = None,
    verdict: Annotated[VerdictName | None, typer.Option(help="Only runs with a claim of this verdict.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object.")] = False,
) -> None:  # fmt: skip
    """Lists the runs that are kept, the newest first, and what the store holds."""
    context.obj = root
    if context.invoked_subcommand is not None:
        return
    from ..results.run_list import chosen, countable_runs

    unreadable: list[str] = []
    every = countable_runs(root, unreadable)
    found = chosen(every, study, profile, since, verdict.value if verdict else None)
    for line in unreadable:
        tell_warning(line)
    if as_json:
        print(json.dumps({"format_version": 1, "runs": [_data(run) for run in found], "store": _store(root)}))
        return
    if found:
        from ..api.terminal import console_of
        from .text.run_list import print_runs

        print_runs(found, console_of())
    else:
        print(
            f"{root}: no such run" if study or profile or since or verdict else f"{root}: no runs yet", file=sys.stderr
        )
    if (held := _store(root)) is not None:
        print(f"store: {held['cells']:,} replicates, {megabytes(held['bytes'])}")


@app.command()
def show(context: typer.Context, run: Name, root: Runs = RUNS) -> None:
    """Prints a run's finals and verdicts again, and its folder."""
    from rich.text import Text

    from ..api.run import open_run
    from ..api.terminal import console_of, print_text
    from ..results.made_by import stored_by_text, versions_text
    from ..results.optional_outputs import Aside
    from .text.results import forms, print_claims, print_finals

    found = open_run(run, _root(context, root))
    console = console_of()
    print_text(console, Text(found.name, "bold").append(f"  {found.finished:%Y-%m-%d %H:%M} UTC", "not bold"))
    print_text(console, Text(found.record.command_line), "  ")
    accelerator = found.about.get("accelerator")
    where = str(found.about.get("device", "–")) + (f" ({accelerator})" if accelerator else "")
    print_text(console, Text(f"{versions_text(found.about.get('packages') or {})}; {where}"), "  ")
    if others := stored_by_text(found.about):
        print_text(console, Text(others), "  ")
    aside = Aside(tell_warning)
    with aside.part("finals", "The rest is here"):
        print_text(console, Text(f"compiled as {forms(found.results)}"))
        console.print()
        print_finals(found.results, console)
    with aside.part("claims", "The rest is here"):
        print_claims(found.verdicts, console)
    console.print(f"\nrun    {found.path}", highlight=False, markup=False)
    if aside.failed:
        raise typer.Exit(ERROR)


@app.command()
def value(
    context: typer.Context, run: Name,
    expression: Annotated[
        str, typer.Argument(metavar="EXPRESSION", help="`final(error, d == 10)`, `first_step(accuracy >= 0.95)`, `final(error) < 0.1`.")
    ],
    experiment: Annotated[
        str | None, typer.Option("--experiment", metavar="NAME", help="Which experiment; not needed if the run has only one.", autocompletion=complete.experiments)
    ] = None,
    root: Runs = RUNS, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Prints a number of a run in the words of claims.

    For each replicate, and their mean (least … largest); of a condition, in how many it is true. In Python it is `run.evaluate(…)`.
    """
    from ..api.run import open_run
    from ..api.terminal import console_of
    from .text.quantity import print_quantity, quantity_data

    opened = open_run(run, _root(context, root))
    worth = opened.quantity(expression, experiment)
    if as_json:
        print(json.dumps(quantity_data(worth, opened.name), allow_nan=False))
    else:
        print_quantity(worth, console_of())


@app.command()
def export(
    context: typer.Context, run: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its ending, .csv or .parquet, sets the format.")],
    finals: Annotated[bool, typer.Option("--finals", help="One row per replicate with its last values, instead of the curves.")] = False,
    long: Annotated[bool, typer.Option("--long", help="Finals with one row per number: of an array, one per entry.")] = False,
    root: Runs = RUNS,
) -> None:  # fmt: skip
    """Writes a run's curves or finals as CSV or Parquet."""
    from ..api.run import open_run

    rows = open_run(run, _root(context, root)).export(file, finals=finals, long=long)
    print(f"{file}: {rows:,} rows")


@app.command()
def prune(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="RUN", help="Runs to remove.", autocompletion=complete.runs)] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Removes all but the newest N runs of each study and profile.")
    ] = None,
    replicates: Annotated[
        bool, typer.Option("--replicates", help="Also removes stored replicates that no remaining run shows.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Prints what would be removed, and removes nothing.")] = False,
    root: Runs = RUNS,
) -> None:  # fmt: skip
    """Removes runs. Without --replicates, stored replicates and checkpoints stay."""
    from ..results.run_list import drafts, list_runs, named, prunable, referenced_keys, remove

    root = _root(context, root)
    if not names and keep is None and not replicates:
        print(
            "say which runs to remove: by name or with --keep N; --replicates removes stored replicates that no run shows",
            file=sys.stderr,
        )
        raise typer.Exit(2)
    every = list_runs(root)
    doomed = {run.name: run for run in [named(root, name) for name in names or ()]}
    doomed |= {run.name: run for run in (prunable(every, keep) if keep is not None else ())}
    verb = "would be removed" if dry_run else "removed"
    for run in doomed.values():
        size = run.size()
        if not dry_run:
            remove(root, run)
        print(f"{run.name}: {verb}, {megabytes(size)}")
    for path in drafts(root, DRAFT_SECONDS):
        if not dry_run:
            shutil.rmtree(path, ignore_errors=True)
        print(f"{path.name}: {verb}, the draft of a run that was killed")
    if replicates and (root / STORE / "index.sqlite").exists():
        from ..store.store import Store

        left = referenced_keys([run for run in every if run.name not in doomed])
        with Store(root / STORE, tell_warning) as store:
            count, freed = store.prune(left, dry_run)
        print(f"store: {count:,} replicates {verb}, {megabytes(freed)} with checkpoints")


@app.command()
def repair(context: typer.Context, root: Runs = RUNS) -> None:
    """Rebuilds the store's index. It is made from the replicates' own files, which stay as they are."""
    from ..store.repair import repair as anew

    done = anew(_root(context, root) / STORE)
    for line in done.damaged:
        tell_warning(
            f"{line}. It was moved to {_root(context, root) / 'store' / 'damaged'}, and its replicates will run again"
        )
    print(
        f"{done.replicates:,} replicates are in the new index"
        + (f"; the old one is {done.index}" if done.index else "")
    )


def megabytes(size: int) -> str:
    """A size as one reads it.

    >>> megabytes(1_234_567), megabytes(999)
    ('1.2 MB', '1 kB')
    """
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{max(1, round(size / 1e3))} kB"


def _root(context: typer.Context, root: Path) -> Path:
    """The folder given after the subcommand, or before it."""
    return root if root != RUNS else (context.obj or root)


def _data(run: Any) -> dict[str, Any]:
    return {
        "run": run.name, "study": run.study, "profile": run.profile or None, "overrides": list(run.overrides), "only": list(run.only),
        "finished": run.about["finished"],
        "replicates": run.replicates, "stored": run.about.get("stored"), "verdicts": run.verdicts,
    }  # fmt: skip


def _store(root: Path) -> dict[str, int] | None:
    """What the store holds, or nothing where there is none that can be read."""
    from ..results.errors import StoreError
    from ..store.sqlite_index import counted

    try:
        return counted(root / STORE)
    except StoreError as error:
        tell_warning(f"{error.problems[0].message}. {error.problems[0].hint}")
        return None
