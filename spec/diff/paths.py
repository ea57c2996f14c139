"""The structural comparison of two trees: which paths differ. Layers are aligned, one-of maps and losses are one value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from .layer_alignment import aligned, kind
from .trees import Branch, Layers, Tree, same, shared_order, spell

Path = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A path at which two trees differ; None where one of them has nothing."""

    path: Path
    before: Tree | None
    after: Tree | None
    moved: tuple[str, str] | None = None
    """Of an item of a list that stands behind another one now: where it stood, and where it stands."""

    @property
    def key(self) -> tuple[Path, str, str]:
        """What makes two pairs the same change, in whichever cells they are."""
        return (self.path, *(self.moved or (spell(self.before), spell(self.after))))


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
    pairs: list[Pair] = list(_moved(before, after, path)) if before.ordered and after.ordered else []
    for key in keys:
        step = path if key == "of" else (*path, key)
        pairs.extend(differences(before.entries.get(key), after.entries.get(key), step))
    return pairs


def _moved(before: Branch, after: Branch, path: Path) -> Iterator[Pair]:
    """Entries that stand behind another one of those that both have; as few as can be."""
    was, now = shared_order(before, after), shared_order(after, before)
    blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
    kept = {key for block in blocks for key in was[block.a : block.a + block.size]}
    for key in (key for key in now if key not in kept):
        places = (_behind(was, was.index(key), "at"), _behind(now, now.index(key), "to"))
        yield Pair((*path, key), before.entries[key], after.entries[key], places)


def _layers(before: Layers, after: Layers, path: Path) -> list[Pair]:
    """Layers that came, went, moved or changed; what is equal on both sides and keeps its order is left out."""
    pairs: list[Pair] = []
    for item in aligned(before, after):
        if item.old is None:
            assert item.new is not None
            key, new = after.items[item.new]
            pairs.append(Pair((*path, key), None, new))
        elif item.new is None:
            key, old = before.items[item.old]
            pairs.append(Pair((*path, key), old, None))
        else:
            (old_key, old), (new_key, new) = before.items[item.old], after.items[item.new]
            if item.moved:
                was, now = ([key for key, _ in side.items] for side in (before, after))
                places = (_behind(was, item.old, "at"), _behind(now, item.new, "to"))
                pairs.append(Pair((*path, new_key), old, new, places))
            if kind(old) == kind(new):
                pairs.extend(differences(old, new, (*path, new_key)))
            else:
                pairs.append(Pair((*path, new_key if old_key == new_key else f"{old_key} → {new_key}"), old, new))
    return pairs


def _behind(keys: Sequence[str], place: int, front: str) -> str:
    return f"behind `{keys[place - 1]}`" if place else f"{front} the front"
