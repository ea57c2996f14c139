"""The structural comparison of two trees: which paths differ. Layers are aligned, one-of maps and losses are one value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from .trees import Branch, Expression, Layers, Tree, same, spell

Path = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A path at which two trees differ; None where one of them has nothing."""

    path: Path
    before: Tree | None
    after: Tree | None

    @property
    def key(self) -> tuple[Path, str, str]:
        """What makes two pairs the same change, in whichever cells they are."""
        return (self.path, spell(self.before), spell(self.after))


def differences(before: Tree | None, after: Tree | None, path: Path = ()) -> list[Pair]:
    """The smallest paths at which two trees differ."""
    if same(before, after):
        return []
    if isinstance(before, Branch) and isinstance(after, Branch) and before.head == after.head:
        return _entries(before, after, path)
    if isinstance(before, Layers) and isinstance(after, Layers):
        return _layers(before, after, path)
    pairs = [Pair(path, before, after)]
    if isinstance(before, Branch) and isinstance(after, Branch) and "optimizer" in path:
        for key in before.entries.keys() & after.entries.keys():  # another optimiser, and other values for it
            if not {key} <= before.usual & after.usual:
                pairs.extend(differences(before.entries[key], after.entries[key], (*path, key)))
    return pairs


def _entries(before: Branch, after: Branch, path: Path) -> list[Pair]:
    gone = [key for key in before.entries if key not in after.entries]
    fresh = [key for key in after.entries if key not in before.entries]
    if path[-1:] == ("loss",) and gone and fresh:  # a loss is one value
        return [Pair(path, before, after)]
    keys = list(dict.fromkeys([*before.entries, *after.entries]))
    pairs: list[Pair] = []
    for key in keys:
        step = path if key == "of" else (*path, key)
        pairs.extend(differences(before.entries.get(key), after.entries.get(key), step))
    return pairs


def _layers(before: Layers, after: Layers, path: Path) -> list[Pair]:
    """Layers that came, went or changed; what is equal on both sides keeps its place."""
    left, right = ([_own_name(*item) + _mark(item[1]) for item in side.items] for side in (before, after))
    pairs: list[Pair] = []
    for kind, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        old, new = list(before.items[i:j]), list(after.items[k:m])
        while old and new:
            (old_key, old_item), (new_key, new_item) = old.pop(0), new.pop(0)
            if _kind(old_item) == _kind(new_item):
                pairs.extend(differences(old_item, new_item, (*path, new_key)))
            else:
                pairs.append(
                    Pair((*path, new_key if old_key == new_key else f"{old_key} → {new_key}"), old_item, new_item)
                )
        pairs.extend(Pair((*path, key), item, None) for key, item in old)
        pairs.extend(Pair((*path, key), None, item) for key, item in new)
    return pairs


def _own_name(key: str, item: Branch | Expression) -> str:
    """A layer's name, where it has one of its own: without, its key is its kind and its place."""
    return "" if re.fullmatch(rf"{_kind(item)}_\d+", key) else f"{key}: "


def _kind(item: Branch | Expression) -> str:
    return item.head if isinstance(item, Branch) else "apply"


def _mark(item: Branch | Expression) -> str:
    """A text that two layers share if and only if they are the same."""
    if isinstance(item, Expression):
        return repr(item.form)
    parts = [
        f"{key}={_mark(value) if isinstance(value, Branch | Expression) else _text(value)}"
        for key, value in sorted(item.entries.items())
    ]
    return f"{item.head}({', '.join(parts)})"


def _text(tree: Tree) -> str:
    if isinstance(tree, Layers):
        return "[" + ", ".join(_mark(item) for _, item in tree.items) + "]"
    return repr(tree)
