"""The evidence for each condition of a claim: by axis, over replicates, with the entry that decided."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from dlspec.spec.ir import claims as c
from dlspec.spec.passes.print_claim import claim_text

from ..results.number_text import apart, mean_of, pair
from ..results.number_text import number as text_of
from ..results.replicates import Results
from ..results.verdicts import Evidence, Point
from .grid import Array, Entry, Grid, aligned, infinite, mean_along
from .undecided import where
from .values import beside, rises, value

MAX_POINTS = 64
"""How many points are kept of a condition at most."""
LOGIC = ("logical_and", "logical_or", "logical_not")
RIGHT_LARGER = {"less": True, "less_equal": True, "greater": False, "greater_equal": False}


def evidence(tree: Any, results: Results, mean: bool = False) -> list[Evidence]:
    """What was seen of each condition of a claim; `mean` where the mean over replicates is judged. Raises Undecidable."""
    return [_condition(part, positive, results, mean) for part, positive in _conditions(tree, True)]


def _conditions(tree: Any, positive: bool) -> Iterator[tuple[Any, bool]]:
    """The conditions that are joined, and whether the claim wants them true."""
    if isinstance(tree, c.Apply) and tree.operation in LOGIC:
        for argument in tree.arguments:
            yield from _conditions(argument, positive != (tree.operation == "logical_not"))
    else:
        yield tree, positive


def _condition(tree: Any, positive: bool, results: Results, mean: bool) -> Evidence:
    truth = value(tree, results)
    number, others, margin = _sides(tree, truth, results)
    unknown = np.isnan(truth.low)
    holds = None if unknown.any() else bool(truth.low.all())
    last = len(results.dimensions)
    whole = margin
    if mean and last in margin.places:
        margin = Grid.exact({d: k for d, k in margin.places.items() if d != last}, _mean(margin, last))
    worth = margin.low if positive else -margin.low
    worth = np.where(np.isnan(worth), -np.inf, worth)
    if not mean and worth.shape == unknown.shape:
        worth = np.where(unknown, -np.inf, np.where(np.isneginf(worth), -np.finfo(float).max, worth))
    at = margin.entry([int(p) for p in np.unravel_index(int(np.argmin(worth)), worth.shape)]) if worth.size else {}
    points, of, nearest = _points(number, others, at, results)
    margins = _along_replicates(whole, at, results, positive) if number is not None and number is not truth else ()
    decided = _decided(tree, number, others, at, results) if number is not None else ""
    met = holds if positive or holds is None else not truth.low.any()
    return Evidence(claim_text(tree), holds, points, of, where(at, results), decided, nearest, margins, met)


def _along_replicates(margin: Grid, at: Entry, results: Results, positive: bool) -> tuple[float, ...]:
    """By how much a cell's replicates are as a claim wants it."""
    last = len(results.dimensions)
    if last not in margin.places:
        return ()
    values = margin.low[tuple(slice(None) if d == last else kept.index(at[d]) for d, kept in margin.places.items())]
    return tuple((values if positive else -values).ravel().tolist())


Others = Sequence[tuple[Grid, bool]]
"""What a condition compares a number with, and whether that looks at results, too."""


def _sides(tree: Any, truth: Grid, results: Results) -> tuple[Grid | None, Others, Grid]:
    """What a condition looks at, what it is compared with, and by how much it holds: less than 0 where it does not."""
    if isinstance(tree, c.Along):
        places, ((low, high), (x, _)), axis = beside(tree, results)
        shape = [len(kept) for kept in places.values()]
        sign = 1 if tree.form == "increasing" else -1
        y = np.moveaxis(np.broadcast_to(sign * low, shape), axis, -1)
        along = np.moveaxis(np.broadcast_to(x, shape), axis, -1)
        least = np.full(y.shape[:-1], np.nan)
        ascending = bool((np.diff(along, axis=-1) > 0).all())
        if ascending:  # each value once: all series at a time
            least = np.diff(y, axis=-1).min(axis=-1)
        for index in () if ascending else np.ndindex(*least.shape):
            steps = rises(y[index], y[index], along[index])
            least[index] = min(y[index][there] - y[index][here] for here, there, _ in steps) if steps else np.nan
        return (
            Grid(places, np.broadcast_to(low, shape), np.broadcast_to(high, shape)),
            (),
            Grid.exact(truth.places, least),
        )
    if not isinstance(tree, c.Apply) or len(tree.arguments) < 2 or not _looks(tree):
        return None, (), truth
    grids = [value(argument, results) for argument in tree.arguments]
    places, ranges = aligned(grids)
    a, b = ranges[0], ranges[1]
    with np.errstate(all="ignore"):
        if tree.operation in RIGHT_LARGER:
            (low, _), (_, high) = (b, a) if RIGHT_LARGER[tree.operation] else (a, b)
            margin = low - high
        elif tree.operation == "within":
            margin = np.minimum(a[0] - b[1], ranges[2][0] - a[1])
        elif tree.operation in ("equal", "not_equal"):
            margin = np.abs(a[0] - b[0]) * (-1 if tree.operation == "equal" else 1)
        else:
            margin = truth.low
    margin = np.broadcast_to(margin, [len(kept) for kept in places.values()])
    first = 0 if _looks(tree.arguments[0]) else 1
    number = _on(places, ranges[first], grids[first])
    others = [(grid, _looks(tree.arguments[at])) for at, grid in enumerate(grids) if at != first]
    return number, others, Grid.exact(places, margin)


