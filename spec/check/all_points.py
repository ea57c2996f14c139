"""Swept constants at all sweep points at once: what looks at no single value of one is checked once for all points.

A literal may hold `AllValues` in place of an array. It tells what is the same at every point, and its least and largest
value; operations on single numbers are computed for all points together. A size of an array may be `AllSizes`: it is compared
and calculated with, and what comes of a comparison is the same at all points. Whatever else looks at one of them raises
`OnePointNeeded`, and is then checked at each point by itself. So nothing is taken for sound that is not sound at each.
Plans hold none: only a validation, which makes no use of terms, is checked like this.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ..diagnostics.problems import Span, StudyError
from ..ir import terms as t
from ..ir.types import Type
from ..passes.evaluate import as_kind
from ..source.several import AllValues, OnePointNeeded, PointsDiffer, Several, all_values, at_all

KINDS = {"b": "bool", "i": "int", "f": "real"}


class AllSizes(Several):
    """A size at each of some sweep points, not the same at all of them."""

    __slots__ = ("values",)

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self.values = values

    def _compared(self, other: Any, how: Callable[[Any, Any], Any]) -> bool:
        """The answer that a comparison has at all points. Raises PointsDiffer."""
        return at_all(how(self.values, other.values if isinstance(other, AllSizes) else other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NUMBERS) and self._compared(other, operator.eq)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, operator.ge)

    def __bool__(self) -> bool:
        return self._compared(0, operator.ne)

    def __hash__(self) -> int:
        return hash(self.values.tobytes())

    def at_each(self, make: Callable[[int], Any]) -> AtEach:
        """What is made of each of the sizes. Raises PointsDiffer where anything is wrong with one of them."""
        try:
            return AtEach(tuple(make(size) for size in self.values.tolist()))
        except StudyError:
            raise PointsDiffer from None

    def __add__(self, other: Any) -> Any:
        return _calculated(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _calculated(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _calculated(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _calculated(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return _calculated(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _calculated(operator.mul, other, self)

    def __neg__(self) -> Any:
        return _calculated(operator.sub, 0, self)


class AtEach(Several):
    """Something at each of some sweep points."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values


NUMBERS = (AllSizes, int, float, np.number)
EXACT = 2**62
"""Below this a product of sizes at all points is exact."""


def _calculated(how: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    """A sum, a difference or a product at all points. Raises OnePointNeeded where it may not be exact."""
    values = [number.values if isinstance(number, AllSizes) else number for number in (one, other)]
    most = [float(np.abs(value).max()) for value in values] if all(isinstance(v, NUMBERS) for v in (one, other)) else []
    if not most or max(*most, most[0] * most[1]) > EXACT:
        raise OnePointNeeded
    return _size(how(*values))


def _size(values: np.ndarray[Any, Any]) -> Any:
    """What stands for a size at all points: a number where it is the same at each."""
    return values[0].item() if (values == values[0]).all() else AllSizes(values)


def sizes(value: AllValues, most: int) -> tuple[Any, ...]:
    """The sizes that a constant stands for, whose entries are ints: from 1 up to a limit. Raises OnePointNeeded."""
    if value.dtype.kind != "i" or value.ndim > 1:
        raise OnePointNeeded
    if not 1 <= value.min() <= value.max() <= most:
        raise PointsDiffer
    return tuple(map(_size, value.values.reshape(len(value.values), -1).T))


def length(size: Any, span: Span) -> t.Literal:
    """A size as a constant."""
    value: Any = AllValues(size.values) if isinstance(size, AllSizes) else np.asarray(size)
    return t.Literal(value, type=Type("int"), span=span)


def stacked(values: Sequence[Any], kind: str) -> np.ndarray[Any, Any]:
    """Single numbers as one array, some of which vary along the points. Raises OnePointNeeded for arrays of arrays."""
    if any(value.shape for value in values):
        raise OnePointNeeded
    columns = np.broadcast_arrays(*(value.values if varies(value) else value for value in values))
    array: Any = AllValues(as_kind(np.stack(columns, axis=1), kind))
    return array  # type: ignore[no-any-return]


Points = Mapping[str, t.Literal | None]
"""Of each constant that varies along the points what stands for it at all of them; None where that cannot be told."""


def standing_for(points: Points, name: str, term: t.Term) -> t.Term:
    """What stands for a constant at all points: its own term where it does not vary. Raises OnePointNeeded."""
    if name not in points:
        return term
    literal = points[name]
    if literal is None:
        raise OnePointNeeded
    return literal


def number(points: Points, name: str, numbered: Callable[[Hashable], int]) -> int | None:
    """A number for the values of a constant at all points, the same for the same ones; None for one that does not vary."""
    if name not in points:
        return None
    literal = points[name]
    values = literal.value.values if literal is not None else None  # type: ignore[attr-defined]
    return numbered(("values at all points", values if values is None else (values.dtype.str, values.tobytes())))


def literal(values: Sequence[Any]) -> t.Literal | None:
    """What stands for a swept constant that has some values; None where they are not single numbers of one kind."""
    found = all_values(list(values))
    return holding(found.values, KINDS[found.dtype.kind]) if found is not None else None


def holding(values: np.ndarray[Any, Any], kind: str, term: t.Term | None = None) -> t.Literal:
    """A literal that holds a number of a kind for each point, where a term stands."""
    array: Any = AllValues(as_kind(values, kind))
    return t.Literal(array, type=Type(kind, array.shape), span=term.span if term is not None else None)


def varies(value: Any) -> bool:
    """Whether a literal's value is that of all points."""
    return isinstance(value, AllValues)


def at_points(value: Any) -> Sequence[Any]:
    """What a literal holds at each point; one that does not vary once."""
    return list(value.values) if varies(value) else [value]


__all__ = ["AllSizes", "AllValues", "OnePointNeeded", "PointsDiffer"]
