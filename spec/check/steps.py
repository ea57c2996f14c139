"""Steps as claims say them: whole numbers of constants, and of where the phases of training begin and end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..expressions import nodes as n
from ..ir import claims as c
from .expression_text import Text

Borders = tuple[Mapping[str, Any], ...]
"""Of each pass of each phase of a training: `phase` (its name), `pass`, `start` and `end` (`TrainingPlan.borders`)."""
ENDS = ("start", "end")
HINT = "`at(error, 100)` is the error at step 100, `at(error, end(task_a))` that at the end of a phase."


def borders_of(
    by_place: Sequence[tuple[Mapping[str, Any], Borders]], selections: Sequence[c.Selection]
) -> list[Borders] | None:
    """The borders of the cells that are looked at; None where there are cells, and all of these are left out."""
    found = [own for place, own in by_place if c.looked_at(selections, place)]
    return None if by_place and not found else found


def speaks_of_borders(text: Text, functions: Collection[str] = ()) -> bool:
    """Whether an expression names where phases begin and end; `functions` are those of the study, which go over these names."""
    calls = {part.function for part in n.walk(text.tree) if isinstance(part, n.Call)}
    return bool(calls.intersection(ENDS).difference(functions))


def step_of(node: n.Expr, text: Text, constants: Mapping[str, float], borders: Sequence[Borders] | None) -> int:
    """The step that an expression is; `borders` are those of each cell that is looked at. Raises StudyError.

    Where they are None no cell is looked at, and nothing knows where its phases end: that is step 0, at which nothing is read.
    """
    span = text.span(node)
    found = {_value(node, text, constants, own) for own in ([None] if borders is None else borders or [()])}
    if len(found) > 1:
        few, many = min(found), max(found)
        hint = "Choose one by a condition: `at(m, end(a), variant == plain)`."
        raise problem_at(span, f"this is step {few:,g} in one cell and {many:,g} in another", hint)
    (value,) = found
    if borders is None:
        return 0
    if value != int(value):
        raise problem_at(span, f"a step is a whole number, and this is {value:g}", HINT)
    return int(value)


def _value(node: n.Expr, text: Text, constants: Mapping[str, float], borders: Borders | None) -> float:
    span = text.span(node)
    match node:
        case n.Number(value) if not isinstance(value, bool):
            return value
        case n.Name(name) if name in constants:
            return constants[name]
        case n.Name(name):
            hint = did_you_mean(name, constants) or HINT
            raise problem_at(span, f"a step is made of constants that no axis changes, and '{name}' is not one", hint)
        case n.Unary("-", operand):
            return -_value(operand, text, constants, borders)
        case n.Binary(operator, left, right) if operator in ("+", "-", "*", "//"):
            a, b = (_value(part, text, constants, borders) for part in (left, right))
            if operator == "//" and b == 0 and borders is not None:
                raise problem_at(span, "this divides by 0", HINT)
            return {"+": a + b, "-": a - b, "*": a * b, "//": a // b if b else 0}[operator]
        case n.Call(function, (phase,), ()) if function in ENDS:
            return _border(function, phase, text, constants, borders)
    if isinstance(node, n.Call) and node.function in ENDS:
        hint = f"Write `{node.function}(task_a)`, or `{node.function}(task[0])` for one pass."
        raise problem_at(span, f"`{node.function}` takes a phase of training", hint)
    raise problem_at(span, "the second argument of `at` is a step, a whole number", HINT)


def _border(function: str, node: n.Expr, text: Text, constants: Mapping[str, float], borders: Borders | None) -> float:
    """Where a phase begins or ends; of one with several passes the first pass begins and the last ends, unless one is chosen."""
    if borders is None:
        return 0.0
    span, number = text.span(node), None
    if isinstance(node, n.Index) and len(node.subscripts) == 1 and isinstance(node.array, n.Name):
        number = _number(node.subscripts[0], text, constants, borders)
        node = node.array
    passes = [border for border in borders if isinstance(node, n.Name) and border["phase"] == node.name]
    if not passes:
        known = list(dict.fromkeys(border["phase"] for border in borders if border["phase"]))
        name = node.name if isinstance(node, n.Name) else ""
        if not known:
            hint = "Give the training `phases:`, or write the step itself."
            raise problem_at(span, f"`{function}` takes a phase of training, and there are none", hint)
        hint = did_you_mean(name, known) or f"The phases are {listing(known)}."
        raise problem_at(span, f"there is no phase '{name}'" if name else f"`{function}` takes a phase", hint)
    if number is None:
        return float(passes[0 if function == "start" else -1][function])
    place = number + len(passes) if number < 0 else number
    if not 0 <= place < len(passes):
        hint = f"Passes are 0 … {len(passes) - 1}; `-1` is the last."
        raise problem_at(span, f"the phase '{passes[0]['phase']}' has {len(passes)} passes, and no pass {number}", hint)
    return float(passes[place][function])


def _number(subscript: Any, text: Text, constants: Mapping[str, float], borders: Borders | None) -> int:
    """The number of a pass."""
    if isinstance(subscript, n.Slice):
        raise problem_at(_whole(text), "a pass is chosen by one number", "`end(task[0])`")
    value = _value(subscript, text, constants, borders)
    if value != int(value):
        raise problem_at(
            text.span(subscript), f"a pass is a whole number, and this is {value:g}", "Passes count from 0."
        )
    return int(value)


def _whole(text: Text) -> Span:
    return text.span(text.tree)
