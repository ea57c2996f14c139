"""Swept constants at all sweep points at once: what looks at no single value of one is checked once for all points.

A literal may hold `AllValues` in place of an array. It tells what is the same at every point, and its least and largest
value; operations on single numbers are computed for all points together. Whatever else looks at it raises
`OnePointNeeded`, and is then checked at each point by itself. So nothing is taken for sound that is not sound at each.
Plans hold none: only a validation, which makes no use of terms, is checked like this.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from ..ir import terms as t
from ..ir.types import Type
from ..passes.evaluate import as_kind


class OnePointNeeded(Exception):
    """A check looks at the value of a swept constant: it is made at each sweep point by itself."""


class AllValues:
    """The values of a constant that is a single number at each of some sweep points, in their order: of one kind."""

    __slots__ = ("values",)
    shape = ()
    ndim = 0
    size = 1

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self.values = values

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        return self.values.itemsize

    def min(self) -> Any:
        """The least at any point."""
        return self.values.min()

    def max(self) -> Any:
        """The largest at any point."""
        return self.values.max()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise OnePointNeeded

    __array__ = __array_ufunc__ = __array_function__ = __getattr__ = _refuse
    __bool__ = __int__ = __float__ = __index__ = __len__ = __iter__ = __getitem__ = __contains__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __neg__ = __abs__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _refuse
    __repr__ = __str__ = __format__ = __hash__ = _refuse


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
    array = np.asarray(values) if len({type(value) for value in values}) == 1 else np.asarray(None)
    kind = {"b": "bool", "i": "int", "f": "real"}.get(array.dtype.kind)
    return holding(array, kind) if kind is not None and array.ndim == 1 else None


def holding(values: np.ndarray[Any, Any], kind: str, term: t.Term | None = None) -> t.Literal:
    """A literal that holds a number of a kind for each point, where a term stands."""
    array: Any = AllValues(as_kind(values, kind))
    return t.Literal(array, type=Type(kind), span=term.span if term is not None else None)


def varies(value: Any) -> bool:
    """Whether a literal's value is that of all points."""
    return isinstance(value, AllValues)
