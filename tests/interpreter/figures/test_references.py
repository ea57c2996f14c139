"""Lines at numbers that a figure says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dlspec.interpreter.figures.draw import DRAWERS

VALUES = {(1, 0): [1, 2, 3], (2, 0): [2, 3, 4], (4, 0): [3, 4, 5]}


def labelled(axis: Any, label: str) -> tuple[list[float], list[float]]:
    (line,) = [line for line in axis.get_lines() if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def test_a_number_of_constants_is_a_level_line_over_the_steps(made: Callable[..., Any]) -> None:
    """One for all cells where it is the same; in each cell's own colour where it differs, and named once."""
    plan, found = made("{kind: curves, y: error, colour: d, reference: {chance: 1 / 4, bound: 2 * d}}", VALUES)
    (axis,) = DRAWERS["curves"](plan, found).axes
    assert labelled(axis, "chance") == ([0, 1], [0.25, 0.25])
    dashed = [line for line in axis.get_lines() if line.get_linestyle() == "--" and line.get_ydata()[0] in (2, 4, 8)]
    assert [line.get_ydata()[0] for line in dashed] == [2, 4, 8]
    own = {line.get_label(): line.get_color() for line in axis.get_lines()}
    assert [line.get_color() for line in dashed] == [own["d = 1"], own["d = 2"], own["d = 4"]]
    texts = axis.get_legend_handles_labels()[1]
    assert texts.count("bound") == texts.count("chance") == 1


def test_it_may_be_made_by_an_operation(made: Callable[..., Any]) -> None:
    plan, found = made("{kind: curves, y: error, colour: d, reference: {entropy: log(2)}}", VALUES)
    (axis,) = DRAWERS["curves"](plan, found).axes
    assert labelled(axis, "entropy") == ([0, 1], [math.log(2)] * 2)


def test_along_a_swept_constant_it_is_a_line_through_the_cells(made: Callable[..., Any]) -> None:
    """On the places of the cells that are there; the axis makes room for it."""
    plan, found = made("{kind: scaling, x: d, y: error, reference: {square: 3 * d^2}}", VALUES)
    (axis,) = DRAWERS["scaling"](plan, found).axes
    assert labelled(axis, "square") == ([1, 2, 4], [3, 12, 48])
    assert axis.get_ylim()[1] >= 48
