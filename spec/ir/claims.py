"""Claims as trees: what a check asks of the results, with every name resolved to a measure or an axis."""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from ..records import record

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

BY_SIZE = ("less", "less_equal", "greater", "greater_equal")
"""The comparisons that a mean over replicates can be judged by."""


BEST = ("highest", "lowest")
"""The reductions that take the best of many evaluations."""
WINDOWED = (*BEST, "mean_over", "first_step")
"""The reductions that look at many evaluations: at all, or at those of a window of steps."""
Window = tuple[int, int | None]
"""From which step to which, both among them; None is the last of all."""


@record(frozen=True)
class Number:
    """A constant."""

    value: float


@record(frozen=True)
class Coordinate:
    """The value of a swept constant, varying along its own axis."""

    axis: str


@record(frozen=True)
class Selection:
    """A condition on an axis: `variant == forward_only`, `d <= 10`."""

    axis: str
    operator: str
    value: Any


@record(frozen=True)
class Measured:
    """`final(error, …)`: a measure over the steps, reduced by `reduction`; `index` picks an entry of an array.

    `reduction` is `final`, `lowest`, `highest`, `mean_over`, `at` (with `step`) or `first_step` (with `operator` and `threshold`).
    `window` are the steps that it looks at; all without one.
    """

    reduction: str
    measure: str
    index: tuple[int, ...] = ()
    step: int | None = None
    operator: str = ""
    threshold: Any = None
    selections: tuple[Selection, ...] = ()
    window: Window | None = None


@record(frozen=True)
class Diverged:
    """Whether a cell's training became infinite or undefined."""

    selections: tuple[Selection, ...] = ()


@record(frozen=True)
class Along:
    """`slope(y, x)`, `increasing(y, axis)`, `decreasing(y, axis)`: along the axis of a swept constant."""

    form: str
    y: Any
    x: Any
    axis: str


OVER = ("mean", "max", "min", "argmax", "argmin")
"""The reductions along an axis, or the index of an array: `argmax` and `argmin` give the axis's value where the largest and the smallest are."""


@record(frozen=True)
class Over:
    """`max(y, axis)`, `argmax(y, axis)`: what is left of an axis."""

    form: str
    y: Any
    axis: str


@record(frozen=True)
class OverEntries:
    """`max(y, i)`, `argmax(y, i)` along the index of an array: what is left of y, for each value of the index in `entries`, from 0 on."""

    form: str
    index: str = field(compare=False)
    entries: tuple[Any, ...]


@record(frozen=True)
class Apply:
    """An elementwise operation of the table."""

    operation: str
    arguments: tuple[Any, ...]


Claim = Number | Coordinate | Measured | Diverged | Along | Over | OverEntries | Apply


def parts(tree: Claim) -> Iterator[Claim]:
    """A claim and all that it is made of, each part before those in it; the threshold of an event is a part.

    >>> [type(part).__name__ for part in parts(Apply("less", (Measured("final", "error"), Number(0.1))))]
    ['Apply', 'Measured', 'Number']
    """
    stack: list[Any] = [tree]
    while stack:
        part = stack.pop()
        yield part
        match part:
            case Measured(threshold=threshold) if threshold is not None:
                stack.append(threshold)
            case Along(_, y, x):
                stack += (x, y)
            case Over(_, y):
                stack.append(y)
            case OverEntries(_, _, arguments) | Apply(_, arguments):
                stack += reversed(arguments)


def looked_at(selections: Iterable[Selection], place: Mapping[str, Any]) -> bool:
    """Whether conditions leave the cell at a place on the axes: conditions on axes that it is not on leave it.

    >>> looked_at([Selection("d", "<=", 10), Selection("k", "==", 1)], {"d": 5})
    True
    """
    return all(holds(one, place[one.axis]) for one in selections if one.axis in place)


def within(window: Window | None, steps: Sequence[int]) -> slice:
    """The places of ascending steps that lie in a window.

    >>> within((2, 5), [0, 2, 4, 6]), within((3, None), [0, 2, 4, 6]), within(None, [0, 2])
    (slice(1, 3, None), slice(2, 4, None), slice(0, 2, None))
    """
    if window is None:
        return slice(0, len(steps))
    first, last = window
    return slice(bisect_left(steps, first), len(steps) if last is None else bisect_right(steps, last))


def holds(selection: Selection, value: Any) -> bool:
    """Whether a value of an axis satisfies a condition.

    >>> holds(Selection("d", "<=", 10), 5)
    True
    """
    return bool(COMPARE[selection.operator](value, selection.value))
