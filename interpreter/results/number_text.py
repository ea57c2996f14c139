"""Numbers as people read them: values and their ranges, sizes in bytes, times."""

from __future__ import annotations

import math
from collections.abc import Collection

SPREAD = "mean (least … largest) over replicates"
"""What `spread` shows, as captions of tables say it."""


def number(value: float, digits: int = 3) -> str:
    """A number in three digits, or in others; below a million in all those before its point.

    >>> number(0.00012345), number(12.0), number(0.05001, 4), number(-1289.4), number(1289400.0)
    ('0.000123', '12', '0.05001', '-1289', '1.29e+06')
    """
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 999_999.5 else text


MOST_DIGITS = 17
"""So many digits tell any number from its neighbours."""


def apart(value: float, *others: float) -> int:
    """How many digits show on which side of others a number lies: three, or more where rounding would hide it.

    >>> apart(0.05001, 0.05), apart(0.9996, 1.0), apart(0.3, 0.5), apart(0.05, 0.05)
    (4, 4, 3, 3)
    """
    others = tuple(other for other in others if math.isfinite(other))
    if not math.isfinite(value):
        return 3
    return next(
        digits
        for digits in range(3, MOST_DIGITS + 1)
        if digits == MOST_DIGITS or all(_side(float(number(value, digits)), o) == _side(value, o) for o in others)
    )


def _side(value: float, other: float) -> int:
    return (value > other) - (value < other)


def pair(one: float, other: float) -> tuple[str, str]:
    """Two numbers in as many digits as tell which is the larger, three or more.

    >>> pair(0.05001, 0.05), pair(1.0, 1.0)
    (('0.05001', '0.05'), ('1', '1'))
    """
    digits = 3
    while one != other and digits < MOST_DIGITS and number(one, digits) == number(other, digits):
        digits += 1
    return number(one, digits), number(other, digits)


def spread(values: Collection[float]) -> str:
    """The mean of some numbers, and the range that they span where there are several; no number where one is undefined.

    >>> spread([1.0, 2.0]), spread([1.0, float("nan")])
    ('1.5 (1 … 2)', '– (1 of 2 undefined)')
    """
    if undefined := sum(map(math.isnan, values)):
        return f"– ({undefined} of {len(values)} undefined)" if len(values) > 1 else "– (undefined)"
    mean = mean_of(values)
    return ranged(mean, min(values), max(values)) if len(values) > 1 else number(mean)


def mean_of(values: Collection[float]) -> float:
    """The mean of some numbers, within the range that they span: rounding may not take that of equal ones beyond them.

    >>> mean_of([0.05, 0.05, 0.05]), sum([0.05, 0.05, 0.05]) / 3
    (0.05, 0.05000000000000001)
    """
    return min(max(sum(values) / len(values), min(values)), max(values))


def ranged(mean: float, low: float, high: float, digits: int = 3) -> str:
    """A mean with the least and the largest value that it is of: no interval, which brackets would look like.

    >>> ranged(1.5, 1, 2)
    '1.5 (1 … 2)'
    """
    return f"{number(mean, digits)} ({number(low, digits)} … {number(high, digits)})"


def with_error(value: float, half: float) -> str:
    """A value with its error above 0, in one or two digits of the error: more have no meaning.

    >>> with_error(-1.9237, 0.0512), with_error(2.5, 0.0123), with_error(0.000376, 0.000069)
    ('-1.92 ± 0.05', '2.500 ± 0.012', '0.00038 ± 0.00007')
    >>> with_error(12345.0, 67.0), with_error(1.54e-7, 2.3e-8), with_error(1.0, 3e-9)
    ('12340 ± 70', '1.54e-07 ± 2.3e-08', '1 ± 3e-09')
    """
    if not math.isfinite(half):
        return f"{number(value)} ± {number(half)}"
    power = math.floor(math.log10(half))
    digits = 1 + (half < 3 * 10.0**power)
    decimals = digits - 1 - power
    largest = max(abs(value), half)
    if half > 1e-6 * largest and 1e-5 < largest < 1e6:
        return " ± ".join(f"{round(part, decimals):.{max(decimals, 0)}f}" for part in (value, half))
    above = math.floor(math.log10(abs(value))) - power if value else 0
    return f"{value:.{min(max(above + digits, 1), 6)}g} ± {half:.{digits}g}"


def percent(share: float, *others: float) -> str:
    """A share in percent, in as many digits as tell it from all and from nothing, and show on which side of others it lies.

    >>> percent(0.549), percent(0.9974), percent(0.99997), percent(1.0), percent(0.0)
    ('55 %', '99.7 %', '99.997 %', '100 %', '0 %')
    >>> percent(0.8996, 0.9), percent(0.98, 0.975), percent(0.9, 0.9)
    ('89.96 %', '98 %', '90 %')
    """
    text = _percent(share)
    if all(_side(float(text[:-2]), 100 * other) == _side(share, other) for other in others):
        return text
    return f"{number(100 * share, apart(100 * share, *(100 * other for other in others)))} %"


def _percent(share: float) -> str:
    rest = min(share, 1 - share)
    if not 0 < rest < 0.01:
        return f"{100 * share:.0f} %"
    digits = max(1, -math.floor(math.log10(100 * rest) + 1e-6))
    return f"{100 * share:.2g} %" if share < 0.5 else f"{100 * share:.{digits}f} %"


def size(count: float) -> str:
    """Bytes in three digits.

    >>> size(3 * 2**20)
    '3 MiB'
    """
    for unit, power in (("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 2**power:
            return f"{count / 2**power:.3g} {unit}"
    return f"{count:.0f} B"


def duration(seconds: float) -> str:
    """A time in its largest unit.

    >>> duration(42), duration(4000)
    ('42 s', '1.1 h')
    """
    if seconds < 99.5:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.2g} min" if seconds < 3600 else f"{seconds / 3600:.2g} h"
