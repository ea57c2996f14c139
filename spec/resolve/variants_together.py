"""Patched experiments that are alike but for numbers, as one in which what stands for all of these numbers stands in their place.

2,000 variants of a learning rate, of a layer's size or of a factor in a loss are one document with 2,000 values at one place (see
`spec/source/several.py`). Each is patched and held against the models for itself, and the first is checked for itself, too.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pydantic

from ..check.declarations import is_taken
from ..check.memo import Shared
from ..diagnostics.problems import Span
from ..expressions import nodes as n
from ..expressions.parser import parse_expression
from ..model.experiment import Experiment
from ..source import nodes as yaml
from ..source.several import AllTexts, AllValues, OnePointNeeded, all_values
from ..tables.gradient_statistics import FLOOR

_NUMBER = re.compile(r"(?<![\w.])(?:(0|[1-9]\d{0,17})|(0\.\d{1,15}|[1-9]\d{0,9}\.\d{1,15}))(?![\w.])")
"""A number in an expression, an int or a real one, written as nobody could read it otherwise."""
_WORD = re.compile(r"\w+")

NAMED_FREELY = ("functions", "outputs", "loss", "measures")
"""The sections of an experiment whose names matter to nothing but what speaks of them."""

Number = int | float


class Form:
    """What patched experiments have in common that differ in numbers alone, the same for each of them; and the numbers of one.

    A function, an output, a term of the loss or a measure that nothing else speaks of may have any name: of what is checked, nothing hangs on it.

    Args:
        node: The experiment with patches over it.
        base: The experiment without any; what is a part of both is not looked through.
        said_once: The words that stand once in the study.
    """

    def __init__(self, node: yaml.Node, base: yaml.Node, said_once: Container[str] = ()) -> None:
        self.node, self.base = node, base
        sections = [node.get(name) for name in NAMED_FREELY] if isinstance(node, yaml.Mapping) else []
        self.sections = {id(section) for section in sections if section is not None}
        self.said_once = said_once
        parts: list[Hashable] = []
        self.numbers: list[Number] = []
        self._read(node, base, parts)
        self.key = tuple(parts)

    def _read(self, node: yaml.Node, base: yaml.Node | None, parts: list[Hashable]) -> None:
        if node is base:
            parts.append(id(node))
        elif isinstance(node, yaml.Mapping):
            names = node.keys()
            parts.append(tuple(map(self._head, names)) if id(node) in self.sections and _no_floors(names) else names)
            for key, below in node.entries:
                self._read(below, base.get(key.text) if isinstance(base, yaml.Mapping) else None, parts)
        elif isinstance(node, yaml.Sequence):
            parts.append(len(node.items))
            for item in node.items:
                self._read(item, None, parts)
        elif isinstance(node.value, str):
            pieces = _NUMBER.split(node.text)  # between two pieces of text a number stands in one of two groups
            parts.append((tuple(pieces[::3]), tuple(number is not None for number in pieces[1::3]), node.plain))
            self.numbers.extend(_numbers(node.text))
        elif isinstance(node.value, int | float) and not isinstance(node.value, bool):
            parts.append(type(node.value).__name__)
            self.numbers.append(node.value)
        else:
            parts.append((type(node.value).__name__, node.value, node.plain))

    def places(self) -> list[Span]:
        """Where what stands that is no part of the base: its names and texts."""
        return list(_apart(self.node, self.base))

    def _head(self, text: str) -> str:
        """A key of a section of names, without its name where that may be any."""
        name = _WORD.search(text)
        if name is None or name[0] not in self.said_once or is_taken(name[0]):
            return text
        return text[: name.start()] + "?" + text[name.end() :]

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of the measures."""
        node = self.node.get("measures") if isinstance(self.node, yaml.Mapping) else None
        return tuple(node.keys()) if isinstance(node, yaml.Mapping) else ()


