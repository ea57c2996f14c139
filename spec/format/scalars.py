"""How a scalar is spelled: expressions with canonical spaces, and quotes only where they are needed."""

from __future__ import annotations

import re
from functools import lru_cache

import yaml

from ..expressions import nodes as n
from ..expressions.parser import SyntaxProblem, parse_expression
from ..expressions.spacing import respaced
from ..source.nodes import scalar_value
from .syntax import Leaf

_WORD = re.compile(r"[A-Za-z][\w.-]*(?: [\w.-]+)*\Z", re.ASCII)
_CONSTANTS = {"~": "null", "Null": "null", "NULL": "null", "True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}  # fmt: skip
_HEAD = re.compile(r"\s*(\w+)\s*\(\s*((?:\w+(?:\s*,\s*\w+)*)?)\s*\)\s*\Z")


def spell(leaf: Leaf, *, expression: bool, flow: bool, item: bool) -> str:
    """A scalar's text on one line; `item` says that it stands in a list, where index notation keeps its brackets."""
    if leaf.alias:
        return f"*{leaf.alias}"
    properties = f"{leaf.properties} " if leaf.properties else ""
    if leaf.tag:
        return properties + (leaf.raw[0] if len(leaf.raw) == 1 else quoted(leaf.text))
    return (properties + _spell(leaf, expression, flow, item)).rstrip()


def _spell(leaf: Leaf, expression: bool, flow: bool, item: bool) -> str:
    plain = not leaf.style
    if plain and not isinstance(scalar_value(leaf.text), str):
        return _CONSTANTS.get(leaf.text, leaf.text) or ("null" if flow else "")
    text = expression_text(leaf.text, top=not item) if expression else leaf.text
    if expression and flow and item and not plain and _index_notation(text):
        return quoted(text)
    if not expression and not plain and re.search("[:#]", text):
        return quoted(text)
    return text if isinstance(scalar_value(text), str) and may_be_plain(text, flow) else quoted(text)


def spell_key(leaf: Leaf, *, flow: bool, function: bool) -> str:
    """A key's text; a function's head with canonical spaces."""
    if leaf.alias or leaf.tag:
        return spell(leaf, expression=False, flow=flow, item=False)
    properties = f"{leaf.properties} " if leaf.properties else ""
    text = head(leaf.text) if function else leaf.text
    return properties + (text if _plain_key(text, flow) else quoted(text))


def head(text: str) -> str:
    """A function's head: `u(r, c)`.

    >>> head("gap( a,b )"), head("error( )")
    ('gap(a, b)', 'error()')
    """
    match = _HEAD.match(text)
    if match is None:
        return text
    return f"{match[1]}({', '.join(word.strip() for word in match[2].split(','))})"


def expression_text(text: str, *, top: bool) -> str:
    """An expression with canonical spaces; as it is, where it is none."""
    try:
        return _respaced(text, top)
    except SyntaxProblem:
        return text


@lru_cache(maxsize=4096)
def _respaced(text: str, top: bool) -> str:
    return respaced(text, top=top)


def _index_notation(text: str) -> bool:
    try:
        return isinstance(parse_expression(text), n.Comprehension)
    except SyntaxProblem:
        return False


def quoted(text: str) -> str:
    """The text in quotes: double ones, unless it holds what they would have to escape.

    >>> print(quoted("5.5: its error"), quoted('a "word"'), quoted("it's \\"so\\""))
    "5.5: its error" 'a "word"' 'it''s "so"'
    """
    if text.isprintable() and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(c, c if c.isprintable() else _escape(c)) for c in text) + '"'


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


@lru_cache(maxsize=4096)
def may_be_plain(text: str, flow: bool) -> bool:
    """Whether YAML reads a text without quotes as that text, as a value.

    >>> may_be_plain("dot(v, x)", flow=False), may_be_plain("dot(v, x)", flow=True), may_be_plain("5.5: so", flow=False)
    (True, False, False)
    """
    if _WORD.match(text):
        return True
    if not text or not text.isprintable():
        return False
    return _reads(f"[{text}, {{k: {text}, l: m}}]" if flow else f"- {text}\n- k: {text}\n  l: m\n", text, 2)


@lru_cache(maxsize=4096)
def _plain_key(text: str, flow: bool) -> bool:
    if _WORD.match(text):
        return True
    if not text or not text.isprintable() or len(text) > 100 or text == "<<":
        return False
    return _reads(f"{{{text}: k, l: m}}" if flow else f"{text}: k\nl: m\n", text, 1)


def _reads(document: str, text: str, times: int) -> bool:
    """Whether a document holds a text so many times as a plain scalar, beside one-letter words."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = list(yaml.parse(document, Loader=loader))
    except yaml.YAMLError:
        return False
    if any(isinstance(event, yaml.AliasEvent) for event in events):
        return False
    scalars = [event for event in events if isinstance(event, yaml.ScalarEvent)]
    if any(event.style or event.anchor or event.tag for event in scalars):
        return False
    values = [event.value for event in scalars]
    for _ in range(times):
        if text not in values:
            return False
        values.remove(text)
    return sorted(values) == ["k", "l", "m"]
