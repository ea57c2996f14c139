"""`Study.export`: a cell's compiled training program in a folder, to be run elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dlspec.spec.diagnostics.problems import Problem, StudyError, listing
from dlspec.spec.ir.plan import Program, StudyPlan

from ..backend.devices import Asked
from .choose_cell import side_by_side, trained


class Format(StrEnum):
    """Formats of a compiled program."""

    stablehlo = "stablehlo"
    saved_model = "saved_model"


@dataclass(frozen=True)
class Exported:
    """A compiled training program: the `folder` that it lies in, its `cell`, and `manifest.json` as plain data."""

    folder: Path
    cell: str
    manifest: Mapping[str, Any]

    @property
    def replicates(self) -> int:
        """How many replicates lie side by side."""
        return len(self.manifest["replicates"])

    def __str__(self) -> str:
        count = f"{self.replicates} {'replicate' if self.replicates == 1 else 'replicates'} side by side"
        steps, flops = self.manifest["steps"], self.manifest["flops_per_step"]
        return f"{self.folder}: {self.cell}, {count}, {steps:,} steps of {flops:,} FLOP"


def exported(
    plan: StudyPlan,
    cell: str | None,
    folder: Path | None,
    form: Format,
    replicates: int | None,
    device: Asked,
    owns_process: bool,
) -> Exported:
    """Compiles the training program of a cell, and writes it with its inputs into a new folder. Loads TensorFlow once that can be done.

    Args:
        plan: The resolved study.
        cell: The cell's name; not needed where there is one.
        folder: A folder that is not there yet; otherwise one named for the cell.
        form: XLA's input as text, or TensorFlow's own.
        replicates: How many lie side by side; otherwise all of the cell.
        device: On what it trains.
        owns_process: Whether nobody else's code runs in this process.

    Raises StudyError where there is no such cell, it does not train or does so in phases, or the folder is there or cannot be written.
    """
    program = trained(plan, cell)
    _must_be_one_loop(program)
    numbers = side_by_side(program, replicates)
    place = folder or Path(f"{re.sub(r'[^A-Za-z0-9_.=-]+', '-', program.name)}.{form.value}")
    if place.exists():
        hint = "Name another folder with --output, in Python with `folder`."
        raise StudyError(Problem(f"{place} exists already; nothing was written", hint=hint))
    from ..backend.startup import device as kind
    from ..backend.startup import start

    start(device, own_process=owns_process)
    from ..backend.jit_policy import uses_xla
    from ..program.export import export as write
    from ..program.program import Compiled

    where = kind()
    compiled = Compiled(program, numbers, form is Format.stablehlo or uses_xla(program, where), portable=True)
    return Exported(place, program.name, write(compiled, form.value, place, where))


def _must_be_one_loop(program: Program) -> None:
    """Refuses a training in phases: what is exported is the loop of one. Raises StudyError."""
    assert program.training is not None
    phases = program.training.phases
    if len(phases) == 1 and phases[0].times == 1:
        return
    names = listing(f"'{phase.name}'" + (f" ({phase.times} times)" if phase.times > 1 else "") for phase in phases)
    hint = "Export a cell with `steps` in place of `phases`, and the loss and the optimiser of one of them."
    raise StudyError(
        Problem(f"'{program.name}' is trained in phases, {names}, and an exported program is one loop", hint=hint)
    )
