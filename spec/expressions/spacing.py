"""The spacing of an expression as it was written: its brackets and the spelling of its numbers stay."""

from __future__ import annotations

import re

from ..source.names import KEYWORDS
from . import nodes as n
from .parser import parse_expression

_TOKEN = re.compile(
    r"\s*((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|//|<=|>=|==|!=|[-+*/%^<>=(),.:\[\]])", re.ASCII
)
_WORDS = KEYWORDS - {"true", "false"}
_TIGHT = frozenset({"^", ".", "=", ":"})
_BEFORE_OPERAND = frozenset({"(", "[", ",", ":", "=", "+", "-", "*", "/", "//", "%", "^", "<", "<=", ">", ">=", "==", "!="}) | _WORDS  # fmt: skip


def respaced(text: str, *, top: bool = True) -> str:
    """The text with canonical spaces; raises SyntaxProblem. At the top of a value, index notation loses its brackets.

    >>> respaced("( guess-y ) ^ 2*1E-3"), respaced("f( z[ 1 : ],axis = -1 , )")
    ('(guess - y)^2 * 1E-3', 'f(z[1:], axis=-1)')
    """
    tree = parse_expression(text)
    tokens = _TOKEN.findall(text)
    if top and isinstance(tree, n.Comprehension) and _bracketed(tokens):
        tokens = tokens[1:-1]
    found: list[str] = []
    unary = False
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if token == "," and following in (")", "]"):
            continue
        before = found[-1] if found else ""
        if before and _apart(before, token, unary):
            found.append(" ")
        unary = token in ("-", "+") and (not before or before in _BEFORE_OPERAND)
        found.append(token)
    return "".join(found)


def _bracketed(tokens: list[str]) -> bool:
    """Whether the first token is a bracket that the last one closes."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token in "([") - (token in ")]")
        if depth == 0:
            return tokens[0] == "[" and place == len(tokens) - 1
    return False


def _apart(before: str, token: str, unary: bool) -> bool:
    """Whether a space stands between two tokens; `unary` says that the first is a sign."""
    if token in (")", "]", ",") or before in ("(", "[") or unary:
        return False
    if before == ",":
        return True
    if token in _TIGHT or before in _TIGHT:
        return False
    if token in ("(", "["):
        called = before in (")", "]") or (before[0].isalnum() or before[0] == "_")
        return before in _WORDS or not called
    return True
