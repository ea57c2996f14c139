"""What could not be decided, and the mark that stands for it in the text: a value with a tag, which no study may hold.

steps: !conflict
  base: 500
  ours: 1000
  theirs: 2000
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..source.conflicts import BASE, NAMES, OURS, REMOVED_TAG, TAG, THEIRS
from .pieces import Block, Flow, Item, Scalar, Value, moved_value
from .spelling import fitted, flowing, in_block

REMOVED = Scalar(REMOVED_TAG, "", tag=REMOVED_TAG)


@dataclass(frozen=True)
class Conflict:
    """A path that both sides changed, each in its own way."""

    path: tuple[str, ...]


def marked(base: Value | None, ours: Value | None, theirs: Value | None, column: int) -> Block:
    """The mark, for an entry whose key stands in a column. A side without a value removed what is there in the base."""
    sides = [(BASE, base)] if base is not None and not undecided(base) else []
    sides += [(OURS, ours if ours is not None else REMOVED), (THEIRS, theirs if theirs is not None else REMOVED)]
    items = [
        fitted(Item((), name, name, f"{name}: ", moved_value(value, 2), "\n", column + 2)) for name, value in sides
    ]
    return Block(True, tuple(items), column + 2, tag=TAG)


def naming(mark: Block, *names: str) -> Block:
    """A mark whose sides are one entry under two names."""
    both = flowing(Flow(False, "[", tuple(Item((), None, "", "", Scalar(name, name), "") for name in names), "]"))
    return replace(mark, items=(Item((), NAMES, NAMES, f"{NAMES}: ", both, "\n", mark.column), *mark.items))


def undecided(value: Value) -> bool:
    """Whether there is a mark in a value: git makes one base of two by merging them."""
    return value.tag == TAG or (not isinstance(value, Scalar) and any(undecided(item.value) for item in value.items))


def of_items(items: Sequence[Item], column: int, mapping: bool = False) -> Value:
    """Items of a list, or entries, as a value of their own, in a mark whose key stands in a column; -1: in braces."""
    if not items or column < 0:
        opening, closing = ("{", "}") if mapping else ("[", "]")
        return flowing(Flow(mapping, opening, tuple(items), closing))
    return Block(mapping, tuple(in_block(item, column + 2) for item in items), column + 2)
