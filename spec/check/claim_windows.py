"""Steps in claims: windows of them, `highest(error, step >= 2000)`, and single ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..diagnostics.problems import Span, listing, problem_at
from ..expressions import nodes as n
from ..ir import claims as c
from .expression_text import Text
from .steps import Borders, step_of


def is_of_steps(node: n.Expr, axes: Collection[str]) -> bool:
    """Whether a condition is one on `step`, and this is no axis of the study's own."""
    named = isinstance(node, n.Binary) and isinstance(node.left, n.Name) and node.left.name == "step"
    return named and "step" not in axes


def in_window(
    part: c.Measured,
    conditions: Sequence[n.Expr],
    text: Text,
    constants: Mapping[str, float],
    borders: Sequence[Borders] | None,
    evaluated: Iterable[tuple[Mapping[str, Any], tuple[int, ...]]],
) -> c.Measured:
    """A part over the evaluations in a window of steps alone.

    `borders` and `evaluated`, where the phases end and at which steps measures are taken, are those of the cells that it looks at.
    Raises StudyError for a window in which nothing is measured in one of them.
    """
    if part.reduction not in c.WINDOWED:
        known = listing(f"`{name}`" for name in c.WINDOWED)
        hint = f"{known} look at many steps; `at({part.measure}, 100)` looks at one."
        message = f"`{part.reduction}` looks at one step, and takes no window of steps"
        raise problem_at(text.span(conditions[0]), message, hint)
    first, last = 0, None
    for node in conditions:
        assert isinstance(node, n.Binary)
        if node.operator not in ("<", "<=", ">", ">=", "=="):
            hint = "Write `step >= 2000`, `step < 100`."
            raise problem_at(text.span(node), "a window of steps has a first and a last one", hint)
        step = step_of(node.right, text, constants, borders)
        if node.operator in (">", ">=", "=="):
            first = max(first, step + (node.operator == ">"))
        if node.operator in ("<", "<=", "=="):
            end = step - (node.operator == "<")
            last = end if last is None else min(last, end)
    for point, steps in evaluated:
        if not steps[c.within((first, last), steps)]:
            where = " where " + ", ".join(f"{axis} = {value}" for axis, value in point.items()) if point else ""
            late = f"The last step is {steps[-1]:,}."
            hint = late if first > steps[-1] else "Widen the window, or `evaluate` more often."
            raise problem_at(text.span(conditions[0]), f"nothing is measured in this window of steps{where}", hint)
    return replace(part, window=(first, last))


def must_be_evaluated(
    step: int,
    selections: tuple[c.Selection, ...],
    evaluated: Iterable[tuple[Mapping[str, Any], tuple[int, ...]]],
    span: Span,
) -> None:
    """Refuses a step at which nothing is measured, somewhere that a claim looks."""
    for point, steps in evaluated:
        if c.looked_at(selections, point) and step not in steps:
            where = " where " + ", ".join(f"{axis} = {value}" for axis, value in point.items()) if point else ""
            message = f"nothing is measured at step {step:,}{where}"
            late = f"The last step is {steps[-1]:,}."
            hint = late if step > steps[-1] else f"`evaluate: {{at: [{step}]}}` adds it."
            hint = "Steps count from 0; the measure at the last one is `final(m)`." if step < 0 else hint
            raise problem_at(span, message, hint)
