"""Medians with their spread, and ratios of contenders that were measured in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from statistics import median, quantiles
from typing import Any

Rows = Mapping[tuple[str, int], Mapping[str, Any]]
"""A workload's rows by contender and number of replicates."""


@dataclass(frozen=True)
class Spread:
    """A median, with the lower and the upper quartile, or with the ends of an interval around it."""

    middle: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        """Of at least one value; the quartiles lie between the least and the largest.

        >>> Spread.of([4.0, 1.0, 2.0, 3.0, 9.0])
        Spread(middle=3.0, low=2.0, high=4.0)
        """
        if len(values) == 1:
            return Spread(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return Spread(median(values), low, high)

    @staticmethod
    def of_median(values: Sequence[float]) -> Spread:
        """The median with an interval that holds the true one with a probability of about 95 %, more where there are few.

        Its ends are values themselves, by rank, whatever their distribution: the number of values below the true median is
        binomial, here taken as normal (Conover 1999, "Practical nonparametric statistics", section 3.2).

        >>> Spread.of_median([float(value) for value in range(1, 26)])
        Spread(middle=13.0, low=8.0, high=18.0)
        """
        ordered = sorted(values)
        rank = max(0, floor(len(ordered) / 2 - 0.98 * sqrt(len(ordered))))
        return Spread(median(ordered), ordered[rank], ordered[-1 - rank])

    def scaled(self, factor: float) -> Spread:
        """In another unit."""
        return Spread(self.middle * factor, self.low * factor, self.high * factor)


def ratio(values: Sequence[float], to: Sequence[float]) -> Spread:
    """How many times `to` each value is, with the interval of the median.

    It is taken round by round, so what slows a whole round down drops out; `to` may have been measured in more rounds, later.

    >>> ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0, 4.0]).middle
    2.0
    """
    if len(to) < len(values):
        raise ValueError(f"{len(values)} rounds beside {len(to)}")
    return Spread.of_median([own / other for own, other in zip(values, to, strict=False)])


def alternatives(rows: Rows, count: int) -> dict[str, int]:
    """The rivals with so many replicates, and how many each trains at once: all, or one after another if that is faster."""
    found: dict[str, int] = {}
    for (name, replicates), row in rows.items():
        if name == "dlspec" or row["out"] or not row["seconds"] or replicates not in (1, count):
            continue
        if name not in found or median(row["seconds"]) < median(rows[name, found[name]]["seconds"]):
            found[name] = replicates
    return found


def ratios(rows: Rows, count: int) -> dict[str, Spread]:
    """The ratio of each rival to dlspec with so many replicates; none where dlspec is out."""
    own = rows.get(("dlspec", count))
    if own is None or own["out"] or not own["seconds"]:
        return {}
    return {
        name: ratio(rows[name, used]["seconds"], own["seconds"]) for name, used in alternatives(rows, count).items()
    }


def best(rows: Rows, count: int) -> tuple[str, Spread] | None:
    """The fastest rival with so many replicates, and its ratio to dlspec; None where dlspec or every rival is out."""
    found = ratios(rows, count)
    name = min(found, key=lambda one: found[one].middle, default=None)
    return None if name is None else (name, found[name])


def in_question(rows: Rows, precision: float) -> set[tuple[str, int]]:
    """The rivals' rows that want more rounds: those that may be the best, where its ratio is not known to ± `precision` of it."""
    found: set[tuple[str, int]] = set()
    for count in {replicates for _, replicates in rows}:
        fastest = best(rows, count)
        if fastest is None or fastest[1].high - fastest[1].low <= 2 * precision * fastest[1].middle:
            continue
        used = alternatives(rows, count)
        found |= {(name, used[name]) for name, one in ratios(rows, count).items() if one.low <= fastest[1].high}
    return found
