"""Medians with their spread, and ratios of two contenders that were measured in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Spread:
    """A median, with the lower and the upper quartile."""

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

    def scaled(self, factor: float) -> Spread:
        """In another unit."""
        return Spread(self.middle * factor, self.low * factor, self.high * factor)


def ratio(values: Sequence[float], to: Sequence[float]) -> Spread:
    """How many times `to` each value is, round by round, so what slows a whole round down drops out.

    >>> ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0]).middle
    2.0
    """
    return Spread.of([own / other for own, other in zip(values, to, strict=True)])
