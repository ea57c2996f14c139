"""`dlspec report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..folders import REPORT
from .study import Runs


def report(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run: its name, the beginning of it, or its folder; otherwise the newest.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where the page goes; otherwise into the run's folder.")
    ] = None,
    root: Runs = Path("runs"),
) -> None:  # fmt: skip
    """Writes a run as one HTML page that needs nothing beside it: claims, figures, cells, provenance, the spec."""
    from ..report import write_report
    from ..runs import named, newest
    from ..store import explained

    found = named(root, run) if run is not None else newest(root)
    file = output or found.folder / REPORT
    with explained(file.parent):
        write_report(found, file)
    print(file)
