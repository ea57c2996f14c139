"""`dlspec diff`: what changes between two studies, by meaning."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from dlspec import spec

SAME, DIFFERENT, TROUBLE = 0, 1, 2
DRIVER_ARGUMENTS = 7


def diff(
    sides: Annotated[
        list[str], typer.Argument(metavar="A B", help="Files, `REV:path` of git, `-` for the standard input, or two directories.")
    ],
    markdown: Annotated[bool, typer.Option("--md", help="Prints GitHub-flavoured Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object.")] = False,
    runs: Annotated[Path, typer.Option(help="Where runs are stored: what they gave stands beside the change.")] = Path("runs"),
    textconv: Annotated[bool, typer.Option("--textconv", help="For git: prints one study's meaning in lines.")] = False,
    driver: Annotated[bool, typer.Option("--driver", help="For git: takes the arguments of an external diff.")] = False,
) -> None:  # fmt: skip
    """Shows what changes between two studies, by meaning. Exits with 0 when nothing does, 1 when something does."""
    if textconv or driver:
        from . import git_driver as git

        raise typer.Exit(git.textconv(sides) if textconv else git.driver(sides))
    if len(sides) != 2:
        print("dlspec diff takes two sides: `dlspec diff HEAD:study.yaml study.yaml`", file=sys.stderr)
        raise typer.Exit(TROUBLE)
    from .diff_studies import compared

    try:
        found = compared(sides[0], sides[1], runs, _warn)
    except spec.SpecError as error:
        _trouble(error, sides)
    if as_json:
        import json

        from dlspec.spec.diff.json_form import data

        print(json.dumps(data(found.diffs, found.past), allow_nan=False))
    elif markdown:
        from dlspec.spec.diff.markdown import markdown as to_markdown

        print(to_markdown(found.diffs, found.past), end="")
    else:
        from rich.console import Console

        from .text.diff import print_diff

        console = Console(file=sys.stdout, soft_wrap=True, highlight=False)
        for place, (name, item) in enumerate(found.diffs):
            if place:
                console.print()
            print_diff(name if len(found.diffs) > 1 else "", item, console, found.past)
    raise typer.Exit(SAME if found.same else DIFFERENT)


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def _trouble(error: spec.SpecError, sides: list[str]) -> NoReturn:
    side = getattr(error, "side", "")
    if side:
        name = sides[0] if side == "before" else sides[1]
        print(f"the {'first' if side == 'before' else 'second'} side, {name}, is no valid study:\n", file=sys.stderr)
    print(spec.render(error.problems), file=sys.stderr)
    raise typer.Exit(TROUBLE)
