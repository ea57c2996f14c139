"""The costs of cells before and after: only changed ones, cells with the same numbers together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..passes.flops_text import flops
from .cell_names import cell_names
from .changes import Cell, CellSide, StudyDiff

MAX_GROUPS = 8
"""Of more groups of cells, the first are shown, and the others counted."""
NETWORKS, TOTAL = "networks", "FLOPs in all"
"""Quantities that are compared in a way of their own: by shapes alone, and as a sum over all cells."""


@dataclass(frozen=True)
class Cost:
    """One quantity of some cells: `before` is none where they are new, `after` where they are gone."""

    quantity: str
    before: str | None
    after: str | None

    @property
    def text(self) -> str:
        """In words: `parameters 351 → 702`, or one number where there is one side."""
        known = [side for side in (self.before, self.after) if side is not None]
        return f"{self.quantity} {(' ⇒ ' if self.quantity == NETWORKS else ' → ').join(known)}"


@dataclass(frozen=True)
class CostGroup:
    """Cells that cost the same on both sides: their names, how many they are, and the quantities that differ.

    All quantities where there is one side.
    """

    name: str
    cells: int
    costs: tuple[Cost, ...]


def cost_groups(diff: StudyDiff) -> list[CostGroup]:
    """The cells whose costs differ, are new or gone; those with the same numbers share a group."""
    groups: dict[tuple[Cost, ...], list[Cell]] = {}
    for cell in diff.cells:
        costs = tuple(_costs(cell.before, cell.after))
        if costs:
            groups.setdefault(costs, []).append(cell)
    return [CostGroup(cell_names(diff, own, 3), len(own), costs) for costs, own in groups.items()]


def more_groups(groups: list[CostGroup]) -> str:
    """What is said of the groups beyond those that are shown; nothing where all are."""
    rest = groups[MAX_GROUPS:]
    return f"{sum(group.cells for group in rest)} more cells have other costs" if rest else ""


def _costs(before: CellSide | None, after: CellSide | None) -> Iterable[Cost]:
    """The quantities that differ; a network under another name is not among them."""
    sides = [_texts(side) if side is not None else None for side in (before, after)]
    if sides[0] is None or sides[1] is None:
        for quantity in sides[0] or sides[1] or {}:
            old, new = (None if side is None else side[quantity] for side in sides)
            yield Cost(quantity, old, new)
        return
    assert before is not None and after is not None
    same_shapes = sorted(before.networks.values()) == sorted(after.networks.values())
    for quantity, old in sides[0].items():
        new = sides[1][quantity]
        if old != new and quantity != TOTAL and not (quantity == NETWORKS and same_shapes):
            yield Cost(quantity, old, new)


def _texts(side: CellSide) -> dict[str, str]:
    return {
        NETWORKS: ", ".join(f"{name} {shape}" for name, shape in side.networks.items()) or "none",
        "parameters": f"{side.cost.parameters:,}",
        "FLOPs a step": flops(side.cost.step),
        "steps": f"{side.steps:,}",
        TOTAL: flops(side.total),
    }
