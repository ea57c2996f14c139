"""Cells that differ from those of their name before, and whose digests were those of others: nothing has to run again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from .changes import Cell, CellSide, StudyDiff

Older = Iterable[tuple[str, CellSide]]
"""Cells of the older side by their names."""


@dataclass
class _Stored:
    """What is stored of one training: the measures that were taken, when, and under which names."""

    measures: set[str] = field(default_factory=set)
    taken: frozenset[object] = frozenset()
    names: list[str] = field(default_factory=list)
    replicates: int = 0


def with_known_cells(diff: StudyDiff, elsewhere: Older = ()) -> StudyDiff:
    """The difference with the status `known` for cells whose results are there under another name.

    Args:
        diff: The difference.
        elsewhere: Cells of the older side beside those in the difference, by what they are called.
    """
    every = [*diff.cells, *(cell for own in diff.profiles.values() for cell in own)]
    if not any(cell.status in ("again", "new") for cell in every):
        return diff
    stored = _stored([*older_cells(diff), *elsewhere])
    profiles = {name: tuple(_known(cell, stored) for cell in own) for name, own in diff.profiles.items()}
    return replace(diff, cells=tuple(_known(cell, stored) for cell in diff.cells), profiles=profiles)


def older_cells(diff: StudyDiff) -> Iterator[tuple[str, CellSide]]:
    """The cells of the older side, with and without profiles."""
    for cell in [*diff.cells, *(cell for own in diff.profiles.values() for cell in own)]:
        if cell.before is not None:
            yield cell.older_name, cell.before


def _stored(cells: Older) -> dict[str, _Stored]:
    """What is stored, by the digest of the training."""
    by_digest: dict[str, _Stored] = {}
    for name, side in cells:
        entry = by_digest.setdefault(side.digest, _Stored())
        entry.measures |= set(side.measures.values())
        entry.taken |= side.taken
        entry.names.append(name)
        entry.replicates = max(entry.replicates, side.replicates)
    return by_digest


def _known(cell: Cell, stored: dict[str, _Stored]) -> Cell:
    if cell.status not in ("again", "new") or cell.after is None:
        return cell
    entry = stored.get(cell.after.digest)
    if entry is None or not set(cell.after.measures.values()) <= entry.measures:
        return cell
    if not cell.after.taken <= entry.taken or cell.after.replicates > entry.replicates:
        return cell
    return replace(cell, status="known", known_as=entry.names[0])
