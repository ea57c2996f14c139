"""What a claim's tree is worth at each place: numbers and their ranges, conditions in three values.

A condition is 1, 0, or not a number where it is not decided. A number is not one where it is undefined: log of 0, 1 / 0, a
measure that was not finite, a replicate that has no final. An event that never came (`first_step`) is a number known only to lie
beyond the last step: its range goes through what is made of it, and a comparison is decided where all of the range decides it alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.claims import holds
from dlspec.spec.tables.operations import OPERATIONS

from ..results.replicates import DONE, Replicate, Results
from .grid import Array, Entry, Grid, Unlike, aligned, infinite
from .over_axes import over, over_entries
from .over_steps import errors_of, first_steps, reduced

Range = tuple[Array, Array]


class Undecidable(Exception):
    """A claim that cannot be judged on these results, and why."""


def value(tree: Any, results: Results) -> Grid:
    """The value of a claim's tree, or of a part of it. Raises Undecidable."""
    match tree:
        case c.Number(number):
            return Grid.number(number)
        case c.Coordinate(axis):
            dimension = results.dimension[axis]
            places = {dimension: tuple(range(results.length(dimension)))}
            return Grid.exact(places, np.asarray(results.axes[axis], dtype=float))
        case c.Measured() | c.Diverged():
            if tree not in results.judged:
                results.judged[tree] = _looked_up(tree, results)
            grid: Grid = results.judged[tree]
            return grid
        case c.Along():
            return _along(tree, results)
        case c.Over():
            return over(tree, value(tree.y, results), results)
        case c.OverEntries(entries=entries):
            try:
                return over_entries(tree, [value(entry, results) for entry in entries])
            except Unlike as unlike:
                raise _unlike(unlike, results) from None
        case c.Apply(operation, arguments):
            return _applied(operation, [value(argument, results) for argument in arguments], results)
    raise TypeError(type(tree).__name__)


def reached(tree: Any, replicate: Replicate) -> bool:
    """Whether a replicate's stopping condition holds at its last evaluation; what is undefined does not."""
    alone = Replicate(replicate.experiment, "", {}, 0, "", steps=replicate.steps, curves=replicate.curves)
    return bool((value(tree, Results(replicate.experiment, {}, 1, [alone])).low == 1).all())


# -- replicates -------------------------------------------------------------------------------------------------------------


def chosen(selections: Sequence[c.Selection], results: Results) -> dict[int, tuple[int, ...]]:
    """The places along each dimension, that of the replicates last, that conditions leave. Raises Undecidable for none.

    Of the replicates those stay that every program at these places has.
    """
    places = {dimension: tuple(range(results.length(dimension))) for dimension in range(len(results.dimensions))}
    for one in selections:
        dimension, values = results.dimension[one.axis], results.axes[one.axis]
        places[dimension] = tuple(place for place in places[dimension] if holds(one, values[place]))
        if not places[dimension]:
            told = " and ".join(f"{s.axis} {s.operator} {s.value:g}" if isinstance(s.value, float) else
                                f"{s.axis} {s.operator} {s.value}" for s in selections
                                if results.dimension[s.axis] == dimension)  # fmt: skip
            raise Undecidable(f"no cell was run with {told}")
    everywhere = results.meant[np.ix_(*places.values(), range(results.count))]
    kept = np.flatnonzero(everywhere.reshape(-1, results.count).all(axis=0))
    return {**places, len(results.dimensions): tuple(kept.tolist())}


def sampling_errors(tree: c.Measured, results: Results) -> Grid:
    """The sampling errors over test examples of a measure's value, or of the evaluation that is its best; undefined where none was kept."""
    key = "errors", tree
    if key not in results.judged:
        places, replicates = _replicates(tree, results)
        results.judged[key] = Grid.exact(places, errors_of(tree, replicates.ravel().tolist()).reshape(replicates.shape))
    grid: Grid = results.judged[key]
    return grid


