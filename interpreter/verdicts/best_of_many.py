"""What chance adds to the best of many evaluations: the highest of n noisy values of a plateau lies above it."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from .grid import Array

FEWEST = 4
"""Of how many values noise can be told from a trend."""
_NORMAL = NormalDist()  # of the standard library: a worker that trains need not load scipy
_SECOND_DIFFERENCE = 6**0.5 * _NORMAL.inv_cdf(0.75)
"""The median size of the second difference of independent normal values, in their deviations."""


def expected_highest(count: int) -> float:
    """The expected highest of so many independent standard normal values (Blom 1958).

    >>> round(expected_highest(50), 1), expected_highest(1)
    (2.2, 0.0)
    """
    return _NORMAL.inv_cdf((count - 0.375) / (count + 0.25))


def noise(values: Array) -> Array:
    """The deviation of what is random from one evaluation to the next, without trend: from the median second difference.

    `values` [replicates, evaluations] are a measure's over the steps; [replicates] come out, 0 where not all are finite.

    >>> noise(np.stack([np.arange(10.0), np.ones(10)])).tolist()
    [0.0, 0.0]
    """
    deviations = np.zeros(len(values))
    if values.shape[1] >= FEWEST:
        finite = np.isfinite(values).all(axis=1)
        deviations[finite] = np.median(np.abs(np.diff(values[finite], 2)), axis=1) / _SECOND_DIFFERENCE
    return deviations


def excess(values: Array, best: Array) -> Array:
    """By how much the best of a measure's evaluations is expected to beat a plateau by chance alone, [replicates].

    `values` [replicates, evaluations] have their best at `best`. The plateau is the second half of the evaluations if the best lies in
    it and noise can be told there, else all.
    """
    count = values.shape[1]
    half = count // 2
    late = (best >= half) & (count - half >= FEWEST)
    added = np.empty(len(values))
    for rows, window in ((late, values[late, half:]), (~late, values[~late])):
        added[rows] = noise(window) * expected_highest(window.shape[1])
    return added
