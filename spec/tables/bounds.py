"""Between which numbers an argument lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Bounds:
    """From `least` to `most`; `above` and `below` say that the bound itself is not among them. None is no bound.

    >>> print(Bounds(0, 1, below=True), Bounds(0, 1), Bounds(0), Bounds(0, above=True), sep="; ")
    at least 0 and below 1; between 0 and 1; at least 0; more than 0
    """

    least: float | None = None
    most: float | None = None
    above: bool = False
    below: bool = False

    def hold(self, value: Any) -> bool:
        """Whether all entries of a value are within."""
        array = np.asarray(value, float)
        low = self.least is None or bool((array > self.least if self.above else array >= self.least).all())
        high = self.most is None or bool((array < self.most if self.below else array <= self.most).all())
        return low and high

    def text_outside(self, value: float) -> str:
        """A number outside the bounds, in six digits, or in all where six would lie within.

        >>> Bounds(0, 1).text_outside(1.5), Bounds(0, 1).text_outside(1.00000001), Bounds(most=10000).text_outside(10001)
        ('1.5', '1.00000001', '10001')
        """
        short = f"{value:g}"
        return short if not self.hold(float(short)) else repr(float(value))

    def __str__(self) -> str:
        if self.least is not None and self.most is not None and not self.above and not self.below:
            return f"between {self.least:g} and {self.most:g}"
        low = [] if self.least is None else [f"{'more than' if self.above else 'at least'} {self.least:g}"]
        high = [] if self.most is None else [f"{'below' if self.below else 'at most'} {self.most:g}"]
        return " and ".join([*low, *high])

    @property
    def interval(self) -> str:
        """The same for a table.

        >>> Bounds(0, 1, below=True).interval, Bounds(0, above=True).interval, Bounds(0).interval, Bounds().interval
        ('in [0, 1)', '> 0', '≥ 0', '')
        """
        if self.least is not None and self.most is not None:
            return f"in {'(' if self.above else '['}{self.least:g}, {self.most:g}{')' if self.below else ']'}"
        if self.least is not None:
            return f"{'>' if self.above else '≥'} {self.least:g}"
        return "" if self.most is None else f"{'<' if self.below else '≤'} {self.most:g}"

    @property
    def schema(self) -> Mapping[str, float]:
        """The same for a JSON Schema, where a number is written out."""
        low = {} if self.least is None else {"exclusiveMinimum" if self.above else "minimum": self.least}
        high = {} if self.most is None else {"exclusiveMaximum" if self.below else "maximum": self.most}
        return {**low, **high}


ANY = Bounds()
POSITIVE = Bounds(0, above=True)
NOT_NEGATIVE = Bounds(0)
SHARE = Bounds(0, 1)
BELOW_ONE = Bounds(0, 1, below=True)
COUNT = Bounds(1)