def with_measure(tree: Any, measure: c.Measured, inputs: Any, entry: Entry, results: Results) -> Array:
    """The value of a part that hangs on one measure alone, if that were some number, at a place of the dimensions."""
    match tree:
        case c.Number(number):
            return np.asarray(number, dtype=float)
        case c.Coordinate(axis):
            return np.asarray(results.axes[axis][entry[results.dimension[axis]]], dtype=float)
        case c.Measured():
            assert tree == measure
            return np.asarray(inputs, dtype=float)
        case c.Apply(operation, arguments):
            given = [with_measure(argument, measure, inputs, entry, results) for argument in arguments]
            with np.errstate(all="ignore"):
                if operation in CONDITIONS:
                    return CONDITIONS[operation](*((each, each) for each in given))
                if operation == "select":
                    return np.where(np.isnan(given[0]), np.nan, np.where(given[0] != 0, given[1], given[2]))
                return _exact(operation, given)
    raise TypeError(type(tree).__name__)


def _looked_up(tree: c.Measured | c.Diverged, results: Results) -> Grid:
    """A number a replicate."""
    places, replicates = _replicates(tree, results)
    if isinstance(tree, c.Diverged):
        ends = [_diverged(replicate) for replicate in replicates.ravel()]
        return Grid.exact(places, np.asarray(ends, dtype=float).reshape(replicates.shape))
    with np.errstate(invalid="ignore", over="ignore"):  # measures may be infinite
        if tree.reduction == "first_step":
            return _first_steps(tree, Grid(places, replicates, replicates), results)
        found = reduced(tree, replicates.ravel().tolist(), results.debiased).reshape(replicates.shape)
    return Grid.exact(places, found)


def _replicates(tree: c.Measured | c.Diverged, results: Results) -> tuple[dict[int, tuple[int, ...]], Array]:
    """The replicates that a part looks at, at their places; a dimension of which `==` leaves a single place is dropped."""
    places = chosen(tree.selections, results)
    replicates = results.table[np.ix_(*places.values())]
    pinned = {results.dimension[one.axis] for one in tree.selections if one.operator == "=="}
    pinned = {dimension for dimension in pinned if len(places[dimension]) == 1}
    replicates = replicates.squeeze(tuple(pinned))
    return {dimension: kept for dimension, kept in places.items() if dimension not in pinned}, replicates


def _diverged(replicate: Replicate | None) -> float:
    """1 where a replicate diverged, 0 where it came to its end; undefined where it did neither, or was not run."""
    return math.nan if replicate is None else {DONE: 0.0, "diverged": 1.0}.get(replicate.status, math.nan)


def _first_steps(tree: c.Measured, replicates: Grid, results: Results) -> Grid:
    """For each replicate the first evaluated step at which a comparison holds, or the range beyond its last."""
    threshold = value(tree.threshold, results)
    try:
        places, ((own, _), (least, most)) = aligned([replicates, threshold])
    except Unlike as unlike:
        raise _unlike(unlike, results) from None
    own, least, most = np.broadcast_arrays(own, least, most)
    low, high = np.full(own.shape, np.nan), np.full(own.shape, np.nan)
    known = (least == most) & ~infinite(least, most)
    low[known], high[known] = first_steps(tree, own[known], least[known], results.debiased)
    return Grid(places, low, low if np.array_equal(low, high, equal_nan=True) else high)


# -- operations --------------------------------------------------------------------------------------------------------


def _applied(operation: str, grids: Sequence[Grid], results: Results) -> Grid:
    try:
        places, ranges = aligned(grids, 1.0 if operation == "logical_and" else None)
    except Unlike as unlike:
        raise _unlike(unlike, results) from None
    with np.errstate(all="ignore"):
        if operation in CONDITIONS:
            return Grid.exact(places, _spread(places, CONDITIONS[operation](*ranges)))
        if operation == "select":
            (condition, _), then, otherwise = ranges
            low, high = (
                np.where(np.isnan(condition), np.nan, np.where(condition != 0, *pair))
                for pair in zip(then, otherwise, strict=True)
            )
        elif not any(grid.ranges for grid in grids):
            low = high = _exact(operation, [own for own, _ in ranges])
        else:
            low, high = _ranged(operation, ranges)
    low = _spread(places, low)
    return Grid(places, low, low if not any(grid.ranges for grid in grids) else _spread(places, high))


def _spread(places: dict[int, tuple[int, ...]], array: Array) -> Array:
    return np.broadcast_to(array, [len(kept) for kept in places.values()])


def _exact(operation: str, values: Sequence[Array]) -> Array:
    """An operation on numbers; undefined where an argument is, and where finite arguments give nothing finite, or others a finite number."""
    found = np.asarray(OPERATIONS[operation].numpy(*values), dtype=float)
    finite, known = np.asarray(True), np.asarray(True)
    for one in values:
        finite, known = finite & np.isfinite(one), known & ~np.isnan(one)
    return np.where(known & (finite == np.isfinite(found)), found, np.nan)


