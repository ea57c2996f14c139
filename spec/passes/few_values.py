"""Numbers that are made of conditions on the example alone, as `1.0 * (y * f > 0)`: between which values they lie.

A sample in which such a number is the same for all examples has no spread, and says little of how seldom it is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import prod

import numpy as np

from ..ir import terms as t
from ..ir.plan import Program
from ..ir.term_pass import TermPass
from ..tables.operations import OPERATIONS, Operation
from .reached_examples import names_of, reached

Bounds = tuple[float, float] | None
"""The least and the largest value; None of what is not made of conditions alone."""
Rate = tuple[float, float]
"""The offset and the scale of a number that is offset + scale · rate."""
Known = Mapping[str, t.Term]
"""What names and parameters stand for."""

_FEW: TermPass[[Known], Bounds] = TermPass("bounds of few values")


def between(program: Program, term: t.Term) -> Bounds:
    """Between which values a number of one example lies, where it is made of conditions, 0, 1 and -1; None where it is of others, or always the same.

    Other numbers may be swept: then what cells would be told side by side is not what each is told alone.
    """
    known = {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}
    for item in reached(program, [term]):
        if isinstance(item, t.Invoke):
            known.update(zip(item.parameters, item.arguments, strict=True))
    bounds = _bounds(term, known)
    return bounds if bounds is not None and bounds[0] < bounds[1] and names_of(program, term, "example") else None


def rate_in(term: t.Term) -> Rate | None:
    """What a measure adds to the rate of a condition over examples, and by how much it multiplies it: `100 * E(c)` is 0 and 100, `E(1 if c else -1)` -1 and 2.

    None of a measure that is no such rate.
    """
    return _affine(
        term,
        lambda item: _of_condition(item.body) if isinstance(item, t.Expectation) and item.quantile is None else None,
    )


def _of_condition(term: t.Term) -> Rate | None:
    """The same of a number of one example, and a condition on it."""
    if term.type.kind == "bool" and not isinstance(term, t.Literal):
        return 0.0, 1.0
    if (
        isinstance(term, t.Operate)
        and term.operation == "multiply"
        and all(one.type.kind == "bool" for one in term.arguments)
    ):
        return 0.0, 1.0
    if isinstance(term, t.Operate) and term.operation == "select" and all(map(_is_number, term.arguments[1:])):
        holds, otherwise = (float(one.value) for one in term.arguments[1:])  # type: ignore[attr-defined]
        return otherwise, holds - otherwise
    return None


def _affine(term: t.Term, leaf: Callable[[t.Term], Rate | None]) -> Rate | None:
    """A term as offset + scale · rate, where it is made of that and numbers alone."""
    while isinstance(term, t.Invoke):
        term = term.body
    if (found := leaf(term)) is not None:
        return found if found[1] else None
    if isinstance(term, t.Expectation):
        return _affine(term.body, _of_condition) if term.quantile is None and term.where is None else None
    if not isinstance(term, t.Operate) or term.operation not in ("add", "subtract", "multiply", "divide", "negative"):
        return None
    sides = [(float(one.value), 0.0) if _is_number(one) else _affine(one, leaf) for one in term.arguments]  # type: ignore[attr-defined]
    if any(one is None for one in sides) or sum(map(_is_number, term.arguments)) < len(sides) - 1:
        return None
    (offset, scale), *others = [one for one in sides if one is not None]
    for more, times in others:
        if term.operation in ("add", "subtract"):
            sign = 1 if term.operation == "add" else -1
            offset, scale = offset + sign * more, scale + sign * times
        elif term.operation == "multiply":
            offset, scale = offset * more, scale * more + offset * times
        else:
            if times or not more:
                return None
            offset, scale = offset / more, scale / more
    if term.operation == "negative":
        offset, scale = -offset, -scale
    return (offset, scale) if scale else None


def _is_number(term: t.Term) -> bool:
    """Whether a term is one number, and the same at all points that are looked at."""
    return isinstance(term, t.Literal) and not term.type.shape and isinstance(term.value, np.ndarray)


def _bounds(term: t.Term, known: Known) -> Bounds:
    return (0.0, 1.0) if term.type.kind == "bool" and not isinstance(term, t.Literal) else _FEW.of(term)(term, known)


def joined(bounds: Iterable[Bounds]) -> Bounds:
    """The bounds of what has one of some bounds; None where one of them is not known."""
    lows, highs = [], []
    for one in bounds:
        if one is None:
            return None
        lows.append(one[0])
        highs.append(one[1])
    return min(lows), max(highs)


def at_corners(row: Operation, ranges: Sequence[Sequence[float]]) -> Bounds:
    """The bounds of an operation that is extreme where each argument is one of some numbers; None where it is not finite there."""
    with np.errstate(all="ignore"):
        ends = [float(row.numpy(*corner)) for corner in product(*ranges)]
    return (min(ends), max(ends)) if np.isfinite(ends).all() else None


@_FEW.case(t.Literal)
def _literal(term: t.Literal, known: Known) -> Bounds:
    return (float(np.min(term.value)), float(np.max(term.value))) if np.isin(term.value, (-1, 0, 1)).all() else None


@_FEW.case(t.Reference)
def _name(term: t.Reference, known: Known) -> Bounds:
    return _bounds(known[term.name], known) if term.name in known else None


@_FEW.case(t.Parameter)
def _argument(term: t.Parameter, known: Known) -> Bounds:
    return _bounds(known[term.key], known) if term.key in known else None


@_FEW.case(t.Invoke, t.Comprehend)
def _body(term: t.Invoke | t.Comprehend, known: Known) -> Bounds:
    return _bounds(term.body, known)


@_FEW.case(t.Stop)
def _stop(term: t.Stop, known: Known) -> Bounds:
    return _bounds(term.operand, known)


@_FEW.case(t.Gather, t.Cut)
def _entries(term: t.Gather | t.Cut, known: Known) -> Bounds:
    return _bounds(term.array, known)


@_FEW.case(t.Stack)
def _stack(term: t.Stack, known: Known) -> Bounds:
    return joined(_bounds(item, known) for item in term.items)


@_FEW.case(t.Operate)
def _operate(term: t.Operate, known: Known) -> Bounds:
    row = OPERATIONS[term.operation]
    if row.name == "select":
        return joined(_bounds(item, known) for item in term.arguments[1:])
    if row.name == "sign":
        return -1.0, 1.0
    if row.name in ("mean", "min", "max", "sum"):
        (given,) = term.arguments
        bounds = _bounds(given, known)
        many = prod(given.type.shape) // max(1, prod(term.type.shape)) if row.name == "sum" else 1
        return None if bounds is None else (min(bounds[0] * many, bounds[0]), max(bounds[1] * many, bounds[1]))
    if not row.monotone and row.monotone_beside_0 is None:
        return None
    found = [_bounds(item, known) for item in term.arguments]
    ranges: list[Sequence[float]] = [one for one in found if one is not None]
    if len(ranges) < len(found) or not row.elementwise:
        return None
    if (beside := row.monotone_beside_0) is not None and ranges[beside][0] < 0 < ranges[beside][1]:
        ranges[beside] = (*ranges[beside], 0.0)
    return at_corners(row, ranges)


@_FEW.case(
    t.SweptConstant, t.IndexVariable, t.Scan, t.Sample, t.NetworkOutput, t.Weight, t.AllWeights, t.Expectation, t.Gradient, *t.DERIVED,
    t.GradientStatistic, t.SamplingFloor, t.LeftOut, t.StepNumber, t.FileValue, t.Recalled,
    t.WithWeights,
)  # fmt: skip
def _many(term: t.Term, known: Known) -> Bounds:
    return None
