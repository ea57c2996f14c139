"""`dlspec validate`: checks studies in all their profiles."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import AllowData
from .validate_files import Format, validate_files


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Studies.")],
    form: Annotated[
        Format, typer.Option("--format", help="Prose, GitHub's annotations, a SARIF 2.1.0 log, or JSON.")
    ] = Format.text,
    only_studies: Annotated[bool, typer.Option("--only-studies", help="Skips files without a key `dlspec`.")] = False,
    allow_data: AllowData = False,
) -> None:
    """Checks studies in all their profiles, without running anything."""
    if code := validate_files(files, form, only_studies):
        raise typer.Exit(code)
