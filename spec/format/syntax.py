"""A YAML text as it is written: styles, anchors and tags kept, each comment with what it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..diagnostics.problems import Source
from ..source.nodes import ORIGINALS, events_of
from .comments import Place, Remark, remarks

_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)+")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass
class Comment:
    """A comment at the end of a line: its text and column, the text before it, and lines that continue it."""

    text: str
    column: int
    before: str
    more: list[str] = field(default_factory=list)


@dataclass
class Leaf:
    """A scalar or an alias: `raw` are its lines as written, without anchor and tag."""

    text: str
    style: str
    raw: list[str]
    start: Place
    end: Place
    anchor: str = ""
    tag: str = ""
    alias: str = ""
    header: Comment | None = None

    @property
    def properties(self) -> str:
        """Anchor and tag, as they stand before the value."""
        return " ".join(part for part in (self.anchor and f"&{self.anchor}", self.tag) if part)


@dataclass
class Collection:
    """A mapping or a list. `tail` are remarks after the last entry; `remarked` says that comments stand inside."""

    mapping: bool
    flow: bool
    start: Place
    end: Place
    entries: list[Entry] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    anchor: str = ""
    tag: str = ""
    remarked: bool = False

    @property
    def properties(self) -> str:
        """Anchor and tag, as they stand before the value."""
        return " ".join(part for part in (self.anchor and f"&{self.anchor}", self.tag) if part)


@dataclass
class Entry:
    """A pair of a mapping, or an item of a list (without a key), with its comments.

    `before` are the lines above it, a blank one empty; `head` stands behind the key of a block, `trailing` behind all.
    """

    key: Leaf | None
    value: Leaf | Collection
    before: list[str] = field(default_factory=list)
    head: Comment | None = None
    trailing: Comment | None = None

    @property
    def start(self) -> Place:
        """Where the key, or else the item, begins."""
        return self.key.start if self.key is not None else self.value.start


@dataclass
class Text:
    """A whole document: what stands above `---`, if that is written, and the collection at the top."""

    preamble: list[str]
    top: Collection


def read_text(text: str, events: list[Any] | None = None) -> Text:
    """The text's tree, with comments; `events` are what YAML reads in it, where it was read before."""
    lines = text.split("\n")
    stream = iter(events_of(Source("", text)) if events is None else events)
    leaves: list[Leaf] = []
    explicit: int | None = None
    top: Leaf | Collection | None = None
    for event in stream:
        if isinstance(event, yaml.DocumentStartEvent):
            explicit = event.end_mark.line if event.explicit and event.end_mark else None
            top = _node(next(stream), stream, lines, leaves)
    if not isinstance(top, Collection):
        raise TypeError("a document with a mapping at its top")
    covered = [(leaf.start if leaf.style not in ("|", ">") else _after_header(leaf), leaf.end) for leaf in leaves]
    found = remarks(lines, covered)
    preamble: list[str] = []
    if explicit is not None:
        above = [remark.text for remark in found if remark.line < explicit and remark.text]
        directives = [line.rstrip() for line in lines[:explicit] if line.startswith("%")]
        preamble = [*above, *directives, "---"]
        found = [remark for remark in found if remark.line >= explicit]
    _Attach(lines, found).top(top)
    return Text(preamble, top)


def comments(tree: Text) -> list[str]:
    """The texts of all comments of a document, sorted: what a new layout has to keep."""
    found = [line for line in tree.preamble if line.startswith("#")]
    found += [line for line in _comments(tree.top) if line]
    return sorted(found)


def _comments(node: Leaf | Collection) -> Iterator[str]:
    if isinstance(node, Leaf):
        yield from _lines(node.header)
        return
    for entry in node.entries:
        yield from entry.before
        yield from _lines(entry.head)
        yield from _comments(entry.value)
        yield from _lines(entry.trailing)
    yield from node.tail


def _lines(comment: Comment | None) -> list[str]:
    return [comment.text, *comment.more] if comment is not None else []


def _after_header(leaf: Leaf) -> Place:
    return leaf.start[0] + 1, 0


def _node(event: Any, stream: Iterator[Any], lines: list[str], leaves: list[Leaf]) -> Leaf | Collection:
    start = (event.start_mark.line, event.start_mark.column)
    end = (event.end_mark.line, event.end_mark.column)
    if isinstance(event, yaml.AliasEvent):
        leaf = Leaf("", "", [], start, end, alias=str(event.anchor))
        leaves.append(leaf)
        return leaf
    anchor, tag, start = _properties(event, lines, start)
    if isinstance(event, yaml.ScalarEvent):
        text = event.value if event.value.isascii() else event.value.translate(ORIGINALS)
        leaf = Leaf(text, event.style or "", [], start, end, anchor, tag)
        leaf.raw = _raw(lines, leaf.start, end)
        leaves.append(leaf)
        return leaf
    mapping = isinstance(event, yaml.MappingStartEvent)
    node = Collection(mapping, bool(event.flow_style), start, end, anchor=anchor, tag=tag)
    for inner in stream:
        if isinstance(inner, yaml.CollectionEndEvent):
            mark: Any = inner.end_mark
            node.end = (mark.line, mark.column)
            return node
        first = _node(inner, stream, lines, leaves)
        if not mapping:
            node.entries.append(Entry(None, first))
            continue
        if not isinstance(first, Leaf):
            raise TypeError("a key that is one word")
        node.entries.append(Entry(first, _node(next(stream), stream, lines, leaves)))
    raise AssertionError("the YAML parser ends every collection")


