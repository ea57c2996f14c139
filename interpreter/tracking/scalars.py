"""The measures of a replicate as numbers with names, one a curve, as trackers draw them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..results.replicates import Replicate

MAX_ENTRIES = 8
"""Up to how many entries of an array measure have a curve each; larger arrays lie in the run's `curves.parquet` alone."""


def scalars(measures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """A measure that is a number under its name, one that is a small array entry by entry.

    >>> list(scalars({"error": 0.5, "pair": [1, 2]}))
    [('error', 0.5), ('pair/0', 1.0), ('pair/1', 2.0)]
    """
    for name, value in measures.items():
        array = np.asarray(value, dtype=np.float64)
        if array.size <= MAX_ENTRIES or not array.ndim:
            for place, entry in np.ndenumerate(array):
                yield "/".join([name, *map(str, place)]), float(entry)


def curves(replicate: Replicate, after: int) -> Iterator[tuple[int, dict[str, float]]]:
    """The numbers of a replicate at each step after one."""
    for place, step in enumerate(replicate.steps):
        if step > after:
            yield step, dict(scalars({name: values[place] for name, values in replicate.curves.items()}))


def at(measures: Mapping[str, Any], place: int) -> dict[str, float]:
    """The numbers of one replicate of an evaluation; none if it ended before, and its row is undefined."""
    found = dict(scalars({name: value[place] for name, value in measures.items()}))
    return found if any(np.isfinite(value) for value in found.values()) else {}
