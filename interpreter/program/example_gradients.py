"""Gradients of one value by weights, over some examples: each example's own, or their sum; and contexts in which tensors stand for weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE

from ..lower import Lowering, Value
from ..networks.weight_values import joined
from .context import ProgramContext


def gradient(context: ProgramContext, lowering: Lowering, keys: Any, draws: dict[str, Any], term: t.Gradient) -> Value:
    """Each example's gradient: weights that differ from example to example, so that one backward pass tells them apart."""
    network = context.networks[term.weights.network]
    places = network.places(term.weights)
    own = {}
    for place in places:
        weight = network.value(place, lowering)
        own[place] = lowering.broadcast_to_axes(
            weight, (REPLICATE, EXAMPLE), weight.tensor.shape.rank - len(weight.axes)
        )
    found = _differentiated(context, lowering, keys, draws, term, own, (REPLICATE, EXAMPLE), None)
    return found[0] if isinstance(term.weights, t.Weight) else joined(found)


def full_gradient(
    context: ProgramContext, lowering: Lowering, keys: Any, draws: dict[str, Any], term: t.Gradient, inside: Any
) -> Any:
    """The sum of the gradients of the examples inside: [R, …]."""
    network = context.networks[term.weights.network]
    own = {place: network.value(place, lowering).tensor for place in network.places(term.weights)}
    found = _differentiated(context, lowering, keys, draws, term, own, (REPLICATE,), inside)
    return (found[0] if isinstance(term.weights, t.Weight) else joined(found)).tensor


def _differentiated(
    context: ProgramContext, lowering: Lowering, keys: Any, draws: dict[str, Any], term: t.Gradient,
    weights: dict[tuple[str, str], Any], axes: tuple[str, ...], inside: Any,
) -> list[Value]:  # fmt: skip
    """The gradient of a sum over examples with respect to tensors that stand for weights."""
    tensors = [tf.identity(tensor) for tensor in weights.values()]
    given = {
        (term.weights.network, *place): Value(tensor, axes) for place, tensor in zip(weights, tensors, strict=True)
    }
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        inner = standing_in(context, lowering, keys, draws, given)
        total = summed(inner, term.of, inside)
    found = tape.gradient(total, tensors, unconnected_gradients="zero")
    return [Value(tensor, axes) for tensor in found]


def standing_in(
    context: ProgramContext,
    lowering: Lowering,
    keys: Any,
    draws: dict[str, Any],
    given: dict[tuple[str, str, str], Value],
) -> Lowering:
    """A context for the same examples in which tensors stand for weights."""
    inner = context.lowering(
        keys, lowering.index, lowering.sizes[EXAMPLE], draws, step=lowering.step, given=given, other=lowering.other,
        training=lowering.training,
    )  # fmt: skip
    inner = replace(inner, bindings=lowering.bindings, file_rows=lowering.file_rows)
    made = [item.name for item in context.program.examples if item.name in lowering.values]
    inner.values.update({name: lowering.values[name] for name in made})
    return inner


def summed(lowering: Lowering, term: t.Term, inside: Any) -> Any:
    """The sum of one number an example over those inside and all replicates: []."""
    value = lowering(term)
    each = Value(lowering.cast(value.tensor, "real"), value.axes)
    wide = lowering.broadcast_to_axes(each, (REPLICATE, EXAMPLE), 0)
    return tf.reduce_sum(wide if inside is None else tf.where(inside, wide, tf.zeros([], wide.dtype)))
