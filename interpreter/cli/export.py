"""`dlspec export`: a cell's compiled training program, to be run elsewhere."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from dlspec import spec

from ..backend.devices import AUTO
from .options import Device, File, Overrides, Profile, resolved


class Format(StrEnum):
    """ProgramCache of a compiled program."""

    stablehlo = "stablehlo"
    saved_model = "saved_model"


def export(
    file: File,
    cell: Annotated[
        str | None, typer.Option("--cell", metavar="NAME", help="Which cell: `EXPERIMENT/VARIANT CONSTANT=VALUE`, as `show` prints it.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="XLA's input as text, or TensorFlow's own.")] = Format.stablehlo,
    replicates: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many replicates lie side by side; otherwise all of the cell.")
    ] = None,
    device: Device = AUTO, profile: Profile = None, override: Overrides = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FOLDER", help="A new folder; otherwise named for the cell.")] = None,
) -> None:  # fmt: skip
    """Writes the compiled training program of a cell into a folder: the program, its inputs at the start, a manifest."""
    plan = resolved(file, profile, override, None)
    from .choose import side_by_side, trained

    program = trained(plan, cell)
    numbers = side_by_side(program, replicates)
    folder = output or Path(f"{re.sub(r'[^A-Za-z0-9_.=-]+', '-', program.name)}.{form.value}")
    if folder.exists():
        raise spec.StudyError(
            spec.Problem(f"{folder} is there already; nothing was written", hint="--output names another folder.")
        )
    from ..backend.startup import device as kind
    from ..backend.startup import start

    start(device, own_process=True)
    from ..backend.jit_policy import uses_xla
    from ..program.export import export as write
    from ..program.program import Compiled

    where = kind()
    compiled = Compiled(program, numbers, form is Format.stablehlo or uses_xla(program, where), portable=True)
    about = write(compiled, form.value, folder, where)
    print(
        f"{folder}: {program.name}, {len(numbers)} {'replicate' if len(numbers) == 1 else 'replicates'} side by side, "
        f"{about['steps']:,} steps of {about['flops_per_step']:,} FLOP"
    )
