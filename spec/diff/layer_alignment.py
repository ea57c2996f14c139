"""Which layers of two lists are one layer: kept, moved behind another one, changed in its place, or replaced there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .trees import Branch, Expression, Layers, Tree

Item = tuple[str, Branch | Expression]


@dataclass(frozen=True)
class Aligned:
    """A layer on both sides, by its places in the two lists; None where one of them has none. `moved`: past others."""

    old: int | None
    new: int | None
    moved: bool = False


def aligned(before: Layers, after: Layers) -> list[Aligned]:
    """Every layer of both lists once, in the newer list's order; what only the older one has comes first.

    As many as can keep their order are kept. Of the others, those that are the same or have the same name of their own
    moved; those between the same kept ones are changed where they are of one kind, and else replaced in order.
    """
    return _Alignment(before.items, after.items).pairs()


class _Alignment:
    """The alignment of two lists while it is made."""

    def __init__(self, old: Sequence[Item], new: Sequence[Item]) -> None:
        self.old, self.new = old, new
        self.marks = [[own_name(*item) + _mark(item[1]) for item in items] for items in (old, new)]
        self.kept = _common(self.marks[0], self.marks[1], lambda a, b: bool(a == b))
        self.by_new = {j: Aligned(i, j) for i, j in self.kept}
        used = {i for i, _ in self.kept}
        self.gone = [i for i in range(len(old)) if i not in used]
        self.fresh = [j for j in range(len(new)) if j not in self.by_new]

    def pairs(self) -> list[Aligned]:
        """All pairs, and what is on one side only."""
        if self.gone and self.fresh:
            self._pair(lambda i, j: self.marks[0][i] == self.marks[1][j])
            self._pair(lambda i, j: own_name(*self.old[i]) == own_name(*self.new[j]) != "" and self._of_one_kind(i, j))
            for gap in dict.fromkeys(map(self._gap_of_new, self.fresh)):
                self._within(
                    [i for i in self.gone if self._gap_of_old(i) == gap],
                    [j for j in self.fresh if self._gap_of_new(j) == gap],
                )
        gone = [Aligned(i, None) for i in self.gone]
        return [*gone, *(self.by_new.get(j, Aligned(None, j)) for j in range(len(self.new)))]

    def _pair(self, alike: Callable[[int, int], bool]) -> None:
        """Pairs that are found wherever they stand."""
        for j in list(self.fresh):
            i = next((i for i in self.gone if alike(i, j)), None)
            if i is not None:
                same_mark = self.marks[0][i] == self.marks[1][j]
                self._take(Aligned(i, j, same_mark or self._gap_of_old(i) != self._gap_of_new(j)), i, j)

    def _within(self, gone: list[int], fresh: list[int]) -> None:
        """Pairs between two kept layers: those of one kind in order, and what is left between these one for one."""
        of_one_kind = [(gone[a], fresh[b]) for a, b in _common(gone, fresh, self._of_one_kind)]
        ends = [i for i, _ in of_one_kind], [j for _, j in of_one_kind]
        left = [i for i in gone if i not in ends[0]], [j for j in fresh if j not in ends[1]]
        replaced = []
        for gap in range(len(of_one_kind) + 1):
            sides = [[k for k in own if _gap(k, end) == gap] for own, end in zip(left, ends, strict=True)]
            replaced += list(zip(*sides, strict=False))
        for i, j in [*of_one_kind, *replaced]:
            self._take(Aligned(i, j), i, j)

    def _take(self, pair: Aligned, i: int, j: int) -> None:
        self.gone.remove(i)
        self.fresh.remove(j)
        self.by_new[j] = pair

    def _of_one_kind(self, i: int, j: int) -> bool:
        return kind(self.old[i][1]) == kind(self.new[j][1])

    def _gap_of_old(self, i: int) -> int:
        return _gap(i, [place for place, _ in self.kept])

    def _gap_of_new(self, j: int) -> int:
        return _gap(j, [place for _, place in self.kept])


def own_name(key: str, item: Branch | Expression) -> str:
    """A layer's name, where it has one of its own: without, its key is its kind and its place."""
    return "" if re.fullmatch(rf"{kind(item)}_\d+", key) else f"{key}: "


def kind(item: Branch | Expression) -> str:
    """A layer's kind; an expression is applied."""
    return item.head if isinstance(item, Branch) else "apply"


def _gap(place: int, kept: Sequence[int]) -> int:
    """How many of those that are kept come before a place."""
    return sum(other < place for other in kept)


def _common(a: Sequence[Any], b: Sequence[Any], alike: Callable[[Any, Any], bool]) -> list[tuple[int, int]]:
    """The places of a longest common subsequence; the ends that are alike are not searched."""
    end = 0
    while end < min(len(a), len(b)) and alike(a[-1 - end], b[-1 - end]):
        end += 1
    start = 0
    while start < min(len(a), len(b)) - end and alike(a[start], b[start]):
        start += 1
    inner = (a[start : len(a) - end], b[start : len(b) - end])
    longest = [[0] * (len(inner[1]) + 1) for _ in range(len(inner[0]) + 1)]
    for i in reversed(range(len(inner[0]))):
        for j in reversed(range(len(inner[1]))):
            one = longest[i + 1][j + 1] + 1 if alike(inner[0][i], inner[1][j]) else 0
            longest[i][j] = max(one, longest[i + 1][j], longest[i][j + 1])
    places = [(i, i) for i in range(start)]
    i = j = 0
    while i < len(inner[0]) and j < len(inner[1]):
        if alike(inner[0][i], inner[1][j]) and longest[i][j] == longest[i + 1][j + 1] + 1:
            places.append((start + i, start + j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return [*places, *((len(a) - end + k, len(b) - end + k) for k in range(end))]


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
