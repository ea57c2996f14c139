"""`dlspec fmt`: writes studies in their canonical form."""

from __future__ import annotations

from typing import Annotated

import typer

from .format_files import Formatting


def fmt(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Studies; `-` reads one from standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Writes nothing; ends with 1 if a file would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Writes nothing; prints what would change.")] = False,
    only_studies: Annotated[bool, typer.Option("--only-studies", help="Skips files without a key `dlspec`.")] = False,
    only_valid: Annotated[
        bool,
        typer.Option("--only-valid", help="Leaves invalid files as they are, with a line for each, and does not fail."),
    ] = False,
) -> None:
    """Writes studies in their canonical form. Order, spacing and quotes change; comments and meaning stay."""
    raise typer.Exit(Formatting(check, diff, only_studies, only_valid).files(files))
