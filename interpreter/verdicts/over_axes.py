"""Reductions of claims along an axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from dlspec.spec.ir import claims as c

from ..results.replicates import Results
from .grid import Array, Grid

REDUCED: dict[str, Callable[[Array], Array]] = {
    "mean": lambda values: np.asarray(values.mean(axis=-1)),
    "max": lambda values: np.asarray(values.max(axis=-1)),
    "min": lambda values: np.asarray(values.min(axis=-1)),
}
"""The reductions that rise with each of the values: a range goes through by its ends. What is undefined makes all so."""


def over(tree: c.Over, grid: Grid, results: Results) -> Grid:
    """What is left of an axis: of each replicate by itself.

    Of `argmax` and `argmin` it is the axis's value; undefined where an entry is, or is known by its range alone.
    """
    dimension = results.dimension[tree.axis]
    axis = list(grid.places).index(dimension)
    left = {own: kept for own, kept in grid.places.items() if own != dimension}
    low, high = np.moveaxis(grid.low, axis, -1), np.moveaxis(grid.high, axis, -1)
    if tree.form in REDUCED:
        reduce = REDUCED[tree.form]
        return Grid(left, reduce(low), reduce(high)) if grid.ranges else Grid.exact(left, reduce(low))
    known = (low == high).all(axis=-1)
    at = np.argmax(low, axis=-1) if tree.form == "argmax" else np.argmin(low, axis=-1)
    values = np.asarray([results.axes[tree.axis][place] for place in grid.places[dimension]], dtype=float)
    return Grid.exact(left, np.where(known, values[at], np.nan))