def _properties(event: Any, lines: list[str], start: Place) -> tuple[str, str, Place]:
    """The anchor and the tag as written, and where the value itself begins."""
    if event.anchor is None and event.tag is None:
        return "", "", start
    match = _PROPERTIES.match(lines[start[0]], start[1])
    written = match.group().split() if match else []
    tag = next((word for word in written if word.startswith("!")), "")
    place = (start[0], match.end()) if match else start
    return event.anchor or "", tag, place


def _raw(lines: list[str], start: Place, end: Place) -> list[str]:
    if start >= end:
        return [""]
    if start[0] == end[0]:
        return [lines[start[0]][start[1] : end[1]]]
    last = [lines[end[0]][: end[1]]] if end[0] < len(lines) else []
    return [lines[start[0]][start[1] :], *lines[start[0] + 1 : end[0]], *last]


class _Attach:
    """Gives each comment to what it belongs to: the line it ends, the entry below it, or the block it closes."""

    def __init__(self, lines: list[str], comments: list[Remark]) -> None:
        self.lines = lines
        self.found = comments
        self.at = 0

    def top(self, node: Collection) -> None:
        """The whole document."""
        end = (len(self.lines), 0)
        self.entries(node, end, -1)
        node.tail += [remark.text for remark in self.until(end)]

    def until(self, place: Place) -> list[Remark]:
        """Takes the remarks before a place."""
        first = self.at
        while self.at < len(self.found) and self.found[self.at].place < place:
            self.at += 1
        return self.found[first : self.at]

    def behind(self, line: int, before: Place) -> Comment | None:
        """Takes the comment at the end of a line, with the lines that go on in its column."""
        if self.at >= len(self.found):
            return None
        remark = self.found[self.at]
        if remark.alone or remark.line != line or remark.place >= before:
            return None
        self.at += 1
        comment = Comment(remark.text, remark.column, self.lines[line][: remark.column].rstrip())
        while self.at < len(self.found):
            following = self.found[self.at]
            line += 1
            if not following.text or following.place != (line, remark.column) or following.place >= before:
                break
            comment.more.append(following.text)
            self.at += 1
        return comment

    def entries(self, node: Collection, limit: Place, outer: int) -> None:
        """The entries of a collection that ends before a place, in a block whose entries begin in the column `outer`."""
        first = self.at
        column = self.column(node)
        for place, entry in enumerate(node.entries):
            following = node.entries[place + 1].start if place + 1 < len(node.entries) else limit
            entry.before = [remark.text for remark in self.until(entry.start)]
            self.value(entry, min(following, node.end) if node.flow else following, column)
        if node.flow:
            node.tail = [remark.text for remark in self.until(node.end)]
            node.remarked = any(remark.text for remark in self.found[first : self.at])
            return
        least = column if column > outer else outer + 1
        closing = 0
        for place in range(self.at, len(self.found)):
            remark = self.found[place]
            if remark.place >= limit or (remark.text and remark.column < least) or not remark.alone:
                break
            if remark.text:
                closing = place + 1 - self.at
        node.tail = [remark.text for remark in self.found[self.at : self.at + closing]]
        self.at += closing

    def value(self, entry: Entry, limit: Place, column: int) -> None:
        """An entry's value, and the comments between it and its key and behind it."""
        value = entry.value
        if isinstance(value, Collection) and not value.flow:
            line = entry.key.end[0] if entry.key is not None else value.start[0]
            entry.head = self.behind(line, value.entries[0].start)
            self.entries(value, limit, column)
            return
        if entry.key is not None:
            for remark in self.until(value.start):
                entry.before += [remark.text] if remark.text else []
        if isinstance(value, Collection):
            self.entries(value, value.end, column)
        elif value.style in ("|", ">"):
            value.header = self.behind(value.start[0], (value.start[0] + 1, 0))
            return
        entry.trailing = self.behind(value.end[0], limit)

    def column(self, node: Collection) -> int:
        """In which column the entries of a block begin: for a list, its dashes."""
        place = (node.entries[0].start if node.entries else node.start)[1]
        if node.mapping or node.flow:
            return place
        dash = self.lines[node.start[0]].find("-", node.start[1])
        return dash if dash >= 0 else place
