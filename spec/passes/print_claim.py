"""Claims' trees as text, as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..expressions.printer import PRECEDENCE, number_text
from ..ir import claims as c
from ..tables.operations import OPERATIONS

_NOT, _SIGN, _POWER, _ATOM = 4, 8, 10, 11


def claim_text(tree: c.Claim) -> str:
    """The text of a claim, or of a part of one.

    >>> claim_text(c.Apply("less", (c.Measured("final", "error", selections=(c.Selection("d", "<=", 10.0),)), c.Number(0.1))))
    'final(error, d <= 10) < 0.1'
    """
    return _text(tree, 0)


def _text(tree: Any, least: int) -> str:
    text, strength = _spelled(tree)
    return f"({text})" if strength < least else text


def _spelled(tree: Any) -> tuple[str, int]:
    match tree:
        case c.Number(value):
            return value_text(value), _ATOM if value >= 0 else _SIGN
        case c.Coordinate(axis):
            return axis, _ATOM
        case c.Measured():
            return _measured(tree), _ATOM
        case c.Diverged(selections):
            return f"diverged({', '.join(map(selection_text, selections))})", _ATOM
        case c.Along(form, y, x):
            return f"{form}({_text(y, 0)}, {_text(x, 0)})", _ATOM
        case c.Over(form, y, axis):
            return f"{form}({_text(y, 0)}, {axis})", _ATOM
        case c.OverEntries(form, index, entries):
            return f"{form}({_along_entries(index, entries)})", _ATOM
        case c.Apply(operation, arguments):
            return _applied(operation, arguments)
    raise TypeError(type(tree).__name__)


def _applied(operation: str, arguments: tuple[Any, ...]) -> tuple[str, int]:
    sign = OPERATIONS[operation].operator
    if operation == "logical_not":
        return f"not {_text(arguments[0], _NOT)}", _NOT
    if operation == "negative":
        return f"-{_text(arguments[0], _SIGN)}", _SIGN
    if not sign or len(arguments) != 2:
        return f"{operation}({', '.join(_text(argument, 0) for argument in arguments)})", _ATOM
    strength = PRECEDENCE[sign]
    if sign == "^":
        return f"{_text(arguments[0], _POWER)}^{_text(arguments[1], _SIGN)}", strength
    left = strength + 1 if strength == PRECEDENCE["<"] else strength
    return f"{_text(arguments[0], left)} {sign} {_text(arguments[1], strength + 1)}", strength


def _measured(tree: c.Measured) -> str:
    measure = tree.measure + (f"[{', '.join(map(str, tree.index))}]" if tree.index else "")
    if tree.reduction == "first_step":
        measure = f"{measure} {tree.operator} {_text(tree.threshold, PRECEDENCE['<'] + 1)}"
    given = [measure, *([str(tree.step)] if tree.reduction == "at" else [])]
    given += [*_window_text(tree.window), *map(selection_text, tree.selections)]
    return f"{tree.reduction}({', '.join(given)})"


def _along_entries(index: str, entries: tuple[Any, ...]) -> str:
    """What goes along an index: `final(m[i]), i`, or its first and last where the index does not stand alone."""
    first, last = _text(entries[0], 0), _text(entries[-1], 0)
    words, others = re.split(r"(\d+)", first), re.split(r"(\d+)", last)
    pairs = list(zip(words, others, strict=False))
    if len(words) == len(others) and all(
        one == other or (one, other) == ("0", str(len(entries) - 1)) for one, other in pairs
    ):
        return "".join(one if one == other else index for one, other in pairs) + f", {index}" * (len(entries) > 1)
    return ", ".join([first, *(["…"] if len(entries) > 2 else []), last])


def _window_text(window: c.Window | None) -> Iterator[str]:
    """The conditions that make a window of steps."""
    first, last = window or (0, None)
    if first:
        yield f"step >= {first}"
    if last is not None:
        yield f"step <= {last}"


def selection_text(one: c.Selection) -> str:
    """A condition on an axis: `d == 2`."""
    return f"{one.axis} {one.operator} {one.value if isinstance(one.value, str) else value_text(one.value)}"


def value_text(value: float) -> str:
    """A number of a claim: a whole one without its point.

    >>> value_text(2.0), value_text(0.001)
    ('2', '0.001')
    """
    return number_text(int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value))
