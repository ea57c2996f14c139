"""A text's tree to its canonical layout: key order, indentation, one line for what is short, comments in their columns."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..model.fields import TOP, Place, fields
from .scalars import spell, spell_key
from .syntax import Collection, Comment, Entry, Leaf, Text

MAX_WIDTH = 120
INDENT = 2
COMMENT_GAP = 2


@dataclass
class Line:
    """A line of the layout: its text, the comment behind it; `remark` marks a comment or blank line of its own."""

    text: str
    comment: Comment | None = None
    remark: bool = False


def layout(tree: Text) -> str:
    """The canonical text of a tree."""
    top = tree.top
    header = list(top.entries[0].before) if top.entries else []
    if top.entries:
        top.entries[0].before = []
    lines = [Line(text, remark=True) for text in [*tree.preamble, *_squeezed(header, first=True)]]
    lines += _Layout(tree).block(top, 0, TOP)
    while lines and not lines[-1].text:
        lines.pop()
    return "\n".join(_aligned(lines)) + "\n"


class _Layout:
    """One pass over a tree. Keys of the language are put in order unless an alias would come before its anchor."""

    def __init__(self, tree: Text) -> None:
        self.kept: set[int] = set()
        self.known: dict[int, dict[str, str]] = {}
        self.flows: dict[int, str] = {}
        if any(isinstance(node, Leaf) and node.alias for node in _nodes(tree.top)):
            self.settle(tree.top, TOP)

    def settle(self, node: Leaf | Collection, place: Place) -> tuple[set[str], set[str]]:
        """Leaves as they are the mappings whose new order would tear an alias from its anchor.

        Returns the names of the anchors and of the aliases in a node.
        """
        anchors = {node.anchor} if node.anchor else set()
        if isinstance(node, Leaf):
            return anchors, {node.alias} if node.alias else set()
        aliases: set[str] = set()
        within: dict[int, tuple[set[str], set[str]]] = {}
        for entry in node.entries:
            inner = self.settle(entry.value, self.below(node, entry, place))
            if entry.key is not None:
                inner = tuple(one | other for one, other in zip(inner, self.settle(entry.key, place), strict=True))  # type: ignore[assignment]
            within[id(entry)] = inner
            anchors |= inner[0]
            aliases |= inner[1]
        if node.mapping and _meant(node.entries, within) != _meant(self.entries(node, place), within):
            self.kept.add(id(node))
        return anchors, aliases

    def entries(self, node: Collection, place: Place) -> list[Entry]:
        """The entries in canonical order."""
        model = place.model(self.keys(node)) if node.mapping else None
        if model is None or id(node) in self.kept:
            return node.entries
        order = {name: rank for rank, name in enumerate(fields(model))}
        return sorted(node.entries, key=lambda entry: order.get(entry.key.text if entry.key else "", len(order)))

    def below(self, node: Collection, entry: Entry, place: Place) -> Place:
        """The place of an entry's value."""
        return place.below(entry.key.text, self.keys(node)) if entry.key is not None else place.item()

    def keys(self, node: Collection) -> dict[str, str]:
        """The keys of a mapping with the texts of their values: asked for again for each of its entries."""
        if id(node) not in self.known:
            self.known[id(node)] = _keys(node)
        return self.known[id(node)]

    # -- blocks ----------------------------------------------------------------------------------------------------

    def block(self, node: Collection, indent: int, place: Place) -> list[Line]:
        """The lines of a collection, an entry a line or more."""
        lines: list[Line] = []
        for number, entry in enumerate(self.entries(node, place)):
            before = _squeezed(entry.before, first=number == 0)
            lines += [Line(" " * indent + text if text else "", remark=True) for text in before]
            below = self.below(node, entry, place)
            if entry.key is None:
                lines += self.item(entry, indent, below)
            else:
                key = spell_key(entry.key, flow=False, function=place.heads)
                lines += self.value(entry, f"{' ' * indent}{key}:", indent, below, item=False)
        lines += [Line(" " * indent + text if text else "", remark=True) for text in _squeezed(node.tail, first=False)]
        return lines

    def item(self, entry: Entry, indent: int, place: Place) -> list[Line]:
        """An item of a list: a block within it begins in the line of its dash."""
        value = entry.value
        dash = " " * indent + "-"
        pair = isinstance(value, Collection) and value.flow and _single(value)
        if not isinstance(value, Collection) or value.properties or not value.entries:
            return self.value(entry, dash, indent, place, item=True)
        if value.flow and not pair and self.fits(value, dash, place):
            return self.value(entry, dash, indent, place, item=True)
        if value.flow and not value.mapping and _plain_items(value):
            return self.value(entry, dash, indent, place, item=True)
        lines = self.block(value, indent + INDENT, place)
        first = next(number for number, line in enumerate(lines) if not line.remark)
        above = [Line(" " * indent + line.text.strip() if line.text else "", remark=True) for line in lines[:first]]
        head = entry.head or (entry.trailing if value.flow else None)
        kept: list[Line] = []
        if head is not None and lines[first].comment is None:
            lines[first].comment = head
        elif head is not None:
            kept = [Line(" " * indent + text, remark=True) for text in (head.text, *head.more)]
        lines[first].text = f"{dash} {lines[first].text.lstrip()}"
        return [*kept, *above, *lines[first:]]

    def value(self, entry: Entry, prefix: str, indent: int, place: Place, *, item: bool) -> list[Line]:
        """An entry's lines from its key or dash on."""
        value = entry.value
        if isinstance(value, Leaf):
            return self.leaf(entry, value, prefix, indent + INDENT, place, item)
        properties = f" {value.properties}" if value.properties else ""
        if not value.entries:
            remark = Comment(value.tail[0], 0, "", value.tail[1:]) if value.tail else None
            return [Line(f"{prefix}{properties} {'{}' if value.mapping else '[]'}", entry.trailing or remark)]
        if value.flow and not value.remarked:
            if self.fits(value, prefix, place):
                return [Line(f"{prefix} {self.flow(value, place)}", entry.trailing)]
            if not value.mapping and _plain_items(value):
                texts = [self.leaf_text(leaf, place.item(), item=True) for leaf in _items(value)]
                return _filled(f"{prefix}{properties} [", texts, " " * (indent + INDENT), entry.trailing)
        head = entry.head or (entry.trailing if value.flow else None)
        return [Line(prefix + properties, head), *self.block(value, indent + INDENT, place)]

    # -- scalars ---------------------------------------------------------------------------------------------------

    def leaf(self, entry: Entry, leaf: Leaf, prefix: str, indent: int, place: Place, item: bool) -> list[Line]:
        """The lines of a scalar: one, unless it was written over several and is too long for one."""
        if leaf.style in ("|", ">"):
            return _literal(leaf, prefix, indent)
        expression = place.expression(leaf.text)
        if len(leaf.raw) > 1 and not expression and not leaf.tag:
            properties = f" {leaf.properties}" if leaf.properties else ""
            first, *rest = (line.strip() for line in leaf.raw)
            lines = [f"{prefix}{properties} {first}", *(" " * indent + line if line else "" for line in rest)]
            return _lines(lines, entry.trailing)
        text = spell(leaf, expression=expression, flow=False, item=item)
        whole = f"{prefix} {text}".rstrip()
        if len(leaf.raw) > 1 and len(whole) > MAX_WIDTH:
            width = {"width": MAX_WIDTH, "break_long_words": False, "break_on_hyphens": False}
            return _lines(
                textwrap.wrap(text, initial_indent=f"{prefix} ", subsequent_indent=" " * indent, **width),  # type: ignore[arg-type]
                entry.trailing,
            )
        return [Line(whole, entry.trailing)]

    def leaf_text(self, leaf: Leaf, place: Place, item: bool) -> str:
        """A scalar inside `{}` or `[]`."""
        return spell(leaf, expression=place.expression(leaf.text), flow=True, item=item)

    # -- one line --------------------------------------------------------------------------------------------------

    def fits(self, node: Collection, prefix: str, place: Place) -> bool:
        """Whether a flow collection can stand in its line."""
        return not node.remarked and len(prefix) + 1 + len(self.flow(node, place)) <= MAX_WIDTH

    def flow(self, node: Collection, place: Place) -> str:
        """A collection in `{}` or `[]`; a list's map of one pair goes without its braces."""
        if id(node) not in self.flows:
            self.flows[id(node)] = self._flow(node, place)
        return self.flows[id(node)]

    def _flow(self, node: Collection, place: Place) -> str:
        parts = []
        for entry in self.entries(node, place):
            below = self.below(node, entry, place)
            value = entry.value
            if isinstance(value, Leaf):
                text = self.leaf_text(value, below, item=entry.key is None)
            else:
                text = self.flow(value, below)
                if entry.key is None and _single(value) and not value.properties:
                    text = text[1:-1]
            if entry.key is not None:
                text = f"{spell_key(entry.key, flow=True, function=place.heads)}: {text}"
            parts.append(text)
        properties = f"{node.properties} " if node.properties else ""
        inside = ", ".join(parts)
        return f"{properties}{{{inside}}}" if node.mapping else f"{properties}[{inside}]"


