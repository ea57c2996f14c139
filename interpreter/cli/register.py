"""`dlspec register`: writes down what a study claims, and on which design, before it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AllowData, File, Profile, Runs, resolved


def register(
    file: File, profile: Profile = None, runs: Runs = Path("runs"),
    replace: Annotated[bool, typer.Option("--replace", help="Replaces an earlier registration.")] = False,
    allow_data: AllowData = False,
) -> None:  # fmt: skip
    """Writes a study's claims and design into a file beside it. Later runs say whether they are still the same."""
    from ..api.registering import registered

    print(registered(Path(file), resolved(file, profile, None, None), runs, replace))
