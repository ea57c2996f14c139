"""Entries of measures that are arrays: whether each cell that is looked at has one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..diagnostics.problems import Problem, Span, StudyError

Shape = tuple[int, ...]
ByCell = tuple[tuple[Mapping[str, Any], Mapping[str, Shape]], ...]
"""Where each cell stands on the axes, and the shapes there of the measures that have several."""


def shapes_by_cell(cells: Iterable[tuple[Mapping[str, Any], Mapping[str, Shape]]]) -> ByCell:
    """Of measures that have another shape in another cell, their shapes in each; nothing where there are none."""
    every = list(cells)
    known: dict[str, set[Shape]] = {}
    for _, shapes in every:
        for name, shape in shapes.items():
            known.setdefault(name, set()).add(shape)
    several = {name for name, found in known.items() if len(found) > 1}
    if not several:
        return ()
    return tuple((place, {name: shapes[name] for name in several & shapes.keys()}) for place, shapes in every)


def wrong_entry(
    name: str, index: Shape, shapes: Mapping[Shape, Mapping[str, Any]], span: Span, what: str
) -> Problem | None:
    """What is wrong with an entry of a measure; `shapes` are those that it has, each with a cell where it has it.

    `what` says what is done with one number: "a figure shows a number".
    """
    for shape, place in shapes.items():
        at = " where " + ", ".join(f"{axis} = {value}" for axis, value in place.items()) if len(shapes) > 1 else ""
        if index and (len(index) > len(shape) or any(a >= b for a, b in zip(index, shape, strict=False))):
            is_ = f"is an array {list(shape)}" if shape else "is one number"
            hint = "Choose cells by a condition, or another entry." if at else "Entries count from 0 along each axis."
            return Problem(f"the measure '{name}' {is_}{at}, and has no entry {list(index)}", span, hint)
        if len(index) < len(shape):
            entry = f"{name}[{', '.join('0' for _ in shape)}]"
            message = f"the measure '{name}' is an array {list(shape)}{at}, and {what}"
            return Problem(message, span, f"Choose an entry: `{entry}`.")
    return None


def must_have_entry(name: str, index: Shape, shapes: Mapping[Shape, Mapping[str, Any]], span: Span) -> None:
    """Refuses an array where a number is needed, and an entry that a cell does not have. Raises StudyError."""
    problem = wrong_entry(name, index, shapes, span, "one number is needed here")
    if problem is not None:
        raise StudyError(problem)
