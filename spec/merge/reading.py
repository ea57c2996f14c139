"""A text to its pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from ..format import syntax
from .pieces import NOTHING, Block, Flow, Item, Scalar, Value

_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)+\Z")


class Unmergeable(Exception):
    """A text that is no tree to be merged; the message says why."""


def pieces(text: str) -> tuple[str, Block | Flow]:
    """What stands above the first entry of a text, and the mapping at its top. Raises Unmergeable."""
    try:
        tree = syntax.read_text(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" on line {mark.line + 1}" if mark is not None else ""
        raise Unmergeable(f"it is not YAML{line}: {getattr(error, 'problem', None) or 'it cannot be read'}") from None
    except TypeError:
        raise Unmergeable("its top is not a mapping of words") from None
    if not tree.top.mapping:
        raise Unmergeable("its top is not a mapping")
    return _Reader(text).top(tree.top)


class _Reader:
    """Cuts one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.anchors: dict[str, Value] = {}

    def at(self, place: tuple[int, int]) -> int:
        """A place as an offset."""
        return min(self.starts[min(place[0], len(self.lines))] + place[1], len(self.text))

    def top(self, node: syntax.Collection) -> tuple[str, Block | Flow]:
        if node.flow or not node.entries:
            begin = self.begin(node)
            header, value = self.text[:begin], self.value(node, len(self.lines))
            assert isinstance(value, Flow)
            closing = value.closing + self.text[self.at(node.end) :]
            return header, Flow(True, value.opening, value.items, closing)
        first = node.entries[0].start[0]
        count = len(self.lines) - 1 if self.lines[-1] == "" else len(self.lines)
        block = self.block(node, first, count)
        return self.text[: self.starts[first]], block

    def keys(self, node: syntax.Collection) -> None:
        """Refuses keys that no merge knows how to carry: with an anchor, a tag or a question mark, or twice."""
        seen: set[str] = set()
        for entry in node.entries:
            key = entry.key
            if key is None:
                continue
            line = key.start[0] + 1
            if key.anchor or key.tag or key.alias:
                raise Unmergeable(f"the key on line {line} has an anchor or a tag")
            if key.text in seen:
                raise Unmergeable(f"the key '{key.text}' appears twice in one mapping, again on line {line}")
            if not node.flow and self.lines[key.start[0]][: key.start[1]].strip(" -"):
                raise Unmergeable(f"line {line} begins with a question mark")
            seen.add(key.text)

    # -- blocks ----------------------------------------------------------------------------------------------------

    def block(self, node: syntax.Collection, top: int, bottom: int) -> Block:
        """A collection of the lines from `top` to `bottom`, which may begin in mid-line."""
        column, firsts = self.firsts(node)
        items: list[Item] = []
        lead: list[str] = []
        line = top
        for place, entry in enumerate(node.entries):
            lead = self.lines[line : firsts[place]]
            end = self.content_end(entry.value)
            last = firsts[place + 1] if place + 1 < len(node.entries) else bottom
            line = self.owned(end, last, column)
            items.append(self.item(entry, lead, column, firsts[place], end, line))
        return Block(node.mapping, tuple(items), column, tuple(self.lines[line:bottom]), node.tag, node.anchor)

    def firsts(self, node: syntax.Collection) -> tuple[int, list[int]]:
        """In which column the entries begin, and in which lines."""
        if node.mapping:
            self.keys(node)
            return node.entries[0].start[1], [entry.start[0] for entry in node.entries]
        column = self.lines[node.start[0]].find("-", node.start[1])
        lines, line = [], node.start[0]
        for place, entry in enumerate(node.entries):
            if place:
                while self.lines[line][:column].strip() or self.lines[line][column : column + 1] != "-":
                    line += 1
            lines.append(line)
            line = max(line + 1, self.content_end(entry.value))
        return column, lines

    def content_end(self, node: syntax.Leaf | syntax.Collection) -> int:
        """The first line below what a value says."""
        if isinstance(node, syntax.Collection) and not node.flow and node.entries:
            return self.content_end(node.entries[-1].value)
        line, column = node.end
        return line + 1 if column else line

    def owned(self, end: int, last: int, column: int) -> int:
        """The first line that is not an entry's: comments below it are, that are indented deeper than its key."""
        owned = end
        for line in range(end, last):
            text = self.lines[line]
            if text.strip() and len(text) - len(text.lstrip()) > column:
                owned = line + 1
        return owned

    def item(self, entry: syntax.Entry, lead: Sequence[str], column: int, first: int, end: int, bottom: int) -> Item:
        """An entry that begins in a line, with the lines down to `bottom`; its value ends above `end`."""
        begin = self.starts[first] + column
        key, value = entry.key, entry.value
        text, spelled = (key.text, self.between(key.start, key.end)) if key is not None else (None, "")
        if isinstance(value, syntax.Collection) and not value.flow and value.entries:
            _, inner = self.firsts(value)
            if inner[0] == first:  # in the line of a dash
                made = self.block(value, first, bottom)
                head = self.text[begin : self.starts[first] + made.column]
                return Item(tuple(lead), text, spelled, head, self.anchored(value, made), "", column)
            # Comments between a key and its block are the first entry's.
            top = (key.end[0] if key is not None else first) + 1
            made = self.block(value, top, bottom)
            head = self.text[begin : self.starts[top]]
            return Item(tuple(lead), text, spelled, head, self.anchored(value, made), "", column)
        if isinstance(value, syntax.Leaf) and not value.alias and value.start >= value.end and not value.properties:
            # Nothing: what stands behind the key or the dash.
            after = self.at(key.end) if key is not None else begin
            after = self.text.index(":", after) + 1 if key is not None else begin + 1
            return Item(tuple(lead), text, spelled, self.text[begin:after], NOTHING, self.ending(after, bottom), column)
        start = self.begin(value)
        made_value = self.value(value, end)
        literal = isinstance(made_value, Scalar) and made_value.literal
        stop = self.starts[end] if literal else self.at(value.end)
        stop = min(stop, len(self.text))
        rest = self.text[stop : self.starts[bottom]] if literal and stop < self.starts[bottom] else ""
        rest = rest if literal else self.ending(stop, bottom)
        return Item(tuple(lead), text, spelled, self.text[begin:start], made_value, rest, column)

    def ending(self, after: int, bottom: int) -> str:
        """From behind a value to the end of its lines."""
        text = self.text[after : self.starts[bottom]]
        return text if text.endswith("\n") else text + "\n"

    # -- values ----------------------------------------------------------------------------------------------------

    def begin(self, node: syntax.Leaf | syntax.Collection) -> int:
        """Where a value begins, with its anchor and tag."""
        offset = self.at(node.start)
        if (isinstance(node, syntax.Leaf) and node.alias) or not node.properties:
            return offset
        match = _PROPERTIES.search(self.text, max(0, offset - 400), offset)
        return match.start() if match else offset

    def between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        return self.text[self.at(start) : self.at(end)]

    def anchored(self, node: syntax.Leaf | syntax.Collection, value: Value) -> Value:
        if node.anchor:
            self.anchors[node.anchor] = value
        return value

    def value(self, node: syntax.Leaf | syntax.Collection, end: int) -> Value:
        """A value that stands in its line: a scalar, or a collection in brackets."""
        if isinstance(node, syntax.Collection):
            return self.anchored(node, self.flow(node))
        start = self.begin(node)
        if node.alias:
            if node.alias not in self.anchors:
                raise Unmergeable(f"the alias '*{node.alias}' has no anchor before it")
            return Scalar(self.text[start : self.at(node.end)], "", target=self.anchors[node.alias])
        literal = node.style in ("|", ">")
        raw = self.text[start : self.starts[end] if literal else self.at(node.end)]
        if literal and not raw.endswith("\n"):
            raw += "\n"
        return self.anchored(node, Scalar(raw, node.text, not node.style, literal, node.tag, anchor=node.anchor))

    def flow(self, node: syntax.Collection) -> Flow:
        start, end = self.begin(node), self.at(node.end)
        inner = self.at(node.start)
        if not node.entries:
            return Flow(node.mapping, self.text[start:end], (), "", node.tag, node.anchor)
        self.keys(node)
        bare = self.text[inner] not in "{["
        begins = [self.begin(entry.key if entry.key is not None else entry.value) for entry in node.entries]
        close = end if bare else end - 1
        items = []
        for place, entry in enumerate(node.entries):
            key, value = entry.key, entry.value
            following = begins[place + 1] if place + 1 < len(begins) else close
            if isinstance(value, syntax.Collection) and value.flow and self.text[self.at(value.start)] not in "{[":
                stop = self.at(value.entries[-1].value.end)  # a pair without braces
            else:
                stop = self.at(value.end)
            begin = self.begin(value) if value.start != value.end or value.properties else stop
            text, spelled = (key.text, self.between(key.start, key.end)) if key is not None else (None, "")
            made = self.value(value, 0)
            items.append(Item((), text, spelled, self.text[begins[place] : begin], made, self.text[stop:following]))
        return Flow(
            node.mapping, self.text[start : begins[0]], tuple(items), self.text[close:end], node.tag, node.anchor
        )
