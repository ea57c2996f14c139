"""A function applied again and again, as a loop of the graph with as many turns as are known before: XLA and gradients need that.

What is the same in each turn (names, networks on their own input) is there before the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import Axes, union
from dlspec.spec.ir.bodies import made_once

from ..backend.jit_policy import MAX_UNROLLED_TURNS
from .lowering import TENSOR, Lowering, Value

UNROLLED = MAX_UNROLLED_TURNS


@TENSOR.case(t.Scan)
def _scan(term: t.Scan, context: Lowering) -> Value:
    for part in made_once(term.body):
        context(part)
    start, *items = (context(argument) for argument in term.arguments)
    event = len(term.start.type.shape)
    start = Value(context.cast(start.tensor, term.type.kind), start.axes)
    if term.steps <= UNROLLED:
        return _unrolled(term, context, start, items)
    axes = _axes(term, context, start, items)
    state = context.broadcast_to_axes(start, axes, event)

    def turn(before: Any, each: Sequence[Any]) -> Any:
        given = [Value(tensor, item.axes) for tensor, item in zip(each, items, strict=True)]
        after = context.broadcast_to_axes(_applied(term, context, [Value(before, axes), *given]), axes, event)
        after.set_shape(state.shape)
        return after

    # Along the first axis, as a loop takes its items.
    along = [_first(item.tensor, len(item.axes)) for item in items]
    if term.every:
        states = tf.scan(turn, along, initializer=state)
        return Value(_last(states, len(axes)), axes)
    _, last = tf.while_loop(
        lambda place, before: place < term.steps,
        lambda place, before: (place + 1, turn(before, ())),
        (tf.constant(0), state),
        maximum_iterations=term.steps,
    )
    return Value(last, axes)


def _unrolled(term: t.Scan, context: Lowering, state: Value, items: Sequence[Value]) -> Value:
    """The turns written out one after the other."""
    states = []
    for turn in range(term.steps):
        each = [Value(item.tensor[(*[slice(None)] * len(item.axes), turn)], item.axes) for item in items]
        state = _applied(term, context, [state, *each])
        states.append(state)
    if not term.every:
        return state
    axes = union(state.axes for state in states)
    event = len(term.start.type.shape)
    return Value(tf.stack([context.broadcast_to_axes(state, axes, event) for state in states], axis=len(axes)), axes)


def _applied(term: t.Scan, context: Lowering, given: Sequence[Value]) -> Value:
    """The function on a state, and on an item."""
    value = context.bound(dict(zip(term.parameters, given, strict=True)))(term.body)
    return Value(context.cast(value.tensor, term.type.kind), value.axes)


def _axes(term: t.Scan, context: Lowering, start: Value, items: Sequence[Value]) -> Axes:
    """What all states vary along: the first one, too. The function is applied once to see what it adds; nothing uses that."""
    first = [Value(item.tensor[(*[slice(None)] * len(item.axes), 0)], item.axes) for item in items]
    return union([start.axes, *(item.axes for item in items), _applied(term, context, [start, *first]).axes])


def _first(tensor: Any, place: int) -> Any:
    """A tensor with one of its axes first."""
    rest = [axis for axis in range(tensor.shape.rank) if axis != place]
    return tf.transpose(tensor, [place, *rest]) if place else tensor


def _last(tensor: Any, place: int) -> Any:
    """A tensor with its first axis after as many others."""
    if not place:
        return tensor
    return tf.transpose(tensor, [*range(1, place + 1), 0, *range(place + 1, tensor.shape.rank)])
