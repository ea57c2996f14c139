"""Replicates grouped by program, and what tells programs apart: for tables and figures alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dlspec.spec.ir.plan import cell_name

from .replicates import Replicate


def label(replicate: Replicate, leave_out: Sequence[str] = ()) -> str:
    """What tells a replicate's program from the others."""
    parts = [replicate.variant] if replicate.variant and "variant" not in leave_out else []
    parts += [f"{name} = {value}" for name, value in replicate.constants.items() if name not in leave_out]
    return ", ".join(parts) or replicate.experiment


def cell_of(replicate: Replicate) -> str:
    """What people call a replicate's cell."""
    return cell_name(replicate.experiment, replicate.variant, replicate.constants)


def axis_value(replicate: Replicate, axis: str) -> Any:
    """A replicate's value on an axis."""
    return replicate.variant if axis == "variant" else replicate.constants[axis]


def programs(replicates: Sequence[Replicate]) -> Iterator[list[Replicate]]:
    """The replicates that differ in their replicate alone."""
    found: dict[Any, list[Replicate]] = {}
    for replicate in replicates:
        found.setdefault((replicate.variant, tuple(replicate.constants.items())), []).append(replicate)
    yield from found.values()
