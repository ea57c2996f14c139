"""Quotients of whole numbers by a constant that a product with its reciprocal would miss: 41 · (1 / 41) is no 1 in float32."""

from __future__ import annotations

from functools import cache
from math import prod

import numpy as np

from ..ir import terms as t

TRIED = 4096
"""Up to which whole quotient a divisor is tried."""
ROUNDING = ("floor", "ceil", "round", "sign", "floor_divide")
"""Operations that give whole numbers."""
KEEPING = (
    "add",
    "subtract",
    "multiply",
    "negative",
    "abs",
    "maximum",
    "minimum",
    "max",
    "min",
    "sum",
    "prod",
    "square",
    "relu",
)
"""Operations that give whole numbers of whole numbers."""


@cache
def is_missed(divisor: float) -> bool:
    """Whether some whole multiple of a number, by its reciprocal, is not the whole quotient that it is, in float32 or float64.

    >>> is_missed(41.0), is_missed(49.0), is_missed(3.0), is_missed(64.0)
    (True, True, False, False)
    """
    for kind in ("float32", "float64"):
        number, one, whole = (np.asarray(value, kind) for value in (divisor, 1.0, np.arange(1, TRIED)))
        with np.errstate(all="ignore"):
            if ((whole * number) * (one / number) != whole).any():
                return True
    return False


def divides_exactly(term: t.Operate) -> bool:
    """Whether an operation is a quotient of whole numbers that has to be one division: XLA multiplies by the reciprocal of a constant."""
    if term.operation not in ("divide", "mean") or not _is_whole(term.arguments[0]):
        return False
    if term.operation == "mean":
        return is_missed(float(taken_together(term)))
    divisor = term.arguments[1]
    return isinstance(divisor, t.Literal) and any(
        is_missed(abs(float(one))) for one in set(np.ravel(divisor.value).tolist()) if one
    )


def taken_together(term: t.Operate) -> int:
    """How many entries a reduction makes one of."""
    return prod(term.arguments[0].type.shape) // max(1, prod(term.type.shape))


def _is_whole(term: t.Term) -> bool:
    """Whether a term is a whole number, as far as that is seen where it stands: an int, or what adds up and multiplies such."""
    if term.type.kind != "real":
        return True
    if isinstance(term, t.Literal):
        return bool(np.all(np.equal(np.floor(term.value), term.value)))
    if not isinstance(term, t.Operate):
        return False
    return term.operation in ROUNDING or (term.operation in KEEPING and all(map(_is_whole, term.arguments)))
