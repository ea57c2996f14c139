"""Compares changes with the digests of cells: which have no effect, and where digests differ though no path does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .cells import SAME_DIGEST
from .changes import Cell, Change, Where
from .classes import BESIDE_CELLS, BORROWED, NAMED, own_class
from .settings import Setting

SAME_VALUES = "the same by meaning: what is made from it is what it was"
"""The note on a name that came or went, where all that is made from it has the values that it had."""


def borne_out(experiment: str, changes: list[Change], cells: Sequence[Cell], renamed: bool) -> list[Change]:
    """Changes with the classes that the digests bear out, and one more for a digest that differs for no path.

    Args:
        experiment: The experiment's name.
        changes: All of its changes, by their paths.
        cells: Its cells on both sides, with what became of their digests.
        renamed: Whether the experiment was renamed: then every digest differs.
    """
    by_setting: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.before is not None and cell.after is not None:
            patches = tuple((axis, value) for axis, value in cell.point.items() if isinstance(value, str))
            by_setting.setdefault(Setting(cell.variant, patches).name, []).append(cell)
    became = _Became(by_setting)
    effective = [_borne_out(change, became) for change in changes]
    if renamed or any(change.seeds for change in effective):
        return effective
    reasons = [c for c in effective if not c.where.profiles and c.classes != ("text",)]
    reasons = [c for c in reasons if c.scope in ("", "sweep", "zip") and c.classes[0] not in ("claim", "figure")]
    explained = {name for change in reasons for name in change.where.variants}
    if any(not change.where.variants for change in reasons):
        explained = {*by_setting}
    unexplained = [
        name
        for name, own in by_setting.items()
        if name not in explained and any(cell.status not in SAME_DIGEST for cell in own)
    ]
    dead = [c for c in effective if c.classes == ("text",) and not c.scope and c.path[0] in (*NAMED, "gradient")]
    if unexplained and dead:  # what seemed to be used by nothing is used after all
        trained = any(cell.status == "again" or not _trained(cell) for name in unexplained for cell in by_setting[name])
        classes = {id(change): (own_class(change.path) if trained else "measure",) for change in dead}
        return [replace(change, classes=classes.get(id(change), change.classes)) for change in effective]
    if unexplained:
        note = "the same by meaning, computed in another way: the digest differs, and numbers may differ by rounding"
        where = Where(tuple(unexplained) if len(unexplained) < len(by_setting) else ())
        effective.append(
            Change(experiment, ("spelling",), "changed", None, None, ("training",), where=where, note=note)
        )
    return effective


class _Became:
    """What became of the cells of some variants, looked up once for all changes in the same ones."""

    def __init__(self, by_setting: Mapping[str, Sequence[Cell]]) -> None:
        self.by_setting = by_setting
        self.known: dict[tuple[str, ...], tuple[set[str], set[str]]] = {}

    def of(self, variants: tuple[str, ...]) -> tuple[set[str], set[str]]:
        """What became of their cells, of those of all where none are named; and of the cells in which there is training."""
        if variants not in self.known:
            own = [cell for name in variants or self.by_setting for cell in self.by_setting.get(name, ())]
            self.known[variants] = {cell.status for cell in own}, {cell.status for cell in own if _trained(cell)}
        return self.known[variants]


def _borne_out(change: Change, became: _Became) -> Change:
    free = change.scope or change.where.profiles or change.action == "renamed" or not change.path
    if free or change.path[0] in ("replicates", *BESIDE_CELLS) or change.path[:2] == ("training", "evaluate"):
        return change
    own, states = became.of(change.where.variants)
    if "measures" in states <= {*SAME_DIGEST, "measures"}:  # nothing is trained otherwise
        change = replace(change, classes=("measure", *(name for name in change.classes if name in ("claim", "figure"))))
    if not own or not own <= {*SAME_DIGEST}:
        return change
    if change.respelled:  # of no result, or within what a function multiplies: no number is rounded otherwise
        change = replace(change, respelled=False, note="")
    if change.path[0] == "measures" and change.classes == ("measure",):  # one less, or what others measured
        return replace(change, note=change.note or "no cell has to run again for it")
    kept = tuple(name for name in change.classes if name in ("claim", "figure")) or ("text",)
    opened = change.opened or (kept == ("text",) and change.classes != ("text",) and change.path[0] in BORROWED)
    note = "no result depends on it" if kept == ("text",) else "no cell depends on it"
    note = SAME_VALUES if opened else note
    return replace(change, classes=kept, note=change.note or note, opened=opened)


def _trained(cell: Cell) -> bool:
    """Whether there is training on both sides: else all that is measured is measured at initialisation."""
    return all(side is not None and side.steps > 0 for side in (cell.before, cell.after))