def _on(places: Mapping[int, tuple[int, ...]], pair: tuple[Array, Array], grid: Grid) -> Grid:
    """A grid at the places where it met the others."""
    own = {dimension: kept for dimension, kept in places.items() if dimension in grid.places}
    shape = [len(kept) for kept in own.values()]
    return Grid(own, pair[0].reshape(shape), pair[1].reshape(shape))


def _looks(tree: Any) -> bool:
    """Whether a part looks at results."""
    if isinstance(tree, c.Apply):
        return any(map(_looks, tree.arguments))
    return isinstance(tree, c.Measured | c.Diverged | c.Along | c.Over | c.OverEntries)


def _mean(grid: Grid, dimension: int) -> Array:
    return mean_along(np.moveaxis(grid.low, list(grid.places).index(dimension), -1))


def _points(number: Grid | None, others: Others, at: Entry, results: Results) -> tuple[list[Point], int, int]:
    """The places of a grid over its replicates: some of many, the nearest to the entry that decided and the extreme ones among them."""
    if number is None:
        return [], 0, -1
    last = len(results.dimensions)
    low, high, places = number.low, number.high, dict(number.places)
    if last in places:
        axis = list(places).index(last)
        low, high = np.moveaxis(low, axis, -1), np.moveaxis(high, axis, -1)
        del places[last]
    else:
        low, high = low[..., np.newaxis], high[..., np.newaxis]
    shape, count = low.shape[:-1], low.shape[-1]
    low, high = low.reshape(-1, count), high.reshape(-1, count)
    keys = [tuple(kept.index(at[d]) if at.get(d) in kept else 0 for d, kept in places.items())]
    nearest = int(np.ravel_multi_index(keys[0], shape)) if shape else 0
    kept = list(range(len(low)))
    if len(low) > MAX_POINTS:
        means = mean_along(np.where(low < high, np.nan, low))
        known = np.flatnonzero(np.isfinite(means))
        extreme = {int(known[np.argmin(means[known])]), int(known[np.argmax(means[known])])} if known.size else set()
        chosen = {nearest, *extreme, *range(MAX_POINTS - 3)}
        kept = sorted(chosen)
    bare = Grid(places, low, high)
    bounds = [grid for grid, looks in others if not looks]
    found = []
    for row in kept:
        entry = bare.entry([int(p) for p in np.unravel_index(row, shape)])
        found.append(_point(low[row], high[row], where(entry, results), _compared_with(bounds, entry)))
    return found, len(low), kept.index(nearest)


def _compared_with(bounds: Sequence[Grid], entry: Entry) -> list[float]:
    """The numbers at an entry that a condition compares with there; all along a dimension that the entry does not have."""
    numbers: list[float] = []
    for grid in bounds:
        index = [kept.index(entry[d]) if entry.get(d) in kept else slice(None) for d, kept in grid.places.items()]
        numbers += np.unique(grid.low[tuple(index)]).tolist()
    return numbers


def _point(low: Array, high: Array, place: str, bounds: Sequence[float]) -> Point:
    wide, undefined = int((low < high).sum()), int((np.isnan(low) | infinite(low, high)).sum())
    known = low[(low == high) & np.isfinite(low)]
    if not known.size:
        return Point(place, None, None, None, wide, undefined)
    ends = mean_of(known.tolist()), float(known.min()), float(known.max())
    return Point(place, *ends, wide, undefined, max(apart(end, *bounds) for end in ends))


def _decided(tree: Any, number: Grid, others: Others, at: Entry, results: Results) -> str:
    """The numbers at the entry that decided, in digits that show on which side of one another they lie."""
    if isinstance(tree, c.Along):
        dimension = results.dimension[tree.axis]
        kept = number.places[dimension]
        own = [{**at, dimension: place} for place in kept]
        y = np.asarray([_lone(number, entry)[0] for entry in own])
        x = np.asarray([_lone(value(tree.x, results), entry)[0] for entry in own])
        sign = 1 if tree.form == "increasing" else -1
        steps = rises(sign * y, sign * y, x)
        here, there, _ = min(steps, key=lambda step: sign * (y[step[1]] - y[step[0]]))
        ends = [where({dimension: kept[place]}, results) for place in (here, there)]
        first, second = (
            "undefined" if math.isnan(own) else text
            for own, text in zip(y[[here, there]], pair(*y[[here, there]]), strict=True)
        )
        return f"from {first} at {ends[0]} to {second} at {ends[1]}"
    if len(results.dimensions) in number.places and len(results.dimensions) not in at:
        return ""
    low, high = _lone(number, at)
    known = [(_lone(grid, at), looks) for grid, looks in others]
    digits = max([apart(low, least) for (least, _), looks in known if not (looks and low == least)], default=3)
    text = _text(low, high, digits)
    return next((f"{text} against {_text(*own, digits)}" for own, looks in known if looks), text)


def _lone(grid: Grid, at: Entry) -> tuple[float, float]:
    index = grid.index({dimension: at[dimension] for dimension in grid.places if dimension in at})
    return (float(grid.low[index]), float(grid.high[index])) if index is not None else (math.nan, math.nan)


def _text(low: float, high: float, digits: int) -> str:
    if math.isnan(low):
        return "undefined"
    return text_of(low, digits) if low == high else f"beyond {text_of(low, max(digits, 6))}"
