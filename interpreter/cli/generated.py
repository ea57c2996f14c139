"""Generated files: printed, written, or compared with what is there."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from .options import ERROR


def written_or_checked(text: str, path: Path, write: bool, check: bool) -> None:
    """Writes a generated text to its place, or ends with an error where what is there is stale, or prints it."""
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(path)
    elif check:
        if not path.exists() or path.read_text("utf-8") != text:
            print(f"{path} is stale: `make schemas` regenerates it", file=sys.stderr)
            raise typer.Exit(ERROR)
    else:
        print(text, end="")
