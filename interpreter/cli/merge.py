"""`dlspec merge`: two versions of a study that come from one are merged by meaning; git calls it as a merge driver."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .merge_files import MARKER_SIZE, merge_files


def merge(
    base: Annotated[str, typer.Argument(metavar="BASE", help="The version that both come from; an empty file: none.")],
    ours: Annotated[str, typer.Argument(metavar="OURS", help="The version whose layout is kept, and whose file takes the result.")],
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="The other version.")],
    marker_size: Annotated[int, typer.Argument(metavar="SIZE", help="How long the marks of a text merge are: git's %L.")] = MARKER_SIZE,
    path: Annotated[str | None, typer.Argument(metavar="PATH", help="What the file is called in messages: git's %P.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Takes the result, in place of OURS.")] = None,
    stdout: Annotated[bool, typer.Option("--stdout", help="Prints the result, and leaves OURS as it is.")] = False,
) -> None:  # fmt: skip
    """Merges two versions of a study by meaning. Exits with 0 when all is decided and valid, with 1 when not."""
    raise typer.Exit(merge_files((base, ours, theirs), marker_size, path, output, stdout))
