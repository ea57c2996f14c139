"""Numbers on the dimensions of an experiment: kept places along each, and at each place a number or the range it lies in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Entry = Mapping[int, int]
"""A place on each of some dimensions."""


class Unlike(Exception):
    """Two operands have other places along a dimension, and none of them all that the other has."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.dimension = dimension


@dataclass(frozen=True)
class Grid:
    """Numbers at `places`: for each dimension, in ascending order, the places along it that are kept.

    `low` and `high` [places along each dimension] hold between what each number lies: the same array where all are known
    exactly. What is undefined, or a condition that is not decided, is not a number (NaN) in both.
    """

    places: Mapping[int, tuple[int, ...]]
    low: Array
    high: Array

    @staticmethod
    def exact(places: Mapping[int, tuple[int, ...]], values: Array) -> Grid:
        """Numbers that are known."""
        return Grid(places, values, values)

    @staticmethod
    def number(value: float) -> Grid:
        """One number, the same everywhere."""
        return Grid.exact({}, np.asarray(value, dtype=float))

    @property
    def ranges(self) -> bool:
        """Whether some numbers are known by their range alone."""
        return self.high is not self.low

    def index(self, entry: Entry) -> tuple[int, ...] | None:
        """Where an entry lies in the arrays; nothing where its places are not all kept."""
        found = []
        for dimension, kept in self.places.items():
            if entry.get(dimension) not in kept:
                return None
            found.append(kept.index(entry[dimension]))
        return tuple(found)

    def entry(self, index: Sequence[int]) -> dict[int, int]:
        """The places of an element of the arrays."""
        return {dimension: kept[at] for (dimension, kept), at in zip(self.places.items(), index, strict=True)}

    def along(self, dimension: int) -> Iterator[tuple[Entry, Array]]:
        """The numbers along a dimension, at each place of the others; one number where the grid has not that dimension."""
        others = [own for own in self.places if own != dimension]
        axis = list(self.places).index(dimension) if dimension in self.places else None
        values = self.low[..., np.newaxis] if axis is None else np.moveaxis(self.low, axis, -1)
        for index in np.ndindex(*values.shape[:-1]):
            yield {own: self.places[own][at] for own, at in zip(others, index, strict=True)}, values[index]


Aligned = tuple[dict[int, tuple[int, ...]], list[tuple[Array, Array]]]


def aligned(grids: Sequence[Grid], fill: float | None = None) -> Aligned:
    """Grids on one set of places, as arrays that broadcast: `(low, high)` each.

    Along a dimension that several have they meet at the places of the smallest, which the others must have, too: a
    condition restricts what is compared. Raises Unlike. With `fill` the places of all are kept, and it stands where a grid has none.
    """
    first = grids[0].places
    if all(grid.places == first or not grid.places for grid in grids[1:]):
        return dict(first), [(grid.low, grid.high) for grid in grids]
    places: dict[int, tuple[int, ...]] = {}
    for dimension in sorted({dimension for grid in grids for dimension in grid.places}):
        kept = {grid.places[dimension] for grid in grids if dimension in grid.places}
        if fill is not None:
            places[dimension] = tuple(sorted({place for own in kept for place in own}))
            continue
        least = min(kept, key=len)
        if any(not set(least) <= set(own) for own in kept):
            raise Unlike(dimension)
        places[dimension] = least
    return places, [_placed(grid, places, fill) for grid in grids]


def infinite(low: Array, high: Array) -> Array:
    """Where ranges are one infinite number, as of `1 / 0`; what is known to lie beyond a number is none."""
    return np.asarray(np.isinf(low) & (low == high))


def mean_along(values: Array) -> Array:
    """The mean along the last axis: undefined of infinities of both signs, and finite where all values are.

    >>> mean_along(np.array([[1.0, 3.0], [1.5e308, 1.5e308], [np.inf, -np.inf]])).tolist()
    [2.0, 1.5e+308, nan]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.asarray(values.mean(axis=-1))
        beyond = np.isinf(found) & np.isfinite(values).all(axis=-1)
        return np.where(beyond, (values / values.shape[-1]).sum(axis=-1), found) if beyond.any() else found


def _placed(grid: Grid, places: Mapping[int, tuple[int, ...]], fill: float | None) -> tuple[Array, Array]:
    """A grid's arrays at some places, with an axis of one along each dimension that it has not."""
    own = {dimension: kept for dimension, kept in places.items() if dimension in grid.places}
    shape = [len(kept) if dimension in own else 1 for dimension, kept in places.items()]
    if own == dict(grid.places):
        return grid.low.reshape(shape), grid.high.reshape(shape)
    found = []
    for array in (grid.low, grid.high):
        if fill is None:
            index = [[grid.places[dimension].index(place) for place in kept] for dimension, kept in own.items()]
            found.append(array[np.ix_(*index)].reshape(shape))
        else:
            whole = np.full([len(kept) for kept in own.values()], fill)
            whole[np.ix_(*([own[d].index(place) for place in kept] for d, kept in grid.places.items()))] = array
            found.append(whole.reshape(shape))
    return found[0], found[1] if grid.ranges else found[0]
