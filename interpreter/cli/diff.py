"""`dlspec diff`: what changes between two studies, by meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def diff(
    sides: Annotated[
        list[str], typer.Argument(metavar="A B", help="Files, `REV:path` of git, `-` for standard input, or two directories.")
    ],
    markdown: Annotated[bool, typer.Option("--md", help="Prints GitHub-flavoured Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Prints one JSON object.")] = False,
    runs: Annotated[Path, typer.Option(help="Where runs are stored; their results are shown beside the changes.")] = Path("runs"),
    textconv: Annotated[bool, typer.Option("--textconv", help="For git: prints one study's meaning in lines.")] = False,
    driver: Annotated[bool, typer.Option("--driver", help="For git: takes the arguments of an external diff.")] = False,
) -> None:  # fmt: skip
    """Shows what changes between two studies, by meaning. Exits with 0 when nothing does, 1 when something does."""
    if textconv or driver:
        from . import git_driver as git

        raise typer.Exit(git.textconv(sides) if textconv else git.driver(sides))
    if not (as_json or markdown):
        from .diff_as_text import diff_as_text

        raise typer.Exit(diff_as_text(sides, runs))
    from .diff_files import diff_files, show_json, show_markdown

    raise typer.Exit(diff_files(sides, runs, show_json if as_json else show_markdown))
