"""`dlspec merge`: two versions of a study that come from one are merged by meaning; git calls it as a merge driver."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .merge_files import MARKER_SIZE, merge_files


def merge(
    base: Annotated[str, typer.Argument(metavar="BASE", help="The common ancestor; an empty file if there is none.")],
    ours: Annotated[str, typer.Argument(metavar="OURS", help="The version whose layout is kept; its file receives the result.")],
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="The other version.")],
    marker_size: Annotated[int, typer.Argument(metavar="SIZE", help="The length of a text merge's conflict marks: git's %L.")] = MARKER_SIZE,
    path: Annotated[str | None, typer.Argument(metavar="PATH", help="The file's name in messages: git's %P.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Writes the result here instead of to OURS.")] = None,
    stdout: Annotated[bool, typer.Option("--stdout", help="Prints the result, and leaves OURS as it is.")] = False,
) -> None:  # fmt: skip
    """Merges two versions of a study by meaning. Exits with 0 if all is decided and valid, otherwise with 1."""
    raise typer.Exit(merge_files((base, ours, theirs), marker_size, path, output, stdout))
