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


def noise(values: Array) -> float:
    """The deviation of what is random from one evaluation to the next, without trend: from the median second difference.

    `values` [evaluations] are a measure's over the steps.

    >>> noise(np.arange(10.0)), noise(np.ones(10))
    (0.0, 0.0)
    """
    if len(values) < FEWEST or not np.isfinite(values).all():
        return 0.0
    return float(np.median(np.abs(np.diff(values, 2)))) / _SECOND_DIFFERENCE


def excess(values: Array, best: int) -> float:
    """By how much the best of a measure's evaluations is expected to beat a plateau by chance alone.

    `values` [evaluations] has its best at `best`. The plateau is the second half of the evaluations if the best lies in it and noise can
    be told there, else all.
    """
    half = len(values) // 2
    window = values[half:] if best >= half and len(values) - half >= FEWEST else values
    return noise(window) * expected_highest(len(window))
