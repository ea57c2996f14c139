"""Between which numbers the ints lie that an operation gives: interval arithmetic, one rule for each that can give an int.

Every int of the language begins as a literal, a draw, an index or the place of something in an array, so each has bounds
that are known before anything runs (Moore 1966). A rule is right where no true value lies outside; it need not be tight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any

from ...ir.types import Type

Bounds = tuple[int, int]
"""The least and the largest value, both among them."""
Rule = Callable[[Sequence[Bounds], Sequence[Type], Mapping[str, Any], Type], Bounds]
"""The bounds of a result, of those of the arguments, their types, the static arguments and the result's type."""

INT32: Bounds = (-(2**31), 2**31 - 1)
"""What an int holds while an experiment runs."""
INT64: Bounds = (-(2**63), 2**63 - 1)
"""What an int holds while constants are computed."""
MAX_MAGNITUDE = 2**200
"""Beyond it numbers are not told apart."""


def hull(many: Iterable[Bounds]) -> Bounds:
    """The least bounds that hold all of some.

    >>> hull([(0, 3), (-1, 1)])
    (-1, 3)
    """
    given = list(many)
    return min(low for low, _ in given), max(high for _, high in given)


def over(values: Iterable[int]) -> Bounds:
    """The bounds of some values."""
    given = list(values)
    return min(given), max(given)


def kept(bounds: Bounds, within: Bounds = (-MAX_MAGNITUDE, MAX_MAGNITUDE)) -> Bounds:
    """Bounds cut to what lies within others."""
    return max(min(bounds[0], within[1]), within[0]), max(min(bounds[1], within[1]), within[0])


def joined(one: Bounds | None, other: Bounds | None, join: str, within: Bounds) -> Bounds | None:
    """The bounds of two values where they meet: of their sum (`add`), or of both side by side; None where one has none."""
    if one is None or other is None:
        return None
    low, high = (
        (one[0] + other[0], one[1] + other[1]) if join == "add" else (min(one[0], other[0]), max(one[1], other[1]))
    )
    return kept((low, high), within)


def product(a: Bounds, b: Bounds) -> Bounds:
    """The bounds of a · b."""
    return over(x * y for x in a for y in b)


def times(a: Bounds, count: int) -> Bounds:
    """The bounds of a sum of `count` numbers."""
    return count * a[0], count * a[1]


def _raised(base: int, exponent: int) -> int:
    """A power, cut where it is vast."""
    if abs(base) > 1 and exponent * (abs(base).bit_length() - 1) > MAX_MAGNITUDE.bit_length():
        return MAX_MAGNITUDE if base > 0 or exponent % 2 == 0 else -MAX_MAGNITUDE
    return int(base**exponent)


def powers(a: Bounds, exponent: int) -> Bounds:
    """The bounds of a number to the power of one exponent ≥ 0.

    >>> powers((-3, 2), 2)
    (0, 9)
    """
    ends = [_raised(end, exponent) for end in a]
    through = exponent > 0 and exponent % 2 == 0 and a[0] < 0 < a[1]
    return over([*ends, 0] if through else ends)


def _repeated(a: Bounds, count: int) -> Bounds:
    """The bounds of a product of `count` numbers: as many negative ones among them as make it largest, and least."""
    low, high = a
    if low >= 0 or high <= 0:
        return over(_raised(end, count) for end in a)
    negative = (0, min(1, count), count - count % 2, max(count - 1 + count % 2, 0))
    return over(_raised(low, number) * _raised(high, count - number) for number in negative)


def _few(first: int, last: int) -> list[int]:
    """The ends of a range and their neighbours: powers are extreme at one of them."""
    return sorted({first, min(first + 1, last), max(last - 1, first), last})


def _power(given: Sequence[Bounds], types: Sequence[Type], static: Mapping[str, Any], result: Type) -> Bounds:
    return hull(powers(given[0], exponent) for exponent in _few(max(given[1][0], 0), max(given[1][1], 0)))


