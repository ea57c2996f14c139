"""Numbers of an optimiser that differ from cell to cell: momenta, decays, what keeps a denominator from 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t

from .context import ProgramContext
from .seeds import constants_of

NOT_ZERO = 0.5
"""What Keras is told of such a number when an optimiser is built, to which it matters whether it is 0: none is."""


class SweptNumbers:
    """The numbers of one optimiser, by the names of its arguments, as variables [rows].

    Beside each is what it lacks of 1, made in double precision as Keras makes it of a number of Python: in float32, 1 - 0.999 is
    off by 1 in 60,000.
    """

    def __init__(self, places: Mapping[str, t.SweptConstant], context: ProgramContext) -> None:
        """`places` says which swept constant each number is."""
        self.places = places
        self.context = context
        self._held = {name: (_variable(context), _variable(context)) for name in places}

    def begin(self, draws: Mapping[str, Any]) -> None:
        """Sets them; `draws` has the swept constants, [cells], or one where there is one cell."""
        for name, (number, rest) in self._held.items():
            values = np.asarray(constants_of(draws)[self.places[name].place], np.float64)
            rows = np.repeat(np.atleast_1d(values), self.context.rows // max(1, values.size))
            number.assign(rows.astype(number.dtype.as_numpy_dtype))
            rest.assign((1 - rows).astype(number.dtype.as_numpy_dtype))

    def variables(self) -> list[Any]:
        """The variables that hold them."""
        return [variable for pair in self._held.values() for variable in pair]

    def met(self, weight: Any) -> dict[str, RowNumber]:
        """The numbers as they meet a weight [rows, …]: [rows, 1, …]."""
        shape = [-1, *[1] * (len(weight.shape) - 1)]
        return {
            name: RowNumber(*(tf.reshape(tf.convert_to_tensor(variable), shape) for variable in pair))
            for name, pair in self._held.items()
        }


class RowNumber:
    """A number of each row, in the place of one of Python: [rows, 1, …], never 0."""

    def __init__(self, number: Any, rest: Any) -> None:
        self.number = number
        self.rest = rest
        self.dtype = number.dtype.name
        self.shape = number.shape

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return self.number if dtype is None else tf.cast(self.number, dtype)

    def __rsub__(self, one: Any) -> Any:
        """1 - it."""
        return self.rest if isinstance(one, int | float) and one == 1 else one - self.number

    def __gt__(self, other: Any) -> bool:
        """Keras asks whether a momentum is above 0."""
        return True


def _variable(context: ProgramContext) -> Any:
    return tf.Variable(np.zeros(context.rows), trainable=False, dtype=context.dtype)
