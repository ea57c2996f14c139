"""Cells grouped by program, and what tells programs apart: for tables and figures alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .cells import Cell


def label(cell: Cell, leave_out: Sequence[str] = ()) -> str:
    """What tells a cell's program from the others."""
    parts = [cell.variant] if cell.variant and "variant" not in leave_out else []
    parts += [f"{name} = {value}" for name, value in cell.constants.items() if name not in leave_out]
    return ", ".join(parts) or cell.experiment


def axis_value(cell: Cell, axis: str) -> Any:
    """A cell's value on an axis."""
    return cell.variant if axis == "variant" else cell.constants[axis]


def programs(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """The cells that differ in their replicate alone."""
    found: dict[Any, list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.variant, tuple(cell.constants.items())), []).append(cell)
    yield from found.values()
