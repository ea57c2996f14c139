"""Names that are on both sides, each for what had another name before: `a` and `b` exchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


def exchanged(old: Mapping[str, T], new: Mapping[str, T], same: Callable[[T, T], bool]) -> dict[str, str]:
    """Old name to new of what was passed on in a ring or a row of names, all of it the same.

    A name that both sides have stands for another thing only where what it stood for is under another name now, and
    what it stands for now was under another name before: otherwise it is the same thing, changed.

    >>> exchanged({"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 1, "c": 4}, lambda x, y: x == y)
    {'a': 'b', 'b': 'a'}
    """
    moved = [name for name in old if name in new and not same(old[name], new[name])]
    if not moved:
        return {}
    free = [name for name in new if name in moved or name not in old]
    new_names: dict[str, str] = {}
    for name in [*moved, *(name for name in old if name not in new)]:
        twin = next((other for other in free if same(old[name], new[other])), None)
        if twin is not None:
            free.remove(twin)
            new_names[name] = twin
    while broken := [name for name in moved if (name in new_names) != (name in new_names.values())]:
        for name in broken:
            new_names = {was: now for was, now in new_names.items() if name not in (was, now)}
    return new_names