def _keys(node: Collection) -> dict[str, str]:
    """The keys of a mapping with the texts of their values."""
    return {
        entry.key.text: entry.value.text if isinstance(entry.value, Leaf) else "" for entry in node.entries if entry.key
    }


def _single(node: Collection) -> bool:
    return node.mapping and len(node.entries) == 1


def _items(node: Collection) -> list[Leaf]:
    return [entry.value for entry in node.entries if isinstance(entry.value, Leaf)]


def _plain_items(node: Collection) -> bool:
    """Whether a list holds scalars only, and no comments."""
    return not node.remarked and len(_items(node)) == len(node.entries)


def _nodes(node: Leaf | Collection) -> Iterator[Leaf | Collection]:
    """Every node in the writer's order."""
    yield node
    if isinstance(node, Collection):
        for entry in node.entries:
            if entry.key is not None:
                yield entry.key
            yield from _nodes(entry.value)


def _meant(
    entries: Sequence[Entry], within: Mapping[int, tuple[set[str], set[str]]]
) -> tuple[dict[tuple[int, str], int], dict[str, int]]:
    """In which entry each alias of an entry finds its anchor when they are read in this order, and each that comes behind them."""
    last: dict[str, int] = {}
    targets: dict[tuple[int, str], int] = {}
    for entry in entries:
        anchors, aliases = within[id(entry)]
        targets.update(((id(entry), name), last[name]) for name in aliases if name in last)
        last.update((name, id(entry)) for name in anchors)
    return targets, last


