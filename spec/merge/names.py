"""Keys that one side wrote otherwise: an entry that went and one that came, which say the same or nearly."""

from __future__ import annotations

from collections.abc import Sequence

from .meaning import key_of, same
from .pieces import Item, Scalar

ENOUGH = 0.5
"""What share of an entry's own entries has to be alike."""


def renamed(base: Sequence[Item], side: Sequence[Item]) -> dict[str, str]:
    """Names of the base with those that a side has for them, where it has others."""
    before, after = ({key_of(item): item for item in items} for items in (base, side))
    fresh = [key for key in after if key not in before]
    names: dict[str, str] = {}
    for key in [key for key in before if key not in after]:
        likeness = {other: _likeness(before[key], after[other]) for other in fresh}
        best = max(likeness, key=lambda other: likeness[other], default=None)
        if best is not None and likeness[best] > ENOUGH and list(likeness.values()).count(likeness[best]) == 1:
            names[key] = best
            fresh.remove(best)
    return names


def _likeness(one: Item, other: Item) -> float:
    """How much of two entries is alike, from 0 to 1."""
    if same(one.value, other.value):
        return 1.0
    if isinstance(one.value, Scalar) or isinstance(other.value, Scalar) or not one.value.mapping:
        return 0.0
    if not other.value.mapping:
        return 0.0
    mine, theirs = ({key_of(item): item for item in value.items} for value in (one.value, other.value))
    shares = [_likeness(mine[key], theirs[key]) for key in mine.keys() & theirs.keys()]
    return sum(shares) / max(1, len(mine.keys() | theirs.keys()))
