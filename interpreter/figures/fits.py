"""Laws fitted to measures against a swept constant, by least squares on the scale that makes them straight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..results.number_text import number, with_error
from ..verdicts.rates import half_width
from .axis_scales import LARGEST

Array = np.ndarray[Any, Any]

FIT_FROM = 3
"""From how many different x on a law is fitted: through two of them any law goes."""
ERROR_FROM = 3
"""From how many replicates on a fitted law has an error."""
ROUNDING = 1e-12
"""By which part of what is fitted the slopes of replicates may differ and still be the same."""


@dataclass(frozen=True)
class Law:
    """A law: on which scales it is a straight line, and how it is written with its coefficient and its slope."""

    log_x: bool
    log_y: bool
    text: str
    slope_format: str
    brackets: bool = True

    def straight(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Places and values on the scales on which the law is a straight line."""
        return np.log(x) if self.log_x else x, np.log(y) if self.log_y else y


LAWS: Mapping[str, Law] = {
    "power": Law(True, True, "{} · x^{}", ".2f", brackets=False),
    "exponential": Law(False, True, "{} · exp({} x)", ".3g"),
    "linear": Law(False, False, "{} + {} · x", ".3g"),
}
"""The laws that a figure may ask for: y = a · x^b, y = a · exp(b · x), y = a + b · x."""


@dataclass(frozen=True)
class Fit:
    """A fitted law: its line on the scales of the law, and the error of its slope.

    `half` is half of the slope's 95 % t interval over the `alone` replicates, of `replicates`, that were fitted each by itself;
    None where fewer than three could be, or all have the same slope (`same`). `unused` values are of replicates that could not.
    """

    law: Law
    offset: float
    slope: float
    replicates: int
    alone: int
    half: float | None = None
    same: bool = False
    unused: int = 0

    def at(self, x: Array) -> Array:
        """The values of the law; not finite where they are too large."""
        with np.errstate(all="ignore"):
            line = self.offset + self.slope * (np.log(x) if self.law.log_x else x)
            return np.exp(line) if self.law.log_y else line

    @property
    def text(self) -> str:
        """The law with its parameters, and the error of its slope.

        >>> Fit(LAWS["power"], 0.0, -1.92, 5, 5, half=0.05).text
        '1 · x^-1.92 ± 0.05'
        """
        coefficient = _exponential(self.offset) if self.law.log_y else number(self.offset)
        slope = format(self.slope, self.law.slope_format) if self.half is None else with_error(self.slope, self.half)
        return self.law.text.format(coefficient, f"({slope})" if self.half is not None and self.law.brackets else slope)

    @property
    def source(self) -> str:
        """Of how many replicates the error is, or why there is none."""
        of = f"{self.alone} of {_replicates(self.replicates)}" if self.alone < self.replicates else ""
        if self.same:
            return f"the same in {of}" if of else f"the same in all {_replicates(self.replicates)}"
        if self.half is None:
            return "no error: " + (f"{of} have {FIT_FROM} x" if of else _replicates(self.replicates))
        return of or _replicates(self.replicates)


def fit(law: Law, x: Array, y: Array, replicates: Array) -> Fit | None:
    """The law fitted to the values y at x of replicates (their numbers), all [values]; None with fewer than three different x.

    Each replicate is fitted by itself, and the law is their mean: of the slope, and of the offset. With fewer than three replicates
    that have three x, it is fitted to all values together, and has no error.
    """
    if len(np.unique(x)) < FIT_FROM:
        return None
    places, values = law.straight(x, y)
    groups = [replicates == one for one in np.unique(replicates)]
    alone = [group for group in groups if len(np.unique(x[group])) >= FIT_FROM]
    if len(alone) < ERROR_FROM:
        return Fit(law, *_line(places, values), len(groups), len(alone))
    offsets, slopes = np.transpose([_line(places[group], values[group]) for group in alone])
    same = bool(np.ptp(slopes) * np.ptp(places) <= ROUNDING * np.abs(values).max())
    unused = len(x) - sum(int(group.sum()) for group in alone)
    scale = float(np.abs(slopes).max())  # squares of large slopes are larger than any number
    half = None if same else half_width(slopes / scale) * scale
    return Fit(law, float(offsets.mean()), float(slopes.mean()), len(groups), len(alone), half, same, unused)


def usable(law: Law, x: Array, y: Array, floor: Array | None) -> tuple[Array, dict[str, int]]:
    """Which values a law can be fitted to, and how many it can't, by why: each counts once."""
    kept, left_out = np.ones(y.shape, bool), {}
    nowhere = np.zeros(y.shape, bool)
    with np.errstate(invalid="ignore"):
        reasons = {
            "not finite": ~(np.isfinite(x) & np.isfinite(y)),
            "too large": (np.abs(x) >= LARGEST) | (np.abs(y) >= LARGEST),
            "below the sampling floor": nowhere if floor is None else y <= floor,
            "≤ 0": y <= 0 if law.log_y else nowhere,
            "at x ≤ 0": x <= 0 if law.log_x else nowhere,
        }
    for reason, matches in reasons.items():
        if count := int((kept & matches).sum()):
            left_out[reason] = count
        kept &= ~matches
    return kept, left_out


def left_out_text(left_out: Mapping[str, int]) -> str:
    """What was left out, in words; empty where nothing was.

    >>> left_out_text({"≤ 0": 2}), left_out_text({"not finite": 1, "diverged": 3}), left_out_text({})
    ('2 values ≤ 0 left out', '1 value not finite, 3 diverged left out', '')
    """
    parts = [f"{count} {reason}" for reason, count in left_out.items()]
    if not parts:
        return ""
    (reason, count), *_ = left_out.items()
    parts[0] = f"{count} value{'' if count == 1 else 's'} {reason}"
    return f"{', '.join(parts)} left out"


def _line(x: Array, y: Array) -> tuple[float, float]:
    """The offset and the slope of a straight line by least squares."""
    width = np.ptp(x)
    away = (x - x.mean()) / width
    slope = float(np.sum(away * (y - y.mean())) / np.sum(away**2) / width)
    return float(y.mean() - slope * x.mean()), slope


def _exponential(power: float) -> str:
    """e to a power in three digits, as a power of ten where a number can't hold it."""
    return number(math.exp(power)) if abs(power) < 700 else f"10^{power / math.log(10):.1f}"


def _replicates(count: int) -> str:
    return f"{count} replicate{'' if count == 1 else 's'}"
