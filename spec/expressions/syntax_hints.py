"""What is wrong with an expression that has no syntax tree, and how it is mended: signs and words of other languages."""

from __future__ import annotations

import re
from types import MappingProxyType

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ..diagnostics.problems import shortened

CHARACTERS = MappingProxyType(
    {
        "=": "Comparison is `==`; a name is bound by a YAML key.",
        "!": "Write `!=` or `not`.",
        "&": "Write `and`.",
        "|": "Write `or`; the size of a number is `abs(x)`, of a vector `norm(x)`; a mean where c holds is `E(x, where=c)`.",
        "‖": "Write `norm(x)`.",
        "?": "A conditional is `a if c else b`.",
        "\\": "There is no LaTeX in expressions: `\\frac{a}{b}` is `a / b`, `\\cdot` is `*`.",
        "$": "There is no LaTeX and no interpolation in expressions: write a constant's name alone.",
        "−": "Write `-`.",
        "–": "Write `-`.",
        "÷": "Write `/`.",
        "√": "Write `sqrt(x)`.",
        "Σ": "Write `sum(x)`.",
        "∑": "Write `sum(x)`.",
        "∏": "Write `prod(x)`.",
        "∞": "There is no infinite number: leave a bound out instead.",
        "ᵀ": "Write `transpose(x)`.",
        "⊤": "Write `transpose(x)`.",
        "∘": "Write a call in a call: `f(g(x))`.",
        "⊙": "Write `*`.",
        "∥": "Write `norm(x)`.",
        "≪": "Write `<`, with how much less: `100 * a < b`.",
        "≫": "Write `>`, with how much more: `a > 100 * b`.",
        "±": "Write `within(x, a - b, a + b)`.",
        "π": "Write `pi`.",
        "≠": "Write `!=`.",
        "~": "Write `not`; nearly equal is `abs(a - b) < 1e-3`, and a draw is `x: normal(0, 1)`.",
        "≈": "Write `abs(a - b) < 1e-3`.",
        "∈": "Write `within(x, low, high)`.",
        "³": "Write `^3`.",
        "∧": "Write `and`.",
        "∨": "Write `or`.",
        "¬": "Write `not`.",
        '"': "There are no texts in expressions: write a variant's name without quotes.",
        "'": "There are no texts in expressions: write a variant's name without quotes.",
        "{": "Arrays are written `[a, b]`.",
        "@": "Write `matmul(a, b)`.",
        "²": "Write `^2`.",
        "·": "Write `*`, or `dot(a, b)`.",
        "×": "Write `*`.",
        "≤": "Write `<=`.",
        "≥": "Write `>=`.",
    }
)
"""What stands for a character that no expression has."""
LETTERS = "Expressions are written in letters, digits and `+ - * / // % ^ < > == ( ) [ ] , . :`."
NO_ELSE = "`else` is missing: `a if c else b`; a mean where c holds is `E(a, where=c)`."
NO_ELLIPSIS = "There is no `...`: each axis has its place, `x[:, 0]`, and axes left out at the end are taken whole."
DIGITS = re.compile(r"\d(_\d+)+\Z")
"""A number as Python groups its digits."""
BETWEEN = MappingProxyType(
    {
        "is": "Comparison is `==`.",
        "equals": "Comparison is `==`.",
        "between": "Write `within(x, low, high)`.",
        "given": "A mean where c holds is `E(x, where=c)`.",
        "where": "A mean where c holds is `E(x, where=c)`.",
        "then": "A choice is `a if c else b`.",
        "xor": "Write `a != b` between conditions.",
        "mod": "Write `a % b`.",
        "div": "Write `a // b`.",
        **{word.upper(): f"Write `{word}`." for word in ("and", "or", "not", "in", "if", "else")},
    }
)
"""What stands for a word between two values that has no meaning there."""


def explained(text: str, error: UnexpectedInput) -> tuple[str, int, int, str]:
    """What is wrong with a text that has no tree, from which offset to which, and how to mend it."""
    if isinstance(error, UnexpectedCharacters):
        place = error.pos_in_stream
        character = text[place]
        return f"'{shortened(character)}' has no meaning here", place, place + 1, CHARACTERS.get(character, LETTERS)
    assert isinstance(error, UnexpectedToken)
    token = error.token
    if token.type == "$END":
        opened = sum((c in "([") - (c in ")]") for c in text)
        hint = (
            "A bracket is not closed."
            if opened > 0
            else "A share is a number without `%`: 0.8."
            if text.rstrip().endswith("%")
            else NO_ELSE
            if _without_else(text)
            else "An operand is missing at the end, or there is an operator too many."
        )
        return "the expression ends too early", max(0, len(text.rstrip()) - 1), len(text), hint
    place = token.start_pos or 0
    return f"'{token}' is not expected here", place, place + len(token), _token_hint(text, str(token), place)


def _without_else(text: str) -> bool:
    return text.count(" if ") > text.count(" else ")


def _token_hint(text: str, token: str, place: int) -> str:
    if token == "*" and text[:place].rstrip().endswith("*"):
        return "Powers are written `a^b`."
    if token in ("<", ">") and text[:place].rstrip().endswith(token):
        return f"There is no `{token}{token}`: write `100 * a < b` for much less, and `x * 2^n` or `x // 2^n` to shift bits."
    if DIGITS.search(text[:place] + token):
        return "Write digits without `_`: `10000`, or `1e4`."
    if token == "." and (text[place : place + 3] == "..." or text[:place].endswith(".")):
        return NO_ELLIPSIS
    if token in BETWEEN:
        return BETWEEN[token]
    if token == "=":
        return "Comparison is `==`; a name is bound by a YAML key."
    if token == "for":
        return "Inside a call, index notation needs its brackets: `sum([x[i] for i < n])`."
    if token in (")", "]") and text.count(token) > text.count("(" if token == ")" else "["):
        return "This bracket was never opened."
    if token in (")", "]", ",") and _without_else(text[:place]):
        return NO_ELSE
    if token == "in":
        return (
            "Index notation is `[f(i) for i < n]`; one of several values is `x == 2 or x == 4`; in a claim's conditions a range is "
            "`d >= 2, d <= 4`; for other values write the claim once for each, joined by `and`."
        )
    if token == ":" and text[:place].count("[") > text[:place].count("]"):
        return "A slice is `x[a:b]`, without a step: backwards is `reverse(x)`, every second entry `[x[2 * i] for i < len(x) // 2]`."
    if token in (":", "lambda"):
        return "A function is declared under `functions:`, as `f(x): ...`."
    before = text[:place].rstrip()
    if before.endswith("NOT"):
        return BETWEEN["NOT"]
    if before and (before[-1].isalnum() or before[-1] in ")]") and (token[0].isalnum() or token == "("):
        return "Is an operator missing?  Multiplication is written `a * b`."
    if token in ("for", "if", "else", "and", "or") or not token[0].isalnum():
        return f"`{token}` needs a value before it: a name, a number, or something in brackets."
    return "An expression is made of names, numbers, calls `f(x)` and operators between them."
