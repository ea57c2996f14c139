"""What pieces mean, however they are written; and their data, by which a text is compared with what it was meant to be."""

from __future__ import annotations

import re
from functools import lru_cache

from ..diagnostics.problems import StudyError
from ..expressions.parser import SyntaxProblem, parse_expression
from ..expressions.printer import print_expression
from ..format.scalars import head
from ..model.fields import ORDERED
from ..source.nodes import scalar_value
from .pieces import Collection, Item, Scalar, Value

Meaning = tuple[object, ...]


def meaning(value: Value) -> Meaning:
    """What equal values share: maps whatever their order, unless it has a meaning, expressions however they are spaced."""
    return _read(value, expressions=True)


def same(one: Value, other: Value, key: str = "") -> bool:
    """Whether two values, which stand under a key, mean the same; expressions that are spelled alike are not parsed."""
    if isinstance(one, Scalar) and one.target is not None:
        return same(one.target, other, key)
    if isinstance(other, Scalar) and other.target is not None:
        return same(one, other.target, key)
    if isinstance(one, Scalar) or isinstance(other, Scalar):
        if not (isinstance(one, Scalar) and isinstance(other, Scalar)):
            return False
        spelled_alike = (one.text, one.plain, one.tag) == (other.text, other.plain, other.tag)
        return spelled_alike or meaning(one) == meaning(other)
    if (one.mapping, one.tag, len(one.items)) != (other.mapping, other.tag, len(other.items)):
        return False
    if not one.mapping:
        return all(same(a.value, b.value) for a, b in zip(one.items, other.items, strict=True))
    entries = {key_of(item): item.value for item in other.items}
    if key in ORDERED and [*entries] != [key_of(item) for item in one.items]:
        return False
    return all((name := key_of(item)) in entries and same(item.value, entries[name], name) for item in one.items)


def data(value: Value) -> Meaning:
    """The same to the letter."""
    return _read(value, expressions=False)


def _read(value: Value, expressions: bool, key: str = "") -> Meaning:
    if isinstance(value, Scalar):
        if value.target is not None:
            return _read(value.target, expressions, key)
        if value.plain and value.tag in ("", "!"):
            found = scalar_value(value.text)
            if not isinstance(found, str):
                return ("value", type(found).__name__, found)
        return ("text", value.tag, _expression(value.text) if expressions else value.text)
    if value.mapping:
        entries = {(name := key_of(item)): _read(item.value, expressions, name) for item in value.items}
        return ("map", value.tag, *(entries.items() if key in ORDERED else sorted(entries.items())))
    return ("list", value.tag, *(_read(item.value, expressions) for item in value.items))


def key_of(item: Item) -> str:
    """A key however it is spaced."""
    return head(item.key or "")


@lru_cache(maxsize=8192)
def _expression(text: str) -> str:
    if not re.search(r"[^\w.]", text):
        return text
    try:
        return print_expression(parse_expression(text))
    except (SyntaxProblem, StudyError, RecursionError):
        return text


def keys(value: Collection) -> dict[str, str]:
    """The keys of a mapping, with the texts of those that are scalars."""
    return {item.key or "": item.value.text if isinstance(item.value, Scalar) else "" for item in value.items}
