"""Layers that are called by kind and place, and that the other side's layers gave another place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from .lists import kind, matched
from .meaning import key_of, meaning
from .pieces import Collection, Item, Scalar, Value


def doubts(base: str, sides: dict[str, tuple[str, Collection]], merged: Collection) -> list[str]:
    """Names of layers that a side speaks of where the base does not, and that stand for another layer in the result.

    Args:
        base: The base's text.
        sides: The text and the tree of `ours` and of `theirs`.
        merged: The merged tree.
    """
    said = []
    after = dict(_lists(merged))
    for side, (text, tree) in sides.items():
        other = "theirs" if side == "ours" else "ours"
        for path, items in _lists(tree):
            for name in _shifted(items, after.get(path, items)):
                word = re.compile(rf"\b{re.escape(name)}\b")
                if len(word.findall(text)) > len(word.findall(base)):
                    said.append(
                        f"{side} names layer `{name}` of network `{path[-2]}`, which is now another layer: {other} "
                        "added or removed one before it; give the layers names, or write the new place"
                    )
    return list(dict.fromkeys(said))


def _lists(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Sequence[Item]]]:
    """The lists of layers of a tree, by path."""
    if isinstance(value, Scalar) or not value.mapping:
        return
    for item in value.items:
        here = (*path, key_of(item))
        if here[-1] == "layers" and len(here) > 2 and not isinstance(item.value, Scalar) and not item.value.mapping:
            yield here, item.value.items
        else:
            yield from _lists(item.value, here)


def _shifted(before: Sequence[Item], after: Sequence[Item]) -> list[str]:
    """The names of layers by kind and place that stand for other ones, or for none, in another list."""
    if [meaning(item.value) for item in before] == [meaning(item.value) for item in after]:
        return []
    place, names = matched(before, after), _names(after)
    return [name for name, own in _names(before).items() if names.get(name) != place.get(own)]


def _names(items: Sequence[Item]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    places: dict[str, int] = {}
    for number, item in enumerate(items):
        word = kind(item)
        counts[word] += 1
        places[f"{word}_{counts[word]}"] = number
    return places
