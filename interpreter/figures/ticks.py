"""Where the ticks of axes are, and what stands beside them: few, round, and written out where that is short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.ticker import Formatter, Locator, LogLocator, MaxNLocator, NullFormatter, NullLocator

MOST_TICKS = 6
"""About how many ticks of an axis bear numbers."""
PLAIN = (1e-3, 1e6)
"""Between which sizes numbers are written out."""
APART = 0.11
"""How far ticks with numbers are apart at least, as a share of their axis."""
MOST_DECADES = 15
"""From so many powers of ten on an axis has no ticks between them: they would be one black bar."""
DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(value: float, digits: int = 3) -> str:
    """A number as a multiple of a power of ten.

    >>> power(1e-6), power(2.5e7), power(-3e5), power(1.0), power(0.0)
    ('10⁻⁶', '2.5·10⁷', '-3·10⁵', '1', '0')
    """
    if value in (0, 1, 10) or not np.isfinite(value):
        return f"{value:g}"
    exponent = int(np.floor(np.log10(abs(value)) + 1e-9))
    factor = f"{value / 10.0**exponent if abs(exponent) < 300 else value / 1e150 / 10.0 ** (exponent - 150):.{digits}g}"
    lead = {"1": "", "-1": "-"}.get(factor, f"{factor}·")
    return f"{lead}10{str(exponent).translate(DIGITS)}"


class LogTicks(Locator):
    """The ticks of a logarithmic axis: the values themselves where they are few, else powers of ten, or 1, 2, 5 between them."""

    def __init__(self, values: Sequence[float] = ()) -> None:
        self.values = np.unique(np.asarray(values, float))

    def __call__(self) -> Any:
        return self.tick_values(*cast(Any, self.axis).get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Any:
        low, high = sorted((vmin, vmax))
        if not 0 < low < high:
            return np.asarray([])
        width = np.log10(high) - np.log10(low)
        inside = self.values[(self.values >= low) & (self.values <= high)]
        if 1 < inside.size <= MOST_TICKS and np.diff(np.log10(inside)).min() >= APART * width:
            return inside
        first, last = int(np.ceil(np.log10(low) - 1e-9)), int(np.floor(np.log10(high) + 1e-9))
        stride = max(1, -(-(last - first + 1) // MOST_TICKS))
        powers = [exponent for exponent in range(first, last + 1) if exponent % stride == 0]
        if len(powers) >= 3 or (len(powers) == 2 and width > 1.7):
            return np.asarray([10.0**exponent for exponent in powers])
        for factors in ((1, 3), (1, 2, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9)):
            ticks = np.asarray([f * 10.0**e for e in range(first - 1, last + 1) for f in factors])
            ticks = ticks[(ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))]
            if ticks.size >= 3:
                return ticks if np.diff(np.log10(ticks)).min() >= APART * width else ticks[:: -(-ticks.size // 4)]
        even = np.asarray(MaxNLocator(4).tick_values(low, high))
        return even[(even >= low) & (even <= high)]


class SignedLogTicks(Locator):
    """The ticks of an axis that is linear around zero and logarithmic beyond: zero, and powers of ten."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def __call__(self) -> Any:
        return self.tick_values(*cast(Any, self.axis).get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Any:
        low, high = sorted((vmin, vmax))
        sides = [_powers(self.threshold, high), [-value for value in _powers(self.threshold, -low)]]
        most = MOST_TICKS - 1 if not all(sides) else MOST_TICKS // 2
        ticks = [0.0] if low <= 0 <= high else []
        for side in sides:
            ticks += side[:: max(1, -(-len(side) // most))]
        return np.asarray(sorted(ticks))


def _powers(threshold: float, end: float) -> list[float]:
    """Powers of ten above a threshold, and no further than an end, from the largest down."""
    if end <= threshold or end <= 0:
        return []
    first, last = int(np.floor(np.log10(threshold) + 1e-9)) + 1, int(np.floor(np.log10(end) + 1e-9))
    return [10.0**exponent for exponent in range(last, first - 1, -1)] or [end]


def logarithmic(axis: Any, values: Sequence[float] = ()) -> None:
    """Ticks for a logarithmic axis (`axes.xaxis`, `axes.yaxis`, the axis of a colour bar); at the values where they are few."""
    axis.set_major_locator(LogTicks(values))
    axis.set_major_formatter(TickWords())
    axis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=MOST_DECADES))
    axis.set_minor_formatter(NullFormatter())


def signed(axis: Any, threshold: float) -> None:
    """Ticks for an axis that is logarithmic on both sides of zero."""
    axis.set_major_locator(SignedLogTicks(threshold))
    axis.set_major_formatter(TickWords())
    axis.set_minor_locator(NullLocator())


def linear(axis: Any, whole: bool = False, most: int = MOST_TICKS - 1) -> None:
    """Ticks for a linear axis; of whole numbers alone where it holds no others."""
    axis.set_major_locator(MaxNLocator(most, integer=whole, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(TickWords())


class TickWords(Formatter):
    """How the numbers beside an axis are written: all of them in one way."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        ticks, linear = np.asarray(values, float), cast(Any, self.axis).get_scale() == "linear"
        away = np.abs(ticks[np.isfinite(ticks) & (ticks != 0)])
        if not away.size:
            return [f"{value:g}" for value in values]
        steps = np.diff(np.unique(ticks))
        # a tick far nearer to zero than the others are apart is a zero that arithmetic missed
        near_zero = 1e-6 * steps.min() if steps.size else 0.0
        ticks[np.abs(ticks) < near_zero] = 0.0
        spaced = bool(linear and steps.size)
        if away.max() < PLAIN[0] or away.max() >= PLAIN[1] or (not linear and away.min() < PLAIN[0]):
            digits = _digits(away.max(), steps.min()) if spaced else 3
            return [power(value, digits) for value in ticks]
        return [_plain(value, _digits(abs(value) or 1.0, steps.min()) if spaced else 10) for value in ticks]


def _plain(value: float, digits: int) -> str:
    """A number written out: a whole one as that, another with some digits."""
    return f"{int(value):,}" if value == int(value) else f"{value:.{max(1, digits)}g}"


def _digits(size: float, step: float) -> int:
    """How many digits tell numbers of a size apart that differ by a step."""
    return int(np.clip(np.floor(np.log10(size) + 1e-9) - np.floor(np.log10(step) + 1e-9) + 2, 2, 15))
