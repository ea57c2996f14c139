"""Names that are on both sides, each for what had another name before: `a` and `b` exchanged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

T = TypeVar("T")


def exchanged(
    old: Mapping[str, T], new: Mapping[str, T], same: Callable[[T, T], bool], key: Callable[[T], Hashable]
) -> dict[str, str]:
    """Old name to new of what was passed on in a ring or a row of names, all of it the same.

    A name that both sides have stands for another thing only where what it stood for is under another name now, and
    what it stands for now was under another name before: otherwise it is the same thing, changed. `key` is equal for what is the
    same, and for little else: what has another is not compared.

    >>> exchanged({"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 1, "c": 4}, lambda x, y: x == y, lambda x: x)
    {'a': 'b', 'b': 'a'}
    """
    moved = [name for name in old if name in new and not same(old[name], new[name])]
    if not moved:
        return {}
    free: dict[Hashable, list[str]] = {}
    others = {*moved}
    for name in new:
        if name in others or name not in old:
            free.setdefault(key(new[name]), []).append(name)
    new_names: dict[str, str] = {}
    for name in [*moved, *(name for name in old if name not in new)]:
        alike = free.get(key(old[name]), [])
        twin = next((other for other in alike if same(old[name], new[other])), None)
        if twin is not None:
            alike.remove(twin)
            new_names[name] = twin
    came = {now: was for was, now in new_names.items()}
    pending = list(moved)
    while pending:  # a row that leads to nothing is given up from its ends
        name = pending.pop()
        if name in others and (name in new_names) != (name in came):
            was = name if name in new_names else came[name]
            now = new_names.pop(was)
            del came[now]
            pending += (was, now)
    return new_names