def _squeezed(remarks: Sequence[str], first: bool) -> list[str]:
    """Comment lines with at most one blank line between them; none before the first entry of a block."""
    lines: list[str] = []
    for text in remarks:
        if text or (lines[-1:] != [""] and (lines or not first)):
            lines.append(text)
    return lines


def _lines(texts: Sequence[str], comment: Comment | None) -> list[Line]:
    *above, last = texts
    return [*(Line(text) for text in above), Line(last, comment)]


def _filled(prefix: str, texts: Sequence[str], indent: str, comment: Comment | None) -> list[Line]:
    """Items of a list, as many a line as fit."""
    found = [prefix]
    for place, text in enumerate(texts):
        part = text + ("]" if place == len(texts) - 1 else ",")
        space = "" if not place else " "
        if place and len(found[-1]) + len(space) + len(part) > MAX_WIDTH:
            found.append(indent + part)
        else:
            found[-1] += space + part
    return _lines(found, comment)


def _literal(leaf: Leaf, prefix: str, indent: int) -> list[Line]:
    """A text written with `|` or `>`: its lines as they are, under the new indentation."""
    match = re.match(r"[|>][-+0-9]*", leaf.raw[0])
    header = re.sub("[0-9]", str(INDENT), match.group()) if match else leaf.style
    body = [line.rstrip("\n") for line in leaf.raw[1:]]
    content = next((line for line in leaf.text.split("\n") if line.strip()), "")
    first = next((line for line in body if line.strip()), "")
    own = (len(first) - len(first.lstrip(" "))) - (len(content) - len(content.lstrip(" ")))
    if body and not body[-1].strip() and not body[-1][own:]:
        body.pop()
    if not leaf.text.endswith("\n"):  # as `-` says, or the file ended in its last line
        header = f"{header.rstrip('+-')}-"
    blank = 0
    while "+" not in header and body and not body[-1].strip() and not body[-1][own:]:
        body.pop()
        blank = 1
    properties = f" {leaf.properties}" if leaf.properties else ""
    lines = [Line(f"{prefix}{properties} {header}", leaf.header)]
    lines += [Line(" " * indent + line[own:] if line[own:] else "", remark=True) for line in body]
    return lines + [Line("", remark=True)] * blank


def _aligned(lines: Sequence[Line]) -> list[str]:
    """The lines with their comments: in the writer's column where the text leaves room, neighbours in one column."""
    columns = Counter(line.comment.column for line in lines if line.comment)
    aligned: list[str] = []
    at = 0
    while at < len(lines):
        comment = lines[at].comment
        if comment is None:
            aligned.append(lines[at].text)
            at += 1
            continue
        end = at
        while end < len(lines) and (other := lines[end].comment) is not None and other.column == comment.column:
            end += 1
        group = lines[at:end]
        column = comment.column
        if columns[column] == 1 and group[0].text != comment.before:
            column = len(group[0].text) + max(COMMENT_GAP, comment.column - len(comment.before))
        least = max(len(line.text) for line in group) + COMMENT_GAP
        for line in group:
            if line.comment is not None:
                place = max(column, least)
                aligned.append(line.text.ljust(place) + line.comment.text)
                aligned += [" " * place + text for text in line.comment.more]
        at = end
    return aligned
