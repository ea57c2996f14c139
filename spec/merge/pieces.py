"""A text cut into pieces at its entries: put together again they are the text, byte for byte.

Pieces stand at the columns that they are written in; to go elsewhere they are moved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)


@dataclass(frozen=True)
class Scalar:
    """A leaf: `raw` is how it is written, with its anchor, `text` what YAML reads; `target` is what an alias stands for."""

    raw: str
    text: str
    plain: bool = True
    literal: bool = False
    tag: str = ""
    target: Value | None = None
    anchor: str = ""

    @property
    def written(self) -> str:
        """The text."""
        return self.raw


@dataclass(frozen=True)
class Item:
    """An entry of a mapping, or an item of a list (without a key).

    Attributes:
        lead: The comments and blank lines above it, in a block.
        key: The key's text.
        spelled: The key as it is written.
        head: All from the key or the dash to the value.
        value: The value.
        rest: All from the value to the next entry: a comment and the line's end, or a comma.
        column: Where the key or the dash stands; -1 in brackets.
    """

    lead: tuple[str, ...]
    key: str | None
    spelled: str
    head: str
    value: Value
    rest: str
    column: int = -1

    @cached_property
    def written(self) -> str:
        """The text from the column on; the lines above it are not in it."""
        value = self.value
        if isinstance(value, Block) and self.key is None and not self.head.endswith("\n"):
            return self.head + value.written[value.column :]  # begins in the line of its dash
        return self.head + value.written + self.rest

    @cached_property
    def lines(self) -> str:
        """The whole of it in a block, with the lines above it."""
        return "".join(line + "\n" for line in self.lead) + " " * self.column + self.written

    @cached_property
    def alike(self) -> str:
        """What two entries share that are written alike, wherever they stand."""
        return moved(self, -self.column).lines if self.column >= 0 else self.written

    @cached_property
    def comments(self) -> tuple[str, ...]:
        """All comments of it."""
        found = [line.strip() for line in self.lead if line.strip()]
        found += comments_in(self.head.removeprefix(self.spelled))
        value = self.value
        if not isinstance(value, Scalar):
            found += [text for item in value.items for text in item.comments]
            found += [line.strip() for line in value.tail if line.strip()] if isinstance(value, Block) else []
        elif value.literal:
            found += comments_in(value.raw.partition("\n")[0])
        return tuple([*found, *comments_in(self.rest)])


@dataclass(frozen=True)
class Flow:
    """A collection in `{}` or `[]`."""

    mapping: bool
    opening: str
    items: tuple[Item, ...]
    closing: str
    tag: str = ""
    anchor: str = ""

    @cached_property
    def written(self) -> str:
        """The text."""
        return self.opening + "".join(item.written for item in self.items) + self.closing


@dataclass(frozen=True)
class Block:
    """A collection with an entry a line or more, all in one column; `tail` are comments below the last."""

    mapping: bool
    items: tuple[Item, ...]
    column: int
    tail: tuple[str, ...] = ()
    tag: str = ""
    anchor: str = ""

    @cached_property
    def written(self) -> str:
        """The text, from the beginning of the first line to the end of the last."""
        return "".join(item.lines for item in self.items) + "".join(line + "\n" for line in self.tail)


Value = Scalar | Flow | Block
Collection = Flow | Block

NOTHING = Scalar("", "")


def comments_in(text: str) -> list[str]:
    """The comments of what stands between values."""
    return [match.strip() for match in _COMMENT.findall(text)]


def moved(item: Item, by: int) -> Item:
    """An entry so many columns to the right; what would go beyond the left edge stays there."""
    if by == 0:
        return item
    return Item(
        tuple(_line(line, by) for line in item.lead), item.key, item.spelled, _text(item.head, by),
        moved_value(item.value, by), _text(item.rest, by), max(0, item.column + by) if item.column >= 0 else -1,
    )  # fmt: skip


def moved_value(value: Value, by: int) -> Value:
    """The same of a value."""
    if by == 0:
        return value
    if isinstance(value, Scalar):
        return replace(value, raw=_text(value.raw, by))
    if isinstance(value, Flow):
        items = tuple(moved(item, by) for item in value.items)
        return replace(value, opening=_text(value.opening, by), items=items, closing=_text(value.closing, by))
    items = tuple(moved(item, by) for item in value.items)
    return replace(value, items=items, column=max(0, value.column + by), tail=tuple(_line(x, by) for x in value.tail))


def _line(line: str, by: int) -> str:
    if not line.strip():
        return line
    return " " * by + line if by > 0 else line[min(-by, len(line) - len(line.lstrip(" "))) :]


def _text(text: str, by: int) -> str:
    """All lines but the first, which begins in mid-line."""
    if "\n" not in text:
        return text
    first, *others = text.split("\n")
    return "\n".join([first, *(_line(line, by) for line in others)])