def _floor_divide(given: Sequence[Bounds], types: Sequence[Type], static: Mapping[str, Any], result: Type) -> Bounds:
    (low, high), (first, last) = given
    divisors = [end for end in (first, -1, 1, last) if end and first <= end <= last]
    found = [end // divisor for end in (low, high) for divisor in divisors]
    return over([*found, 0] if first <= 0 <= last else found)


def _modulo(given: Sequence[Bounds], types: Sequence[Type], static: Mapping[str, Any], result: Type) -> Bounds:
    (low, high), (first, last) = given
    parts: list[Bounds] = [(0, 0)] if first <= 0 <= last else []
    if last > 0:
        least = max(first, 1)
        parts.append((low, high) if low >= 0 and high < least else (0, min(high, last - 1) if low >= 0 else last - 1))
    if first < 0:
        largest = min(last, -1)
        parts.append(
            (low, high) if high <= 0 and low > largest else (max(low, first + 1) if high <= 0 else first + 1, 0)
        )
    return hull(parts)


def _same(given: Sequence[Bounds], types: Sequence[Type], static: Mapping[str, Any], result: Type) -> Bounds:
    return given[0]


def _reduced(types: Sequence[Type], result: Type) -> int:
    """Over how many numbers a reduction goes."""
    return prod(types[0].shape) // max(prod(result.shape), 1)


def _scatter(given: Sequence[Bounds], types: Sequence[Type], static: Mapping[str, Any], result: Type) -> Bounds:
    low, high = times(given[1], types[0].shape[0])
    return min(low, 0), max(high, 0)


def _along(length: Callable[[Sequence[Type], Mapping[str, Any]], int]) -> Rule:
    """The rule of what gives places along an axis."""
    return lambda given, types, static, result: (0, max(length(types, static) - 1, 0))


def _of(bounds: Callable[..., Bounds]) -> Rule:
    """The rule of what hangs on the arguments' bounds alone."""
    return lambda given, types, static, result: bounds(*given)


BOUNDS: Mapping[str, Rule] = MappingProxyType(
    {
        "add": _of(lambda a, b: (a[0] + b[0], a[1] + b[1])),
        "subtract": _of(lambda a, b: (a[0] - b[1], a[1] - b[0])),
        "multiply": _of(product),
        "floor_divide": _floor_divide,
        "modulo": _modulo,
        "power": _power,
        "select": _of(lambda condition, then, otherwise: hull([then, otherwise])),
        "negative": _of(lambda x: (-x[1], -x[0])),
        "abs": _of(lambda x: over([*map(abs, x), *([0] if x[0] < 0 < x[1] else [])])),
        "sign": _of(lambda x: kept(x, (-1, 1))),
        "square": _of(lambda x: powers(x, 2)),
        "relu": _of(lambda x: (max(x[0], 0), max(x[1], 0))),
        "minimum": _of(lambda a, b: (min(a[0], b[0]), min(a[1], b[1]))),
        "maximum": _of(lambda a, b: (max(a[0], b[0]), max(a[1], b[1]))),
        "clip": _of(lambda x, low, high: tuple(min(max(v, a), b) for v, a, b in zip(x, low, high, strict=True))),
        "sum": lambda given, types, static, result: times(given[0], _reduced(types, result)),
        "prod": lambda given, types, static, result: _repeated(given[0], _reduced(types, result)),
        "min": _same,
        "max": _same,
        "argmax": _along(lambda types, static: types[0].shape[static["axis"]]),
        "argmin": _along(lambda types, static: types[0].shape[static["axis"]]),
        "dot": lambda given, types, static, result: times(product(*given), types[0].shape[-1]),
        "matmul": lambda given, types, static, result: times(product(*given), types[0].shape[-1]),
        "outer": _of(product),
        "transpose": _same,
        "trace": lambda given, types, static, result: times(given[0], types[0].shape[-1]),
        "diagonal": _same,
        "concat": _of(lambda *given: hull(given)),
        "sort": _same,
        "argsort": _along(lambda types, static: types[0].shape[-1]),
        "top_k": _same,
        "argtop_k": _along(lambda types, static: types[0].shape[-1]),
        "reverse": _same,
        "roll": _same,
        "diff": _of(lambda x: (x[0] - x[1], x[1] - x[0])),
        "cumsum": lambda given, types, static, result: hull([given[0], times(given[0], types[0].shape[0])]),
        "cumprod": lambda given, types, static, result: hull(
            _repeated(given[0], count) for count in _few(1, types[0].shape[0])
        ),
        "reshape": _same,
        "repeat": _same,
        "scatter": _scatter,
        "step_of": _along(lambda types, static: types[1].shape[0]),
    }
)  # fmt: skip
"""By the operation's name; what is computed before anything runs (`range`, `unique`) needs none."""

GROWING = (
    "add", "subtract", "multiply", "power", "negative", "abs", "square", "sum", "prod", "dot", "matmul", "outer", "trace",
    "diff", "cumsum", "cumprod", "scatter",
)  # fmt: skip
"""The operations whose result can be too large for an int where their arguments are not."""


def bounds_of(
    name: str, given: Sequence[Bounds], types: Sequence[Type], static: Mapping[str, Any], result: Type
) -> Bounds:
    """The bounds of an operation's ints."""
    return kept(BOUNDS[name](given, types, static, result))
