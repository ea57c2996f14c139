"""What claims may ask of cells: at which steps these are evaluated, where their phases end, their constants that no axis changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.plan import Program
from .steps import Borders

Evaluated = tuple[tuple[Mapping[str, Any], tuple[int, ...]], ...]


def evaluated_in(programs: Sequence[Program]) -> Evaluated:
    """For each cell its place on the axes, and the steps at which measures are taken."""
    return tuple((program.place, program.training.evaluations if program.training else (0,)) for program in programs)


def borders_in(programs: Sequence[Program]) -> tuple[tuple[Mapping[str, Any], Borders], ...]:
    """For each cell its place on the axes, and where the phases of its training begin and end."""
    return tuple((program.place, program.training.borders if program.training else ()) for program in programs)


def constants_in(programs: Sequence[Program], axes: Collection[str]) -> dict[str, float]:
    """The constants of cells that are numbers, but for those that an axis changes."""
    constants = programs[0].constants.items() if programs else ()
    return {name: float(value) for name, value in constants if not np.shape(value) and name not in axes}
