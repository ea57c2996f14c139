"""Exact bounds of a share of seeds from how many of some replicates meet a claim, and quantiles of means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from dlspec.spec.tables.judges import ERROR, HOLDS_FROM
from scipy import special

MOST_REPLICATES = 100_000
"""How many replicates are thought of at most."""
SKEWED = {
    3: 11.05, 4: 7.96, 5: 6.64, 6: 5.90, 7: 5.38, 8: 5.02, 10: 4.52, 12: 4.20, 15: 3.85, 20: 3.50, 30: 3.12, 50: 2.77, 100: 2.45,
    200: 2.25, 500: 2.12, 1000: 2.07,
}  # fmt: skip
"""By the number of replicates, what Student's statistic of lognormal results (deviation 1 of the logarithm) exceeds in 4.5 % of
studies, in either direction: from 10^6 studies each (4 * 10^5 from 200 replicates on). `benchmarks/verdicts.py` tries them anew."""


def share_bounds(met: int, count: int, unknown: int = 0) -> tuple[float, float]:
    """Between which shares of all seeds meet a claim, each bound at 95 % (Clopper & Pearson 1934).

    Of `count` replicates `met` do; `unknown` more may or may not: the lower bound counts them as not, the upper one as met.

    >>> [round(bound, 3) for bound in share_bounds(5, 5)], [round(bound, 3) for bound in share_bounds(0, 5)]
    ([0.549, 1.0], [0.0, 0.451])
    """
    low = float(special.betaincinv(met, count - met + 1, ERROR)) if met else 0.0
    most = met + unknown
    high = float(special.betaincinv(most + 1, count - most, 1 - ERROR)) if most < count else 1.0
    return low, high


def chance_of_count(met: int, count: int, share: float = 0.5) -> float:
    """How often at least so many of `count` replicates meet a claim that a share of all seeds meets.

    >>> chance_of_count(5, 5)
    0.03125
    """
    return float(special.bdtrc(met - 1, count, share)) if met else 1.0


def least_count(settles: Callable[[int], bool], first: int) -> int | None:
    """The least number of replicates that settle a claim, from `first` and `HOLDS_FROM` on, to 5 %; None where hardly any would.

    >>> least_count(lambda count: count >= 17, 3), least_count(lambda count: False, 3)
    (17, None)
    """
    count = max(first, HOLDS_FROM)
    while count <= MOST_REPLICATES:
        if settles(count):
            return count
        count = max(count + 1, int(count * 1.05))
    return None


def student(freedom: int, tail: float) -> float:
    """What Student's t of some degrees of freedom exceeds with the probability `tail`.

    >>> round(student(4, 0.025), 3)
    2.776
    """
    return float(special.stdtrit(freedom, 1 - tail))


def half_width(values: Sequence[float]) -> float:
    """Half of the 95 % t interval of the mean of two or more values.

    >>> round(half_width([1.0, 2.0, 3.0]), 3)
    2.484
    """
    return student(len(values) - 1, ERROR / 2) * float(np.std(values, ddof=1)) / math.sqrt(len(values))


def skewed(count: int, tail: float = ERROR / 2) -> float:
    """The same of skewed results: no less than Student's, and exceeded in less than 5 % of studies of lognormal ones at 2.5 %.

    >>> round(skewed(5), 2), round(skewed(9), 2)
    (6.64, 4.75)
    """
    places, values = np.log(list(SKEWED)), np.log(list(SKEWED.values()))
    wide = math.exp(float(np.interp(math.log(count), places, values)))
    plain = student(count - 1, ERROR / 2)
    return max(wide / plain, 1.0) * student(count - 1, tail)


def chance_of_statistic(statistic: float, freedom: int) -> float:
    """How often Student's t exceeds a statistic by chance, in either direction."""
    return float(2 * special.stdtr(freedom, -abs(statistic)))
