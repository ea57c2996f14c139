"""What bounds alone don't know: that two operands are the same number, and what a condition says of the numbers that it compares."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping

from ..ir import terms as t
from ..tables.operations.intervals import Bounds

TURNED = {
    "less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal", "equal": "equal",
    "not_equal": "not_equal",
}  # fmt: skip
"""The comparison of b with a for that of a with b."""
OTHERWISE = {
    "less": "greater_equal", "less_equal": "greater", "greater": "less_equal", "greater_equal": "less", "equal": "not_equal",
    "not_equal": "equal",
}  # fmt: skip
"""What holds where a comparison does not."""

GUARDED = {"select": {1: True, 2: False}, "logical_and": {1: True}, "logical_or": {1: False}}
"""The arguments of an operation that count only where its first holds, or does not."""


def same(a: t.Term, b: t.Term) -> bool:
    """Whether two terms are the same number: one term, or one name, parameter or index."""
    if isinstance(a, t.Reference) and isinstance(b, t.Reference):
        return a.name == b.name
    if isinstance(a, t.Parameter | t.IndexVariable) and type(a) is type(b):
        return a.key == b.key
    return a is b


def squared(bounds: Bounds) -> Bounds:
    """The bounds of a number times itself.

    >>> squared((-1, 3)), squared((-5, -2))
    ((0, 9), (4, 25))
    """
    low, high = sorted(end * end for end in bounds)
    return (0 if bounds[0] < 0 < bounds[1] else low), high


def remainder(number: t.Term, product: t.Term) -> int:
    """The m of `k - k // m * m`, a number k less a product: what is left is k modulo m. 0 where it is not of this form."""
    if not isinstance(product, t.Operate) or product.operation != "multiply":
        return 0
    for quotient, factor in (product.arguments, product.arguments[::-1]):
        if not isinstance(quotient, t.Operate) or quotient.operation != "floor_divide" or not _is_number(factor):
            continue
        divided, divisor = quotient.arguments
        if same(number, divided) and _is_number(divisor) and divisor.value == factor.value:  # type: ignore[attr-defined]
            return int(factor.value)  # type: ignore[attr-defined]
    return 0


def _is_number(term: t.Term) -> bool:
    return isinstance(term, t.Literal) and term.type.kind == "int" and not term.type.shape


def compared(condition: t.Term, holds: bool) -> Iterator[tuple[t.Term, str, t.Term]]:
    """The comparisons of two ints that hold where a condition does, or where it does not; each of both in both directions."""
    if not isinstance(condition, t.Operate):
        return
    if condition.operation == "logical_not":
        yield from compared(condition.arguments[0], not holds)
    elif condition.operation == ("logical_and" if holds else "logical_or"):
        for part in condition.arguments:
            yield from compared(part, holds)
    elif condition.operation in TURNED:
        operation = condition.operation if holds else OTHERWISE[condition.operation]
        first, second = condition.arguments
        if all(item.type.kind == "int" and not item.type.shape for item in (first, second)):
            yield first, operation, second
            yield second, TURNED[operation], first


def limits(
    condition: t.Term,
    holds: bool,
    bounds: Callable[[t.Term], Bounds],
    leaf: Callable[[t.Term], Hashable],
    before: Mapping[Hashable, Bounds],
) -> dict[Hashable, Bounds]:
    """The bounds that a condition sets to names, parameters and indices, by what tells these; `before` are those that hold already."""
    limit_of = dict(before)
    for number, operation, other in compared(condition, holds):
        if not isinstance(number, t.Reference | t.Parameter | t.IndexVariable):
            continue
        key = leaf(number)
        low, high = limited(limit_of.get(key, bounds(number)), operation, bounds(other))
        if low <= high:
            limit_of[key] = low, high
    return limit_of


def limited(bounds: Bounds, operation: str, other: Bounds) -> Bounds:
    """The bounds of a number that compares with another of some bounds; the larger first where none does.

    >>> limited((-5, 5), "greater", (0, 3)), limited((0, 5), "not_equal", (0, 0)), limited((0, 5), "equal", (3, 9))
    ((1, 5), (1, 5), (3, 5))
    """
    (low, high), (least, most) = bounds, other
    if operation in ("less", "less_equal", "equal"):
        high = min(high, most - (operation == "less"))
    if operation in ("greater", "greater_equal", "equal"):
        low = max(low, least + (operation == "greater"))
    if operation == "not_equal" and least == most:
        low, high = low + (low == least), high - (high == least)
    return low, high
