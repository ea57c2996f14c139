"""Cells that differ in the values of numbers alone: one program, in which each such number is an array with an entry a cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .plan import Program


@dataclass(frozen=True, eq=False)
class CellBatch:
    """Cells that may be trained side by side, in one compiled program.

    Args:
        programs: those of the cells, one or more.
        program: the one for all. Where numbers differ from cell to cell, its terms have a `SweptConstant`.
        constants: the values of these, by place: int64 or float64 [cells, …].
        varying_draws: the names of the draws that differ from cell to cell; the others are the same in each by design.
    """

    programs: tuple[Program, ...]
    program: Program
    constants: tuple[np.ndarray[Any, Any], ...] = ()
    varying_draws: frozenset[str] = field(default_factory=frozenset)

    @staticmethod
    def of_one(program: Program) -> CellBatch:
        """A cell alone: all its numbers stay constants."""
        return CellBatch((program,), program)
