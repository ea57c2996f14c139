"""Derivatives of one example's values by a name, a function's parameter, a layer's output or weights: gradients, Jacobians, and products with a vector.

No example's value hangs on another's, so one backward pass of their sum gives the gradients of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE, Axes, entries_axis, is_of_entries, union
from dlspec.spec.ir.bodies import free_indices, free_parameters
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.jacobians import is_written_out
from dlspec.spec.passes.program_roots import before_weights
from dlspec.spec.passes.reached_examples import names_of

from ..lower import Lowering, Value
from ..networks.network import Network
from ..networks.weight_values import joined

Networks = Mapping[str, Network]


@dataclass(frozen=True)
class Subject:
    """What a derivative is taken with respect to, in a context: tensors [rows, B, …], one for a name or a layer, one for each of several weights.

    `shown` makes the context in which given tensors stand for them; `joined` one value of tensors of their shapes, [rows, B, …].
    """

    tensors: list[Any]
    shown: Callable[[Sequence[Any]], Lowering]
    joined: Callable[[Sequence[Any]], Any]
    split: Callable[[Any], list[Any]]


def derivative(
    program: Program, networks: Networks, lowering: Lowering, term: t.ValueGradient | t.Directional
) -> Value:
    """Each example's derivative. The example's other names have their values; networks and outputs are made anew from the subject.

    It is taken once, wherever it stands; where it hangs on parameters of functions around it, on a loop's state for one, at each place by itself.
    """
    parameters = free_parameters(term)
    place = f"derivative {id(term)}"
    if place in lowering.values and not parameters:
        return lowering.values[place]
    outer = replace(lowering, taken=()) if parameters else lowering.outermost()
    for name in names_of(program, term.of, "example"):
        outer(t.Reference(name, "example", type=outer.bindings[name].type))
    axes = (*outer.rows, EXAMPLE, *(axis for axis in outer.sizes if is_of_entries(axis)))
    along = tuple(index.key for index in free_indices(term))
    axes = union([axes, along, *(outer.arguments[key].axes for key in parameters)])
    if isinstance(term, t.Directional):
        value = _along(_subject(program, networks, outer, term.by, axes), outer, term, axes)
    elif is_written_out(program, term, outer.training is not None):
        value = _one_by_one(_subject(program, networks, outer, term.by, axes), term, axes)
    else:
        value = _side_by_side(program, networks, outer, term, axes)
    if not parameters:
        lowering.values[place] = value
    return value


def mean_gradient(program: Program, networks: Networks, lowering: Lowering, term: t.ValueGradient) -> Value:
    """The mean over the examples of their gradients by weights, from one backward pass that does not tell them apart."""
    assert isinstance(term.by, t.Weight | t.AllWeights)
    outer = lowering.outermost()
    network = networks[term.by.network]
    places = network.places(term.by)
    tensors = [tf.identity(network.value(place, outer).tensor) for place in places]
    axes = (*outer.rows, EXAMPLE)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        inner = _standing_in(program, outer, term.by.network, places, tensors, (REPLICATE,))
        total = tf.reduce_sum(_value(inner, term.of, axes))
    slopes = [g / outer.sizes[EXAMPLE] for g in tape.gradient(total, tensors, unconnected_gradients="zero")]
    return outer.of_rows(
        slopes[0] if isinstance(term.by, t.Weight) else joined([Value(g, (REPLICATE,)) for g in slopes]).tensor
    )


def _one_by_one(subject: Subject, term: t.ValueGradient, axes: Axes) -> Value:
    """A gradient, or a Jacobian of a backward pass for each entry of the value."""
    shape, count = term.of.type.shape, prod(term.of.type.shape)
    tensors = [tf.identity(tensor) for tensor in subject.tensors]
    with tf.GradientTape(watch_accessed_variables=False, persistent=count > 1) as tape:
        tape.watch(tensors)
        value = _value(subject.shown(tensors), term.of, axes)
        entries = tf.unstack(tf.reshape(value, [*value.shape[: len(axes)], count]), axis=-1) if shape else [value]
        totals = [tf.reduce_sum(entry) for entry in entries]
    gradients = [subject.joined(tape.gradient(total, tensors, unconnected_gradients="zero")) for total in totals]
    if not shape:
        return Value(gradients[0], axes)
    stacked = tf.stack(gradients, axis=len(axes))
    return Value(tf.reshape(stacked, [*stacked.shape[: len(axes)], *term.type.shape]), axes)


def _side_by_side(program: Program, networks: Networks, outer: Lowering, term: t.ValueGradient, axes: Axes) -> Value:
    """A Jacobian of one backward pass: each entry of the value is made of a copy of the name, all along an axis of their own."""
    count = prod(term.of.type.shape)
    own = entries_axis(sum(map(is_of_entries, outer.sizes)))
    outer = replace(outer, sizes={**outer.sizes, own: count})
    wide = (*axes, own)
    (tensor,) = _subject(program, networks, outer, term.by, wide).tensors
    tensor = tf.identity(tensor)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensor)
        value = _value(_subject(program, networks, outer, term.by, wide).shown([tensor]), term.of, wide)
        each = tf.linalg.diag_part(tf.reshape(value, [*value.shape[: len(axes)], count, count]))
        total = tf.reduce_sum(each)
    slopes = tape.gradient(total, tensor, unconnected_gradients="zero")
    return Value(tf.reshape(slopes, [*slopes.shape[: len(axes)], *term.type.shape]), axes)


def _along(subject: Subject, outer: Lowering, term: t.Directional, axes: Axes) -> Value:
    """A product with a direction. Of a gradient, its derivative is taken once more; of an array the backward pass is linear in the upstream
    gradient, and its derivative by that is the product."""
    event = len(term.by.type.shape)
    given = outer(term.along)
    wide = outer.broadcast_to_axes(Value(outer.cast(given.tensor, "real"), given.axes), axes, event)
    along = subject.split(wide)
    tensors = [tf.identity(tensor) for tensor in subject.tensors]
    if term.twice or not term.of.type.shape:
        with tf.GradientTape(watch_accessed_variables=False) as above:
            above.watch(tensors)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(tensors)
                total = tf.reduce_sum(_value(subject.shown(tensors), term.of, axes))
            slopes = tape.gradient(total, tensors, unconnected_gradients="zero")
            parts = [tf.multiply(slope, part) for slope, part in zip(slopes, along, strict=True)]
            if not term.twice:
                lead = len(axes)
                sums = [tf.reduce_sum(part, axis=list(range(lead, part.shape.rank))) for part in parts]
                return Value(tf.add_n(sums), axes)
            change = tf.add_n([tf.reduce_sum(part) for part in parts])
        return Value(subject.joined(above.gradient(change, tensors, unconnected_gradients="zero")), axes)
    with tf.GradientTape(watch_accessed_variables=False) as above:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors)
            value = _value(subject.shown(tensors), term.of, axes)
        upstream = tf.ones_like(value)
        above.watch(upstream)
        slopes = tape.gradient(value, tensors, output_gradients=upstream, unconnected_gradients="zero")
        change = tf.add_n([tf.reduce_sum(slope * part) for slope, part in zip(slopes, along, strict=True)])
    return Value(above.gradient(change, upstream, unconnected_gradients="zero"), axes)


def _value(lowering: Lowering, term: t.Term, axes: Axes) -> Any:
    """The value of a term for each example, [*axes, …]."""
    value = lowering(term)
    return lowering.broadcast_to_axes(
        Value(lowering.cast(value.tensor, "real"), value.axes), axes, len(term.type.shape)
    )


def _subject(program: Program, networks: Networks, outer: Lowering, by: t.By, axes: Axes) -> Subject:
    """What a derivative is taken with respect to; where the axes are more than the examples', the same along them."""
    if isinstance(by, t.Parameter):
        tensor, key = outer.broadcast_to_axes(outer(by), axes, len(by.type.shape)), by.key

        def bound(tensors: Sequence[Any]) -> Lowering:
            return outer.bound({key: Value(tensors[0], axes)})

        return Subject([tensor], bound, lambda tensors: tensors[0], lambda whole: [whole])
    if isinstance(by, t.Reference | t.NetworkOutput):
        value = outer(by)
        tensor = outer.broadcast_to_axes(value, axes, len(by.type.shape))
        held = before_weights(program)
        values = {name: value for name, value in outer.values.items() if name in held}

        def named(tensors: Sequence[Any]) -> Lowering:
            given = Value(tensors[0], axes)
            if isinstance(by, t.Reference):
                return replace(outer, values={**values, by.name: given})
            assert by.layer is not None
            return replace(outer, values=values, standing={**outer.standing, (by.network, by.layer): given})

        return Subject([tensor], named, lambda tensors: tensors[0], lambda whole: [whole])
    network, lead = networks[by.network], len(axes)
    places = network.places(by)
    tensors = []
    for place in places:
        weight = network.value(place, outer)
        own = outer.of_rows(weight.tensor, weight.axes[1:])
        tensors.append(outer.broadcast_to_axes(own, axes, own.tensor.shape.rank - len(own.axes)))
    shapes = [tensor.shape.as_list() for tensor in tensors]

    def weighted(given: Sequence[Any]) -> Lowering:
        rows = [
            tf.reshape(tensor, [prod(map(outer.length, outer.rows)), *tensor.shape[lead - 1 :]]) for tensor in given
        ]
        return _standing_in(program, outer, by.network, places, rows, (REPLICATE, EXAMPLE))

    def whole(given: Sequence[Any]) -> Any:
        return given[0] if isinstance(by, t.Weight) else joined([Value(tensor, axes) for tensor in given]).tensor

    def split(vector: Any) -> list[Any]:
        if isinstance(by, t.Weight):
            return [vector]
        parts = tf.split(vector, [prod(shape[lead:]) for shape in shapes], axis=-1)
        return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]

    return Subject(tensors, weighted, whole, split)


def _standing_in(
    program: Program, outer: Lowering, network: str, places: Sequence[tuple[str, str]], tensors: Sequence[Any], axes: Axes
) -> Lowering:  # fmt: skip
    """The context in which tensors stand for weights."""
    given = {(network, *place): Value(tensor, axes) for place, tensor in zip(places, tensors, strict=True)}
    held = before_weights(program)
    values = {name: value for name, value in outer.values.items() if name in held}
    return replace(outer, given={**outer.given, **given}, values=values)