def _ranged(operation: str, ranges: Sequence[Range]) -> Range:
    """An operation where some arguments are ranges: over their ends where it is monotone, else undefined."""
    known = _exact(operation, [low for low, _ in ranges])
    wide, missing = np.asarray(False), np.asarray(False)
    for low, high in ranges:
        wide, missing = wide | (low < high), missing | np.isnan(low) | infinite(low, high)
    unfit = missing
    row = OPERATIONS[operation]
    if row.monotone_beside_0 is not None:
        low, high = ranges[row.monotone_beside_0]
        unfit = unfit | ((low <= 0) & (high >= 0) & wide)
    elif not row.monotone:
        unfit = unfit | wide
    found = []
    for given in product(*ranges):
        end = np.asarray(row.numpy(*given), dtype=float)
        beyond = np.isinf(np.stack(np.broadcast_arrays(*given))).any(axis=0) if len(given) > 1 else False
        unfit = unfit | (np.isnan(end) & ~np.asarray(beyond) & wide)  # log of what may lie below 0; ∞ - ∞ is no end
        found.append(end)
    ends = np.stack(np.broadcast_arrays(*found))
    least = np.where(np.isnan(ends), np.inf, ends).min(axis=0)
    most = np.where(np.isnan(ends), -np.inf, ends).max(axis=0)
    low, high = (np.where(wide, np.where(unfit, np.nan, end), known) for end in (least, most))
    return low, high


def _less(a: Range, b: Range) -> Array:
    """Whether a < b."""
    return _decided(a[1] < b[0], a[0] >= b[1], a, b)


def _not(condition: Array) -> Array:
    return 1.0 - condition


def _equal(a: Range, b: Range) -> Array:
    same = (a[0] == a[1]) & (b[0] == b[1]) & (a[0] == b[0])
    return _decided(same, (a[1] < b[0]) | (b[1] < a[0]), a, b)


def _decided(true: Array, false: Array, *ranges: Range) -> Array:
    """A comparison's truth; not decided where a number is undefined or infinite."""
    decided = np.where(true, 1.0, np.where(false, 0.0, np.nan))
    for low, high in ranges:
        decided = np.where(np.isnan(low) | infinite(low, high), np.nan, decided)
    return decided


def _both(a: Array, b: Array) -> Array:
    """Kleene's conjunction: false where one is, else not decided where one is not."""
    return np.where((a == 0) | (b == 0), 0.0, np.where(np.isnan(a) | np.isnan(b), np.nan, 1.0))


def _either(a: Array, b: Array) -> Array:
    return _not(_both(_not(_truth(a)), _not(_truth(b))))


def _truth(condition: Array) -> Array:
    return np.where(np.isnan(condition), np.nan, (condition != 0).astype(float))


CONDITIONS: dict[str, Callable[..., Array]] = {
    "less": _less,
    "greater": lambda a, b: _less(b, a),
    "less_equal": lambda a, b: _not(_less(b, a)),
    "greater_equal": lambda a, b: _not(_less(a, b)),
    "equal": _equal,
    "not_equal": lambda a, b: _not(_equal(a, b)),
    "within": lambda x, low, high: _both(_not(_less(x, low)), _not(_less(high, x))),
    "is_finite": lambda x: np.where(x[0] < x[1], np.nan, np.isfinite(x[0]).astype(float)),
    "logical_and": lambda a, b: _both(_truth(a[0]), _truth(b[0])),
    "logical_or": lambda a, b: _either(a[0], b[0]),
    "logical_not": lambda a: _not(_truth(a[0])),
}
"""Each operation that gives a condition, on ranges."""


def is_condition(tree: Any) -> bool:
    """Whether a tree is a condition, and no number.

    >>> is_condition(c.Apply("less", (c.Coordinate("d"), c.Number(2)))), is_condition(c.Coordinate("d"))
    (True, False)
    """
    match tree:
        case c.Apply(operation):
            return operation in CONDITIONS
        case c.Along(form):
            return form != "slope"
    return isinstance(tree, c.Diverged)


# -- along an axis -----------------------------------------------------------------------------------------------------


