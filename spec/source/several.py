"""What stands for the numbers of several documents, or of several sweep points, that are alike but for these.

It tells what is the same in all of them. Whatever looks at the number of one raises `OnePointNeeded`, so that nothing is taken for
sound that is not sound in each.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np


class OnePointNeeded(Exception):
    """A check looks at the value of a swept constant: it is made at each sweep point by itself."""


class PointsDiffer(OnePointNeeded):
    """What a check asks is so at some points, and not at others: fewer of them may agree."""


class Several:
    """A value of each of some documents or points: none of them is to be had."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise OnePointNeeded

    if not TYPE_CHECKING:
        __array__ = __array_ufunc__ = __array_function__ = __getattr__ = _refuse
        __bool__ = __int__ = __float__ = __index__ = __len__ = __iter__ = __getitem__ = __contains__ = _refuse
        __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __neg__ = __abs__ = _refuse
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _refuse
        __repr__ = __str__ = __format__ = __hash__ = _refuse


class AllValues(Several):
    """The values of a constant at each of some sweep points, in their order: single numbers of one kind, or arrays of one shape."""

    __slots__ = ("ndim", "shape", "size", "values")

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self.values = values
        self.shape = values.shape[1:]
        self.ndim = values.ndim - 1
        self.size = prod(self.shape)

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    @property
    def nbytes(self) -> Any:
        return self.values.itemsize * self.size

    def min(self) -> Any:
        """The least at any point."""
        return self.values.min()

    def max(self) -> Any:
        """The largest at any point."""
        return self.values.max()


def all_equal(value: Any, number: float) -> bool:
    """Whether a value is a number, at all points where it stands for that of each. Raises PointsDiffer."""
    if not isinstance(value, AllValues):
        return bool(value == number)
    return at_all(value.values == number)


def at_all(answers: np.ndarray[Any, Any]) -> bool:
    """The answer that each of some points gives. Raises PointsDiffer where they give others."""
    if answers.any() and not answers.all():
        raise PointsDiffer
    return bool(answers.all())


class AllTexts(Several):
    """The texts of an expression in some documents: one syntax tree, in which numbers may be `AllValues`."""

    __slots__ = ("tree",)

    def __init__(self, tree: Any) -> None:
        self.tree = tree


def all_values(values: list[Any]) -> AllValues | None:
    """What stands for some values; None where they are not single numbers of one kind."""
    array = np.asarray(values) if len({type(value) for value in values}) == 1 else np.asarray(None)
    return AllValues(array) if array.dtype.kind in "bif" and array.ndim == 1 else None
