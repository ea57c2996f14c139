"""What is wrong with an operation whose int may be outside what it chooses from: a divisor, a label, an index."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..diagnostics.problems import Problem, Span
from ..ir import terms as t
from ..tables.operations import OPERATIONS
from ..tables.operations.intervals import Bounds
from .joint_values import Conditions, Values
from .print_term import bare, spell
from .range_texts import always, moved, named, shown
from .timed_values import Timed, first_outside

Told = tuple[Span | None, str, str]
"""The place of a problem, what it is, and how to mend it."""
Narrowed = Callable[[t.Term], Sequence[int] | None]
"""All values of a term in their order, where these are few enough to be tried."""


def problem(term: t.Operate, given: Sequence[Bounds], narrowed: Narrowed) -> Told | None:
    """The problem of an operation, by the bounds of its arguments and, where these leave one, by all values of the int."""
    if term.operation in ("floor_divide", "modulo") and term.type.kind == "int":
        return _divisor(term, given[1], narrowed)
    if term.operation == "cross_entropy":
        return _label(term, given[1], narrowed)
    if term.operation == "scatter":
        return _scattered(term, given[0], narrowed)
    if term.operation == "one_hot":
        return _one_hot(term, given[0], narrowed)
    return None


def tried(term: t.Term, bounds: Bounds, narrowed: Narrowed) -> Bounds:
    """The bounds of a term, by all its values where these can be tried."""
    values = narrowed(term)
    return (values[0], values[-1]) if values else bounds


def _divisor(term: t.Operate, bounds: Bounds, narrowed: Narrowed) -> Told | None:
    divisor = term.arguments[1]
    if not bounds[0] <= 0 <= bounds[1] or 0 not in ((values := narrowed(divisor)) or (0,)):
        return None
    bounds = (values[0], values[-1]) if values else bounds
    message = f"`{OPERATIONS[term.operation].operator}` may divide by 0: {named(divisor)} is {shown(bounds)}"
    remedy = f"maximum({spell(divisor)}, 1)"
    return divisor.span, message, f"Keep the divisor away from 0, say by `{remedy}`, or make it real."


def _label(term: t.Operate, bounds: Bounds, narrowed: Narrowed) -> Told | None:
    scores, label = term.arguments
    classes = scores.type.shape[-1]
    if fits(bounds, classes) or fits(bounds := tried(label, bounds, narrowed), classes):
        return None
    message = f"the scores are those of classes 0 … {classes - 1}, but the label {named(label)} is {shown(bounds)}"
    return label.span or term.span, message, moved(spell(label), bounds, classes, "scores for more classes")


def _scattered(term: t.Operate, bounds: Bounds, narrowed: Narrowed) -> Told | None:
    size, index = int(term.static["size"]), term.arguments[0]
    if fits(bounds, size) or fits(bounds := tried(index, bounds, narrowed), size):
        return None
    message = f"`scatter` into {size} places takes indices 0 … {size - 1}, but {named(index)} is {shown(bounds)}"
    return index.span or term.span, message, moved(spell(index), bounds, size, "a larger size")


def _one_hot(term: t.Operate, bounds: Bounds, narrowed: Narrowed) -> Told | None:
    size, index = int(term.static["size"]), term.arguments[0]
    if not (bounds[1] < 0 or bounds[0] >= size):
        return None
    message = f"`one_hot` of {size} entries is 0 throughout: {named(index)} is {shown(bounds)}"
    return index.span or term.span, message, moved(spell(index), bounds, size, "a larger size")


def fits(bounds: Bounds, size: int) -> bool:
    """Whether bounds are those of so many places."""
    return bounds[0] >= 0 and bounds[1] < size


def beyond(term: t.Term, bounds: Bounds, limit: Bounds, whole: Callable[[t.Term], Bounds]) -> tuple[str, str]:
    """What is wrong with an int that may leave a limit, and how to mend it."""
    worst = max(bounds, key=abs)
    holds = f"an int holds {limit[0]:,} to {limit[1]:,}"
    if isinstance(term, t.Literal):
        return (
            f"the int {worst:,} is too large: {holds}",
            "Make it a real number: `1.0 * c`, or `3e9` for 3000000000.",
        )
    if isinstance(term, t.Operate):
        row = OPERATIONS[term.operation]
        parts = [
            f"`{bare(item)}` is {always(whole(item))}"
            for item in dict.fromkeys(term.arguments)
            if item.type.kind == "int" and not isinstance(item, t.Literal)
        ]
        where = f": {' and '.join(parts[:2])}" if parts else ""
        first = next((item for item in term.arguments if item.type.kind == "int"), term)
        text, alone = (spell(first), bare(first)) if len(spell(first)) < 40 else ("x", "x")
        hint = f"Make one of its numbers real: `1.0 * {text}` in place of `{alone}`."
        return f"`{row.operator or row.name}` of ints may reach {worst:,}{where}; {holds}", hint
    return f"this int may reach {worst:,}; {holds}", "Make it real: `1.0 * x`."


def misplaced(term: t.Gather, bounds: Bounds, timed: Timed, values: Values, conditions: Conditions) -> Problem | None:
    """What is wrong with an index that is outside for certain, or at a step or an entry of index notation that is known; a warning of a drawn one that may be."""
    size = term.array.type.shape[term.axis]
    place = term.index.span or term.span
    if bounds[1] < 0 or bounds[0] >= size:
        entries = f"{size:,} entr{'y' if size == 1 else 'ies'}"
        message = f"the index {named(term.index)} is {shown(bounds)}, always outside: the array has {entries}"
        return Problem(message, place, f"Indices are 0 … {size - 1}; only constants count from the end: `x[-1]`.")
    if fits(bounds, size):
        return None
    if (indexed := values.of_indices(term.index, conditions)) is not None:
        reached = int(indexed[0]), int(indexed[-1])
        return None if fits(reached, size) else Problem(*_off_the_array(term.index, reached, size, place))
    if (steps := timed.values(term.index)) is not None:
        if (outside := first_outside(timed, steps, size)) is None:
            return None
        index, at = outside
        message = f"the index {named(term.index)} is {index:,} at step {at:,}, outside: the array has {size:,} entries"
        hint = (
            f"Indices are 0 … {size - 1}: give the array more entries, or go round with `{spell(term.index)} % {size}`."
        )
        return Problem(message, place, hint)
    if (tried := values.of(term.index, conditions)) is not None:
        bounds = int(tried[0]), int(tried[-1])
    elif conditions:
        return None  # it may be these that keep it inside
    return None if fits(bounds, size) else _clamped(term.index, bounds, size, place)


def _clamped(index: t.Term, bounds: Bounds, size: int, place: Span | None) -> Problem:
    """What is doubtful of a drawn index that may be outside."""
    ends = ["below 0 it takes the first"] * (bounds[0] < 0) + [f"above {size - 1:,} the last"] * (bounds[1] >= size)
    message, span, hint = _off_the_array(index, bounds, size, place)
    return Problem(f"{message}: {', and '.join(ends)}", span, hint, "warning")


def _off_the_array(index: t.Term, reached: Bounds, size: int, place: Span | None) -> tuple[str, Span | None, str]:
    """What is wrong with an index that goes beyond an end of an array, where, and how to say what stands there."""
    text = bare(index)
    ends = [f"{text} >= 0"] * (reached[0] < 0) + [f"{text} < {size}"] * (reached[1] >= size)
    message = f"the index {named(index)} is {shown(reached)}, but the array has the entries 0 … {size - 1}"
    zeros = f"`… if {' and '.join(ends)} else 0` puts zeros beyond the ends"
    return (
        message,
        place,
        f"{zeros}, `{spell(index)} % {size}` goes round, and `clip({text}, 0, {size - 1})` stays at the ends.",
    )