def beside(tree: c.Along, results: Results) -> tuple[dict[int, tuple[int, ...]], list[Range], int]:
    """Both arguments of `slope` and its like on the same places, and which axis of the arrays they go along."""
    try:
        places, ranges = aligned([value(tree.y, results), value(tree.x, results)])
    except Unlike as unlike:
        raise _unlike(unlike, results) from None
    dimension = results.dimension[tree.axis]
    if len({results.axes[tree.axis][place] for place in places[dimension]}) < 2:
        raise Undecidable(f"`{tree.form}` goes along '{tree.axis}', of which only one value was run")
    return places, ranges, list(places).index(dimension)


def _along(tree: c.Along, results: Results) -> Grid:
    places, ranges, axis = beside(tree, results)
    shape = [len(kept) for kept in places.values()]
    (low, high), (x, most) = [tuple(np.broadcast_to(end, shape) for end in own) for own in ranges]
    left = {dimension: kept for place, (dimension, kept) in enumerate(places.items()) if place != axis}
    low, high, x, most = (np.moveaxis(array, axis, -1) for array in (low, high, x, most))
    x = np.where(x < most, np.nan, x)
    with np.errstate(all="ignore"):
        if tree.form == "slope":
            return Grid(left, *_slope(low, high, x))
        sign = 1 if tree.form == "increasing" else -1
        return Grid.exact(left, _rising(*((low, high) if sign > 0 else (-high, -low)), x))


def _slope(low: Array, high: Array, x: Array) -> Range:
    """The slope of the least squares' line along the last axis: of whole numbers, which are summed exactly, one rounded quotient."""
    x = x - x[..., :1]
    count, total = x.shape[-1], x.sum(axis=-1)
    square = (
        count * (x**2).sum(axis=-1) - total**2
    )  # of the distances from the first: at least the sum of their squares
    square = np.where(square > 0, square, np.nan)
    if high is low or np.array_equal(low, high, equal_nan=True):
        y = low - low[..., :1]
        found = np.asarray((count * (x * y).sum(axis=-1) - total * y.sum(axis=-1)) / square)
        return found, found
    weight = count * x - total[..., np.newaxis]
    ends = [np.where(weight == 0, 0.0, weight * end) for end in (low, high)]
    least, most = np.minimum(*ends).sum(axis=-1), np.maximum(*ends).sum(axis=-1)
    return least / square, most / square


def _rising(low: Array, high: Array, x: Array) -> Array:
    """Whether values along the last axis rise with x: what lies at a smaller x is smaller, all of it."""
    low = np.where(infinite(low, high), np.nan, low)
    if (np.diff(x, axis=-1) > 0).all():  # each value of x once, in ascending order: all series at a time
        known = ~np.isnan(low).any(axis=-1)
        sure, never = (high[..., :-1] < low[..., 1:]).all(axis=-1), (low[..., :-1] >= high[..., 1:]).any(axis=-1)
        return np.where(~known, np.nan, np.where(never, 0.0, np.where(sure, 1.0, np.nan)))
    rising = np.full(low.shape[:-1], np.nan)
    for index in np.ndindex(*rising.shape):
        own = x[index]
        if not (np.isnan(own).any() or np.isnan(low[index]).any()):
            steps = [step for _, _, step in rises(low[index], high[index], own)]
            rising[index] = 0.0 if 0.0 in steps else np.nan if np.isnan(steps).any() else 1.0
    return rising


def rises(low: Array, high: Array, x: Array) -> list[tuple[int, int, float]]:
    """From each value of x to the next larger one: the places of the largest value here and the smallest there, and whether it rises."""
    values = np.unique(x)
    groups = [np.flatnonzero(x == one) for one in values]
    pairs = []
    for here, there in pairwise(groups):
        a, b = int(here[np.argmax(high[here])]), int(there[np.argmin(low[there])])
        least, most = int(here[np.argmax(low[here])]), int(there[np.argmin(high[there])])
        pairs.append((a, b, 1.0 if high[a] < low[b] else 0.0 if low[least] >= high[most] else math.nan))
    return pairs


def _unlike(unlike: Unlike, results: Results) -> Undecidable:
    names = (
        " and ".join(results.dimensions[unlike.dimension])
        if unlike.dimension < len(results.dimensions)
        else "replicate"
    )
    return Undecidable(f"two of its parts speak of different values of {names}, and can't be compared value by value")