def _apart(node: yaml.Node, base: yaml.Node | None) -> Iterator[Span]:
    """Where the parts of a tree stand that another does not have."""
    if node is base:
        return
    if base is None or type(node) is not type(base) or isinstance(node, yaml.Scalar):
        yield node.span
    elif node.span != base.span:
        yield replace(node.span, end_line=node.span.line, end_column=node.span.column + 1)
    if isinstance(node, yaml.Mapping):
        entries = {key.text: (key, below) for key, below in base.entries} if isinstance(base, yaml.Mapping) else {}
        for key, below in node.entries:
            own_key, own = entries.get(key.text, (None, None))
            if key is not own_key:
                yield key.span
            yield from _apart(below, own)
    elif isinstance(node, yaml.Sequence):
        items = base.items if isinstance(base, yaml.Sequence) else ()
        for item, own in itertools.zip_longest(node.items, items[: len(node.items)]):
            yield from _apart(item, own)


def _no_floors(names: Iterable[str]) -> bool:
    """Whether none of some names is that of a statistic's sampling floor, which hangs on the statistic's."""
    return not any(name.endswith(FLOOR) for name in names)


def said_once(top: yaml.Node) -> frozenset[str]:
    """The words that stand once in a tree, in its keys or its texts."""
    words: Counter[str] = Counter()
    pending = [top]
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.Scalar):
            words.update(_WORD.findall(node.text))
        elif isinstance(node, yaml.Sequence):
            pending.extend(node.items)
        else:
            pending.extend(item for entry in node.entries for item in entry)
    return frozenset(word for word, times in words.items() if times == 1)


def _numbers(text: str) -> list[Number]:
    return [int(found[1]) if found[1] else float(found[2]) for found in _NUMBER.finditer(text)]


def laid_over(forms: Sequence[Form], like: Shared) -> Shared:
    """What cells of some experiments of one form share. Raises OnePointNeeded where what stands for all numbers may not stand in their place."""
    first = forms[0]
    columns = zip(*(form.numbers for form in forms), strict=True)
    found = (all_values(list(values)) if len(set(values)) > 1 else values[0] for values in columns)
    node = _put(first.node, first.base, found)
    assert isinstance(node, yaml.Mapping)
    try:
        model = Experiment.like(node, like.model)
    except pydantic.ValidationError:
        raise OnePointNeeded from None
    return Shared(model, like.whole, like.common, like.called)


def _put(node: yaml.Node, base: yaml.Node | None, values: Iterator[AllValues | Number | None]) -> yaml.Node:
    """The tree of a form, with what stands for its numbers in their place."""
    if node is base:
        return node
    if isinstance(node, yaml.Mapping):
        below = base if isinstance(base, yaml.Mapping) else yaml.Mapping((), node.span)
        return replace(
            node, entries=tuple((key, _put(item, below.get(key.text), values)) for key, item in node.entries)
        )
    if isinstance(node, yaml.Sequence):
        return replace(node, items=tuple(_put(item, None, values) for item in node.items))
    if isinstance(node.value, str):
        own = [next(values) for _ in _numbers(node.text)]
        return _text(node, own) if any(isinstance(value, AllValues | None) for value in own) else node
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        value: Any = next(values)
        return node if isinstance(value, int | float) else replace(node, value=_known(value))
    return node


def _known(value: AllValues | None) -> Any:
    if value is None:
        raise OnePointNeeded
    return value


def _text(node: yaml.Scalar, values: Sequence[AllValues | Number | None]) -> yaml.Scalar:
    """An expression with what stands for its numbers in their place."""
    tree = parse_expression(node.text)
    written = sorted((item for item in n.walk(tree) if isinstance(item, n.Number)), key=lambda item: item.start)
    if [(type(item.value), item.value) for item in written] != [(type(item), item) for item in _numbers(node.text)]:
        raise OnePointNeeded
    put = {id(item): value for item, value in zip(written, values, strict=True) if not isinstance(value, int | float)}
    value: Any = AllTexts(_replaced(tree, put))
    return replace(node, value=value)


def _replaced(item: Any, put: Mapping[int, AllValues | None]) -> Any:
    """A syntax tree with other numbers in it."""
    if isinstance(item, tuple):
        return tuple(_replaced(part, put) for part in item)
    if isinstance(item, n.Number):
        value: Any = _known(put[id(item)]) if id(item) in put else item.value
        return replace(item, value=value)
    if isinstance(item, n.Node):
        return replace(item, **{name: _replaced(getattr(item, name), put) for name in type(item).__slots__})
    return item
