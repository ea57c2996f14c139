"""Lists: which items of two are the same one, and which stretches of three belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .meaning import Meaning, key_of, meaning
from .pieces import Item, Scalar


@dataclass(frozen=True)
class Stretch:
    """Items of base, ours and theirs between two that are in all three; or, `joint`, one that is in all three."""

    base: Sequence[Item]
    ours: Sequence[Item]
    theirs: Sequence[Item]
    joint: bool = False


def stretches(base: Sequence[Item], ours: Sequence[Item], theirs: Sequence[Item]) -> Iterator[Stretch]:
    """Three lists of layers, cut at the layers that are in all of them."""
    mine, other = matched(base, ours), matched(base, theirs)
    at = (0, 0, 0)
    for place in sorted(mine.keys() & other.keys()):
        here = (place, mine[place], other[place])
        yield Stretch(base[at[0] : here[0]], ours[at[1] : here[1]], theirs[at[2] : here[2]])
        yield Stretch([base[here[0]]], [ours[here[1]]], [theirs[here[2]]], joint=True)
        at = (here[0] + 1, here[1] + 1, here[2] + 1)
    yield Stretch(base[at[0] :], ours[at[1] :], theirs[at[2] :])


def matched(before: Sequence[Item], after: Sequence[Item]) -> dict[int, int]:
    """Where items of a list are in another, in their order: as many of one name or meaning as can be, then of one kind."""
    names, others = ([_name(item) or meaning(item.value) for item in items] for items in (before, after))
    kinds, other_kinds = ([kind(item) for item in items] for items in (before, after))
    none: Alignment = (0, 0, None)
    row = [none] * (len(after) + 1)
    for i in reversed(range(len(before))):
        below, row = row, [none] * (len(after) + 1)
        for j in reversed(range(len(after))):
            row[j] = max(below[j], row[j + 1], key=_worth)
            alike = names[i] == others[j]
            if alike or kinds[i] == other_kinds[j]:
                equal, kindred, _ = below[j + 1]
                pair: Alignment = (equal + alike, kindred + (not alike), ((i, j), below[j + 1]))
                row[j] = max(pair, row[j], key=_worth)
    pairs: dict[int, int] = {}
    rest = row[0][2]
    while rest is not None:
        (i, j), (_, _, rest) = rest
        pairs[i] = j
    return pairs


Alignment = tuple[int, int, "tuple[tuple[int, int], Alignment] | None"]
"""How many pairs are equal, how many are of one kind alone, and the first pair with what comes behind it."""


def _worth(alignment: Alignment) -> tuple[int, int]:
    return alignment[:2]


def _name(item: Item) -> Meaning | None:
    """A layer's name, where it has one of its own."""
    value = item.value
    if isinstance(value, Scalar) or not value.mapping or len(value.items) != 1:
        return None
    inner = value.items[0].value
    if isinstance(inner, Scalar) or not inner.mapping:
        return None
    return next(
        (("name", key.value.text) for key in inner.items if key_of(key) == "name" and isinstance(key.value, Scalar)),
        None,
    )


def kind(item: Item) -> str:
    """A layer's kind."""
    value = item.value
    if isinstance(value, Scalar):
        return value.text
    return key_of(value.items[0]) if value.mapping and len(value.items) == 1 else ""


def united(base: Sequence[Item], ours: Sequence[Item], theirs: Sequence[Item]) -> list[Item] | None:
    """Items that count once each, whatever their order: less what one side removed, with what both added.

    What both added at one place stands in the order of its values. None where an item stands twice in a list, and where
    each side has put another one in place of what both took out.
    """
    sides = [{meaning(item.value): item for item in items} for items in (base, ours, theirs)]
    if any(len(side) != len(items) for side, items in zip(sides, (base, ours, theirs), strict=True)):
        return None
    before, mine, other = sides
    added = [side.keys() - before.keys() for side in (mine, other)]
    if before.keys() - mine.keys() - other.keys() and added[0] - added[1] and added[1] - added[0]:
        return None
    kept = [item for key, item in mine.items() if key in other or key not in before]
    fresh = {key for key in other if key not in before and key not in mine}
    at = {meaning(item.value) for item in kept} | fresh
    last: Meaning | None = None
    for key, item in other.items():
        if key in fresh:
            start = next((place + 1 for place, held in enumerate(kept) if meaning(held.value) == last), 0)
            while start < len(kept) and meaning(kept[start].value) not in other and _order(kept[start]) < _order(item):
                start += 1
            kept.insert(start, item)
        if key in at:
            last = key
    return kept


def _order(item: Item) -> tuple[int, float, str]:
    key = meaning(item.value)
    number = key[2] if len(key) == 3 and key[0] == "value" else None
    if isinstance(number, int | float) and not isinstance(number, bool):
        return (0, float(number), "")
    return (1, 0.0, repr(key))
