"""Reductions of claims along an axis, or the index of an array."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from dlspec.spec.ir import claims as c

from ..results.replicates import Results
from .grid import Array, Grid, aligned, infinite, mean_along

REDUCED: dict[str, Callable[[Array], Array]] = {
    "mean": mean_along,
    "max": lambda values: np.asarray(values.max(axis=-1)),
    "min": lambda values: np.asarray(values.min(axis=-1)),
}
"""The reductions that rise with each of the values: a range goes through by its ends. What is undefined makes all so, and what is infinite leaves no number."""


def over(tree: c.Over, grid: Grid, results: Results) -> Grid:
    """What is left of an axis: of each replicate by itself.

    Of `argmax` and `argmin` it is the axis's value; undefined where an entry is, is infinite, or is known by its range alone.
    """
    dimension = results.dimension[tree.axis]
    axis = list(grid.places).index(dimension)
    left = {own: kept for own, kept in grid.places.items() if own != dimension}
    low, high = np.moveaxis(grid.low, axis, -1), np.moveaxis(grid.high, axis, -1)
    values = [results.axes[tree.axis][place] for place in grid.places[dimension]]
    return _reduced(tree.form, left, low, high if grid.ranges else low, values)


def over_entries(tree: c.OverEntries, grids: Sequence[Grid]) -> Grid:
    """The same of the entries of an array; `grids` are the entries, which meet as the parts of a comparison do."""
    places, ranges = aligned(grids)
    shape = [len(kept) for kept in places.values()]
    low, high = (np.stack([np.broadcast_to(pair[end], shape) for pair in ranges], axis=-1) for end in (0, 1))
    exact = not any(grid.ranges for grid in grids)
    return _reduced(tree.form, places, low, low if exact else high, range(len(grids)))


def _reduced(form: str, left: Mapping[int, tuple[int, ...]], low: Array, high: Array, values: Sequence[Any]) -> Grid:
    """What is left of the last axis, on which `values` lie."""
    lost = infinite(low, high).any(axis=-1)
    if form in REDUCED:
        ends = [REDUCED[form](end) for end in (low, high)]
        least, most = (np.where(lost & np.isfinite(end), np.nan, end) for end in ends)
        return Grid.exact(left, least) if high is low else Grid(left, least, most)
    known = (low == high).all(axis=-1) & ~lost
    at = np.argmax(low, axis=-1) if form == "argmax" else np.argmin(low, axis=-1)
    return Grid.exact(left, np.where(known, np.asarray(values, dtype=float)[at], np.nan))
