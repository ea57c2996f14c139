"""Weights as values: several as one vector, and as constraints by functions keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf
from dlspec.spec.ir.axes import Axes
from dlspec.spec.ir.plan import WeightFunction

from ..lower import Lowering, Value
from .copies import COPIES


def joined(values: Sequence[Value]) -> Value:
    """Several weights with the same leading axes as one vector."""
    axes = values[0].axes
    flat = [tf.reshape(value.tensor, [*value.tensor.shape[: len(axes)], -1]) for value in values]
    return Value(tf.concat(flat, axis=-1), axes)


def kept_by(function: WeightFunction, weight: Any, lowering: Lowering, copies: int | None = None) -> Any:
    """A weight [rows, …], or [rows, copies, …] of each copy by itself, as its constraint keeps it after the update of a context."""
    inside = replace(lowering.outermost(), step=lowering.update)
    if lowering.dtype != weight.dtype:  # that of a measure over its means, where all is in float64
        values = {
            name: Value(_narrow(value.tensor, weight.dtype), value.axes) for name, value in lowering.values.items()
        }
        inside = replace(inside, dtype=weight.dtype, values=values)
    axes: Axes = ()
    if copies is not None:
        axes, inside = (COPIES,), replace(inside, sizes={**inside.sizes, COPIES: copies})
    value = inside.bound({function.parameter: lowering.of_rows(weight, axes)})(function.body)
    value = Value(inside.cast(value.tensor, "real"), value.axes)
    return inside.to_rows(value, axes, weight.shape.rank - 1 - len(axes))


def _narrow(tensor: Any, real: Any) -> Any:
    """What was widened, as it was."""
    return tf.cast(tensor, real) if tensor.dtype.is_floating else tensor
