"""Cells that differ in the values of numbers alone: one program, in which each such number is an array with an entry a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .plan import Program


@dataclass(frozen=True, eq=False)
class CellBatch:
    """Cells that one compiled program serves, side by side or one after the other.

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

    def only(self, places: Sequence[int]) -> CellBatch:
        """Some of the cells, in the same program: what is compiled for them serves as many others of the batch."""
        return replace(
            self,
            programs=tuple(self.programs[place] for place in places),
            constants=tuple(values[list(places)] for values in self.constants),
        )

    @staticmethod
    def of_one(program: Program) -> CellBatch:
        """A cell alone: all its numbers stay constants."""
        return CellBatch((program,), program)
