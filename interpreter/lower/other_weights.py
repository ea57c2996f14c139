"""Values at other weights. Where these hang on indices of index notation, each of their values is taken by itself."""

from __future__ import annotations

from dataclasses import replace

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, union

from .lowering import TENSOR, Lowering, Value


@TENSOR.case(t.WithWeights)
def _with_weights(term: t.WithWeights, context: Lowering) -> Value:
    """The value in the context in which others stand for some weights."""
    weights = context(term.weights)
    indices = [axis for axis in weights.axes if axis not in (*context.rows, EXAMPLE)]
    if not indices:
        assert context.with_weights is not None
        return context.with_weights(context, term, weights)(term.operand)
    values = [_with_weights(term, _at(context, indices[0], place)) for place in range(context.length(indices[0]))]
    axes = union(value.axes for value in values)
    tensors = [context.expand_to_axes(value, axes, len(term.type.shape)) for value in values]
    return context.ordered(tf.stack(tensors), (indices[0], *axes), 0)


def _at(context: Lowering, index: str, place: int) -> Lowering:
    """The context at one value of an index around."""
    return replace(
        context,
        arguments={key: _taken(value, index, place) for key, value in context.arguments.items()},
        taken=tuple(_taken(value, index, place) for value in context.taken),
        chosen={**context.chosen, index: place},
    )


def _taken(value: Value, index: str, place: int) -> Value:
    """A value without one of its axes, at a place along that."""
    if index not in value.axes:
        return value
    axis = value.axes.index(index)
    return Value(tf.gather(value.tensor, place, axis=axis), tuple(one for one in value.axes if one != index))
