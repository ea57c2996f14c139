"""`dlspec report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from ..results.folder_names import REPORT
from . import complete
from .options import ERROR, Runs
from .warnings_told import tell_warning


def report(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run: its name, its folder, or an archive; otherwise the newest.", autocompletion=complete.runs)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where the page goes; otherwise into the run's folder.")
    ] = None,
    root: Runs = Path("runs"),
) -> None:  # fmt: skip
    """Writes a run as one HTML page that needs nothing beside it: claims, figures, cells, provenance, the spec."""
    from ..api.packing import is_archive, unpacked
    from ..api.run import write_page
    from ..results.run_list import named, newest

    if run is not None and is_archive(run):
        with TemporaryDirectory() as folder:
            found = unpacked(Path(run), Path(folder), tell_warning).run
            file = output or Path(f"{found.name}.html")
            whole = write_page(found, file, tell_warning)
        print(file)
        raise typer.Exit(0 if whole else ERROR)
    found = named(root, run) if run is not None else newest(root)
    file = output or found.folder / REPORT
    whole = write_page(found, file, tell_warning)
    print(file)
    if not whole:
        raise typer.Exit(ERROR)
