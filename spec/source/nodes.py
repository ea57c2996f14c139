"""YAML text to a tree of nodes that know where they stand. Nothing in the text is ever constructed or evaluated.

Scalars follow the core schema of YAML 1.2.2 (section 10.3): `1e-5` is a number, `yes`, `no`, `on`, `off` are words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as SequenceOf
from dataclasses import field
from typing import Any

import yaml

from ..diagnostics.problems import Problem, Source, Span, StudyError, problem_at
from ..records import record
from .conflicts import BASE, NAMES, OURS, REMOVED_TAG, TAG, THEIRS, undecided, undecided_name

MAX_NODES = 200_000
MAX_DEPTH = 60
MAX_DIGITS = 399
"""The digits of the longest whole number that is read as one: a longer one is infinite."""
MAX_SEARCHED_ENTRIES = 8
"""Up to how many entries a mapping is looked through; one with more is indexed."""

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}

STAND_INS = {0x85: 0xF0085, 0x2028: 0xF2028, 0x2029: 0xF2029}
"""Line breaks of YAML 1.1 alone, which the parser would break lines at: in YAML 1.2, and in editors, they end none."""
ORIGINALS = {stand_in: character for character, stand_in in STAND_INS.items()}

_PLAIN_TAGS = {"tag:yaml.org,2002:" + name for name in ("str", "map", "seq", "int", "float", "bool", "null")} | {"!"}


@record(frozen=True, slots=True)
class Scalar:
    """A leaf: its value by the core schema, its text, and whether it was written without quotes."""

    value: str | int | float | bool | None
    text: str
    plain: bool
    span: Span = field(compare=False, repr=False)


@record(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    span: Span = field(compare=False, repr=False)


@record(frozen=True, slots=True)
class Mapping:
    """Pairs of key and node, in file order; keys are unique words."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span = field(compare=False, repr=False)
    _index: dict[str, tuple[Scalar, Node]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def get(self, key: str) -> Node | None:
        """The node under a key, or None."""
        found = self.entry(key)
        return found[1] if found is not None else None

    def key(self, key: str) -> Scalar | None:
        """The key itself, for its position."""
        found = self.entry(key)
        return found[0] if found is not None else None

    def entry(self, key: str) -> tuple[Scalar, Node] | None:
        """A key with its node; the first question of many makes the index."""
        if len(self.entries) <= MAX_SEARCHED_ENTRIES:
            for entry in self.entries:
                if entry[0].text == key:
                    return entry
            return None
        if not self._index:
            self._index.update((entry[0].text, entry) for entry in self.entries)
        return self._index.get(key)

    def keys(self) -> tuple[str, ...]:
        """The keys' texts, in file order."""
        return tuple(name.text for name, _ in self.entries)

    def texts(self) -> dict[str, str]:
        """The keys with the texts of what is below them; of what is no scalar with none."""
        return {key.text: node.text if isinstance(node, Scalar) else "" for key, node in self.entries}


Node = Scalar | Sequence | Mapping


def parse(source: Source) -> Mapping:
    """The document's tree. Raises StudyError for whatever is not one YAML document with a mapping at the top."""
    top, problems = parsed(source)
    if problems:
        raise StudyError(problems)
    return top


def parsed(source: Source, read: list[Any] | None = None) -> tuple[Mapping, list[Problem]]:
    """The document's tree, with what is wrong in it and leaves the rest as it is; `read` are its events, where they were read before.

    Raises StudyError where there is no tree.
    """
    events = events_of(source) if read is None else read
    builder = _Builder(source)
    documents = [node for node in builder.documents(events) if node is not None]
    if builder.problems and (len(documents) != 1 or not isinstance(documents[0], Mapping)):
        raise StudyError(builder.problems)
    if not documents or (isinstance(documents[0], Scalar) and documents[0].value is None):
        raise problem_at(None, f"{source.name}: the file is empty", "`dlspec new NAME` writes a first spec that runs.")
    if len(documents) > 1:
        hint = "Remove the `---` line, or put the second study into its own file."
        raise problem_at(documents[1].span, "a second YAML document begins here: a file holds one study", hint)
    top = documents[0]
    if not isinstance(top, Mapping):
        hint = "A study begins with `dlspec: 1` and `study: NAME`."
        raise problem_at(top.span, "expected a mapping at the top of the file", hint)
    return top, builder.problems


def parse_value(source: Source, start: int = 0) -> Node:
    """The tree of one value, such as an override gives from a column on. Raises StudyError."""
    events = events_of(source, start)
    builder = _Builder(source)
    found = [node for node in builder.documents(events) if node is not None]
    if builder.problems:
        raise StudyError(builder.problems)
    return found[0] if found else Scalar(None, "", True, Span(source, 1, 1, 1, 2))


def data(node: Node) -> Any:
    """The tree as plain dictionaries, lists and scalars."""
    if isinstance(node, Mapping):
        return {key.text: data(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [data(item) for item in node.items]
    return node.value


def spelled(node: Node) -> str:
    """The tree in one line, for a message."""
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{key.text}: {spelled(value)}" for key, value in node.entries) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(spelled(item) for item in node.items) + "]"
    return " ".join(node.text.split())


def below(node: Node | None, step: str | int) -> tuple[Node, Span] | None:
    """The node under a key or at an index, and its place: a scalar's own, and the key's for a mapping, a list or nothing."""
    if isinstance(node, Mapping):
        entry = node.entry(str(step))
        if entry is None:
            return None
        key, value = entry
        return value, (value.span if isinstance(value, Scalar) and value.text else key.span)
    if isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step], node.items[step].span
    return None


def locate(node: Node, path: SequenceOf[str | int]) -> tuple[Span, int]:
    """The place of the deepest part of a path that exists, as `below` has it, and how many of its steps exist."""
    span = node.span
    for depth, step in enumerate(path):
        found = below(node, step)
        if found is None:
            return span, depth
        node, span = found
    return span, len(path)


def find(node: Node | None, path: SequenceOf[str | int]) -> Node | None:
    """The node at a path, or None."""
    for step in path:
        if isinstance(node, Mapping):
            node = node.get(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def scalar_value(text: str) -> str | int | float | bool | None:
    """A plain scalar by the core schema of YAML 1.2.

    >>> [scalar_value(text) for text in ("1e-5", "on", "0x10", "~", "true", "012")]
    [1e-05, 'on', 16, None, True, 12]
    """
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text):
        return int(text) if len(text) <= MAX_DIGITS else float(text)
    if _BASED.match(text):
        return int(text, 0) if len(text) <= MAX_DIGITS else float("inf")
    if text.lower() in _SPECIAL:
        return _SPECIAL[text.lower()]
    return float(text) if _FLOAT.match(text) else text


def events_of(source: Source, start: int = 0) -> list[Any]:
    """What YAML reads in a text from a column on. Raises StudyError where that is no YAML."""
    text = " " * start + source.text[start:] if start else source.text
    try:
        return list(yaml.parse(text.translate(STAND_INS), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        from .yaml_errors import syntax_error  # of texts with errors alone

        raise syntax_error(source, error) from None


class _Builder:
    """Builds nodes from YAML events and gathers what is wrong on the way."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0
        self.flow = 0
        self.key = ""
        self.marks = 0
        self.removed: set[tuple[int, int]] = set()

    def documents(self, events: list[Any]) -> list[Node | None]:
        stream = iter(events)
        roots: list[Node | None] = []
        for event in stream:
            if isinstance(event, yaml.DocumentStartEvent):
                roots.append(self.node(next(stream), stream, 0))
        return roots

    def span(self, start: Any, end: Any) -> Span:
        return Span(self.source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def node(self, event: Any, stream: Any, depth: int) -> Node:
        before = self.nodes
        self.count(1, event)
        if depth > MAX_DEPTH:
            span = self.span(event.start_mark, event.end_mark)
            raise problem_at(span, f"nested more than {MAX_DEPTH} levels deep", "A study needs about ten.")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        key = self.key
        conflict = event.tag == TAG and isinstance(event, yaml.MappingStartEvent)
        self.marks += conflict
        if event.tag == REMOVED_TAG and self.marks:
            self.removed.add((event.end_mark.line, event.end_mark.column))
        elif not conflict:
            self.tag(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event, stream, depth)
        else:
            node = self.mapping(event, stream, depth)
            if conflict:
                self.marks -= 1
                node = self.undecided(event, key, node)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.nodes - before)
        return node

    def count(self, size: int, event: Any) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            span = self.span(event.start_mark, event.end_mark)
            message = f"the file expands to more than {MAX_NODES:,} values here"
            raise problem_at(span, message, "An anchor that holds aliases of others grows without bound: write it out.")

    def alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            span = self.span(event.start_mark, event.end_mark)
            message = f"the alias '*{event.anchor}' has no anchor '&{event.anchor}' before it"
            raise problem_at(span, message, "An anchor must not contain itself, and must come before its aliases.")
        node, size = self.anchors[event.anchor]
        self.count(size, event)
        return node

    def tag(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            start = self.span(event.start_mark, event.start_mark)
            line = self.source.lines[start.line - 1]
            written = next((match for match in re.finditer(r"!\S*", line) if match.start() >= start.column - 1), None)
            word, column = (written.group(), written.start() + 1) if written else (event.tag, start.column)
            span = Span(self.source, start.line, column, start.line, column + len(word))
            message = f"unknown tag '{word}': a spec holds plain values, and no tag constructs anything"
            hint = "Remove the tag."
            if event.tag == REMOVED_TAG:
                message = f"'{word}' marks what one side of a merge removed, and is allowed only beside the other side"
                hint = "Remove the whole entry, or write its value."
            self.problems.append(Problem(message, span, hint))

    def undecided(self, event: Any, key: str, mark: Mapping) -> Node:
        """Tells of a mark that a merge left; what is read on is a side that has a value."""
        start = self.span(event.start_mark, event.start_mark)
        span = Span(self.source, start.line, start.column, start.line, start.column + len(TAG))
        sides = {name: node for name in (OURS, THEIRS, BASE) if (node := mark.get(name)) is not None}
        if mark.get(NAMES) is not None:
            names = [
                node.entries[0][0].text
                for name in (OURS, THEIRS)
                if isinstance(node := sides.get(name), Mapping) and node.entries
            ]
            self.problems.append(undecided_name(span, key, names))
            return mark
        gone = {
            name for name, node in sides.items() if (node.span.end_line - 1, node.span.end_column - 1) in self.removed
        }
        texts = {name: None if name in gone else spelled(node) for name, node in sides.items()}
        self.problems.append(undecided(span, key, texts))
        return next((node for name, node in sides.items() if name not in gone), mark)

    def scalar(self, event: Any) -> Scalar:
        plain = not event.style
        span = self.span(event.start_mark, event.end_mark)
        text = event.value.translate(ORIGINALS) if not event.value.isascii() else event.value
        if plain and self.flow:
            self.unsplit(text, span)
        value = scalar_value(text) if plain and event.tag in (None, "!") else text
        return Scalar(value, text, plain, span)

    def unsplit(self, text: str, span: Span) -> None:
        """An expression that YAML's own commas and brackets cut in two is shown as it has to be quoted."""
        if text.count("(") <= text.count(")"):
            return
        from .yaml_errors import balanced  # of texts with errors alone

        line = self.source.lines[span.line - 1]
        whole = balanced(line, span.column - 1)
        if head := re.match(r"\w+\([^()]*\)(?=:\s)", whole):  # a function's name, with its parameters
            whole = head[0]
        if not whole and self.source.lines[span.end_line - 1][span.end_column - 1 :].lstrip()[:1] in ("}", "]"):
            self.problems.append(Problem("a '(' in this expression is not closed", span, "Close it with ')'."))
            return
        hint = f'Quote it: "{whole}"' if whole else "Quote the expression."
        if whole:
            span = Span(self.source, span.line, span.column, span.line, span.column + len(whole))
        self.problems.append(Problem("YAML split this expression at a comma, inside '{ }' or '[ ]'", span, hint))

    def sequence(self, event: Any, stream: Any, depth: int) -> Sequence:
        self.flow += 1 if event.flow_style else 0
        items: list[Node] = []
        for inner in stream:
            if isinstance(inner, yaml.SequenceEndEvent):
                self.flow -= 1 if event.flow_style else 0
                return Sequence(tuple(items), self.span(event.start_mark, inner.end_mark))
            self.key = ""
            node = self.node(inner, stream, depth + 1)
            if getattr(inner, "tag", None) == TAG and isinstance(node, Sequence):
                items.extend(node.items)  # of a mark in a list, each side has items
            else:
                items.append(node)
        raise AssertionError("the YAML parser ends every sequence")

    def mapping(self, event: Any, stream: Any, depth: int) -> Mapping:
        self.flow += 1 if event.flow_style else 0
        entries: list[tuple[Scalar, Node]] = []
        first: dict[str, Span] = {}
        for inner in stream:
            if isinstance(inner, yaml.MappingEndEvent):
                self.flow -= 1 if event.flow_style else 0
                return Mapping(tuple(entries), self.span(event.start_mark, inner.end_mark))
            key = self.node(inner, stream, depth + 1)
            self.key = key.text if isinstance(key, Scalar) else ""
            value = self.node(next(stream), stream, depth + 1)
            if not isinstance(key, Scalar):
                hint = "Quote an expression that holds brackets." if self.flow else "Write one word before the colon."
                self.problems.append(Problem("a key is one word, not a list or a mapping", key.span, hint))
            elif key.text == "<<" and key.plain:
                hint = "Derive an experiment with `base: OTHER`; layers share `layer_defaults`."
                self.problems.append(Problem("merge keys ('<<') are not part of YAML 1.2", key.span, hint))
            elif key.text in first:
                message = f"the key '{key.text}' appears twice here, first on line {first[key.text].line}"
                self.problems.append(Problem(message, key.span, "Remove one, or rename it."))
            else:
                first[key.text] = key.span
                entries.append((key, value))
        raise AssertionError("the YAML parser ends every mapping")
