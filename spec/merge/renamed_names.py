"""Names that one side gave another spelling, and that the other side newly speaks of by the old one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..diff.trees import TEXTS
from ..model.fields import TOP, Place
from .meaning import key_of, keys
from .names import renamed
from .pieces import Collection, Item, Scalar, Value
from .places import own_names

Path = tuple[str, ...]
EXPERIMENTS, PROFILES, VARIANTS, BASE = "experiments", "profiles", "variants", "base"
PATCHED = frozenset({EXPERIMENTS, PROFILES, VARIANTS, "claims", "figures"})
"""Maps whose names no expression of a loss or a measure uses: keys of patches do."""
JUDGED = frozenset({"claims", "figures"})


@dataclass(frozen=True)
class Rename:
    """An entry of the map at a path that a side, `ours` or `theirs`, calls otherwise."""

    side: str
    path: Path
    old: str
    new: str


def doubts(base: Collection, sides: Mapping[str, Collection], merged: Collection) -> list[str]:
    """What a side speaks of where the base does not, and what has another name in the result.

    Args:
        base: The tree that both come from.
        sides: The trees of `ours` and of `theirs`.
        merged: The merged tree.
    """
    renames = [rename for side, tree in sides.items() for rename in _renames(side, base, tree, TOP, ())]
    if not renames:
        return []
    known, result = Counter(_uses(base)), Counter(_uses(merged))
    said = []
    for rename in renames:
        other = "theirs" if rename.side == "ours" else "ours"
        word = re.compile(rf"(?<![\w.]){re.escape(rename.old)}(?!\w)")
        fresh = Counter(_uses(sides[other])) - known
        if any(word.search(use.text) and use in result and _meant(rename, use, merged) for use in fresh):
            said.append(
                f"{other} newly uses `{rename.old}`, which {rename.side} calls `{rename.new}` in `{rename.path[-1]}`: "
                f"write `{rename.new}` where that is meant"
            )
    return list(dict.fromkeys(said))


def _renames(side: str, base: Value, tree: Value, place: Place, path: Path) -> Iterator[Rename]:
    """The names that a side changed, in all maps of the writer's own names that it has in common with the base."""
    if isinstance(base, Scalar) or isinstance(tree, Scalar) or not (base.mapping and tree.mapping):
        return
    before, after = ({key_of(item): item for item in value.items} for value in (base, tree))
    names = renamed(base.items, tree.items) if own_names([base, tree], place) and len(path) < 5 else {}
    for old, new in names.items():
        if (spoken := _spoken(old)) != _spoken(new):
            yield Rename(side, path, spoken, _spoken(new))
    words = keys(base)
    for key, item in before.items():
        other = after.get(names.get(key, key))
        if other is not None and item.alike != other.alike:
            yield from _renames(side, item.value, other.value, place.below(key, words), (*path, key))


def _spoken(key: str) -> str:
    """A name as it is spoken of: a function's without its parameters."""
    return key.partition("(")[0]


@dataclass(frozen=True)
class _Use:
    """A key or a value that may hold a name: its text, and the path of the map or list that it stands in."""

    path: Path
    text: str
    key: bool


def _uses(value: Value, path: Path = ()) -> Iterator[_Use]:
    if isinstance(value, Scalar):
        if not (path and path[-1] in TEXTS):
            yield _Use(path, value.text, False)
        return
    for item in value.items:
        if value.mapping:
            yield _Use(path, item.key or "", True)
        yield from _uses(item.value, (*path, key_of(item)) if value.mapping else path)


def _meant(rename: Rename, use: _Use, merged: Collection) -> bool:
    """Whether a use is one of the map that the name is of."""
    kind, inside = rename.path[-1], use.path[1:] if use.path[:1] == (PROFILES,) else use.path
    inside = inside[1:] if use.path[:1] == (PROFILES,) else inside  # the profile's name
    if kind == EXPERIMENTS:
        return (inside == (EXPERIMENTS,) and use.key) or inside[-1:] == (BASE,)
    if len(rename.path) < 2 or inside[:1] != (EXPERIMENTS,) or not _sees(rename, inside[1:2], merged):
        return False
    if kind in PATCHED:
        judged = kind == VARIANTS and not use.key and bool(JUDGED & {*inside[2:3]})
        return judged or (use.key and inside[-1:] == (kind,))
    return True


def _sees(rename: Rename, names: Path, merged: Collection) -> bool:
    """Whether an experiment has the names of the one that a rename is in: itself, or by deriving from it."""
    experiments = {key_of(item): item for item in _entries(_under(merged, (EXPERIMENTS,)))}
    seen: set[str] = set()
    name = next(iter(names), "")
    while name in experiments and name not in seen:
        if name == rename.path[1]:
            return True
        seen.add(name)
        held = experiments[name].value
        if any(_spoken(key_of(item)) == rename.old for item in _entries(_under(held, rename.path[2:]))):
            return False  # it has one of its own
        base = _under(held, (BASE,))
        name = base.text if isinstance(base, Scalar) else ""
    return False


def _under(value: Value | None, path: Path) -> Value | None:
    for key in path:
        value = next((item.value for item in _entries(value) if key_of(item) == key), None)
    return value


def _entries(value: Value | None) -> Sequence[Item]:
    return value.items if value is not None and not isinstance(value, Scalar) and value.mapping else ()
