"""Texts of expressions that differ in numbers alone: the syntax tree of one is that of another, with other numbers and places in it.

Two such texts are cut into the same tokens but for the numbers, and what the grammar makes of a number hangs on its kind alone. So a text of
such a form is parsed once, and how its tree is put together is kept: 2,000 claims that differ in their bounds are made of one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from . import nodes as n

NUMBER = re.compile(r"(?<![\w.])(?:(0|[1-9]\d{0,17})|(0\.\d{1,15}|[1-9]\d{0,9}\.\d{1,15}))(?![\w.])")
"""A number in an expression, an int or a real one, written as nobody could read it otherwise."""

Cut = Sequence[str | None]
"""A text cut at its numbers: between two pieces of text a number stands in one of two places, an int in the first."""
Key = tuple[tuple[str | None, ...], tuple[bool, ...]]
Make = Callable[[Sequence[int | float], Sequence[int]], Any]
"""Makes a part of a tree of a text's numbers, and of how far what stands behind the first of them, the second, … is moved."""
MAX_FORMS = 1024
"""How many forms are kept."""


def cut_at_numbers(text: str) -> Cut:
    """The pieces of a text.

    >>> cut_at_numbers("x_1 < 2 * 0.5")
    ['x_1 < ', '2', None, ' * ', None, '0.5', '']
    """
    return NUMBER.split(text)


def key_of(cut: Cut) -> Key:
    """What texts have in common that differ in numbers alone, but not in the kinds of these."""
    return tuple(cut[::3]), tuple([whole is not None for whole in cut[1::3]])


def numbers_of(cut: Cut) -> list[int | float]:
    """The numbers of a text, in order."""
    found = zip(cut[1::3], cut[2::3], strict=True)
    return [int(whole) if whole is not None else float(real or "") for whole, real in found]


def widths_of(cut: Cut) -> list[int]:
    """How many characters each number of a text takes."""
    return [len(whole or real or "") for whole, real in zip(cut[1::3], cut[2::3], strict=True)]


class Form:
    """How the trees of texts are put together that differ in numbers alone.

    Args:
        cut: One of the texts, in pieces.
        tree: Its tree.
    """

    def __init__(self, cut: Cut, tree: n.Expr) -> None:
        self.widths = widths_of(cut)
        self.ends: list[int] = []
        end = 0
        for piece, width in zip(cut[::3], self.widths, strict=False):
            end += len(piece or "") + width
            self.ends.append(end)
        self.found = 0
        self.make = self._made(tree)

    @property
    def sound(self) -> bool:
        """Whether all that was cut out is a number of the tree: of `1e-3` it is a part."""
        return self.found == len(self.ends)

    def tree(self, cut: Cut) -> n.Expr:
        """The tree of another text of the form."""
        moves, moved = [0], 0
        for width, own in zip(self.widths, widths_of(cut), strict=True):
            moved += own - width
            moves.append(moved)
        tree: n.Expr = self.make(numbers_of(cut), moves)
        return tree

    def _made(self, item: Any) -> Make:
        if isinstance(item, tuple):
            makes = [self._made(part) for part in item]
            return lambda numbers, moves: tuple([make(numbers, moves) for make in makes])
        if not isinstance(item, n.Node):
            return lambda numbers, moves: item
        kind: Any = type(item)
        start, end = item.start, item.end
        first, last = bisect_right(self.ends, start), bisect_right(self.ends, end)
        if not last:
            return lambda numbers, moves: item  # before the first number nothing differs
        if isinstance(item, n.Number) and last == first + 1 and self.ends[first] - self.widths[first] == start:
            self.found += self.ends[first] == end
            return lambda numbers, moves: kind(numbers[first], start=start + moves[first], end=end + moves[last])
        makes = [self._made(getattr(item, name)) for name in kind.__slots__]
        return lambda numbers, moves: kind(
            *[make(numbers, moves) for make in makes], start=start + moves[first], end=end + moves[last]
        )


class Forms:
    """The forms of the texts that were parsed last."""

    def __init__(self) -> None:
        self.known: dict[Key, tuple[Cut, n.Expr] | Form] = {}

    def tree(self, text: str, parse: Callable[[str], n.Expr]) -> n.Expr:
        """The tree of a text: made as that of another one where these differ in numbers alone, else by `parse`, which may raise."""
        cut = cut_at_numbers(text)
        if len(cut) == 1:
            return parse(text)
        key = key_of(cut)
        known = self.known.get(key)
        if isinstance(known, tuple):  # a second text of the form: there may be many
            known = self.known[key] = Form(*known)
        if known is not None and known.sound:
            return known.tree(cut)
        tree = parse(text)
        if known is None:
            if len(self.known) >= MAX_FORMS:
                self.known.clear()
            self.known[key] = cut, tree
        return tree
