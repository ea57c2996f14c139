"""`dlspec export`: a cell's compiled training program, to be run elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..api.exporting import Format
from ..backend.devices import AUTO
from . import complete
from .options import AllowData, Device, File, Overrides, Profile, resolved


def export(
    file: File,
    cell: Annotated[
        str | None, typer.Option("--cell", metavar="NAME", help="Which cell: `EXPERIMENT/VARIANT CONSTANT=VALUE`, as `show` prints it.", autocompletion=complete.cells)
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="XLA's input as text, or TensorFlow's own.")] = Format.stablehlo,
    replicates: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many replicates run side by side; otherwise all of the cell.")
    ] = None,
    device: Device = AUTO, profile: Profile = None, override: Overrides = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FOLDER", help="A new folder; otherwise named after the cell.")] = None,
    allow_data: AllowData = False,
) -> None:  # fmt: skip
    """Writes the compiled training program of a cell into a folder. The program, its inputs at the start, a manifest."""
    from ..api.exporting import exported

    plan = resolved(file, profile, override, None)
    print(exported(plan, cell, output, form, replicates, device, owns_process=True))
