"""Terms to tensors: one function a class of terms."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import CELL, EXAMPLE, REPLICATE, Axes, union
from dlspec.spec.ir.data import Digits
from dlspec.spec.ir.plan import Mode
from dlspec.spec.passes.whole_quotients import divides_exactly, taken_together
from dlspec.spec.tables.distributions import DISTRIBUTIONS, words_needed
from dlspec.spec.tables.gradient_modes import mode_of
from dlspec.spec.tables.operations import OPERATIONS
from dlspec.spec.tables.stored_types import LEFT_OUT

from ..backend.vectors import lanes
from .backward_modes import with_backward_mode
from .branches import out_of_branch
from .elementwise import one_division
from .linear_algebra import dot_as_product
from .lowering import TENSOR, Lowering, Value
from .operations import LOWERINGS
from .reductions import exact_mean
from .samplers import STANDARD, sample
from .threefry import words


def constants(term: t.Term) -> np.ndarray[Any, Any]:
    """Which entries of a value are constants: bool, of its shape."""
    if isinstance(term, t.Stack):
        items = [np.broadcast_to(constants(item), term.type.shape[1:]) for item in term.items]
        return np.stack(items)
    return np.full(term.type.shape, isinstance(term, t.Literal | t.SweptConstant))


# -- names ---------------------------------------------------------------------------------------------------------------


@TENSOR.case(t.Literal)
def _literal(term: t.Literal, context: Lowering) -> Value:
    return Value(context.constant(term.value, term.type.kind))


@TENSOR.case(t.SweptConstant)
def _swept_constant(term: t.SweptConstant, context: Lowering) -> Value:
    value = context.constants[term.place]
    axes = context.rows[:1] if value.shape.rank > len(term.type.shape) else ()
    return Value(context.cast(value, term.type.kind), axes)


@TENSOR.case(t.Reference)
def _reference(term: t.Reference, context: Lowering) -> Value:
    if term.stage == "estimates" and context.estimate is not None:
        return context.estimate(term.name)
    if term.name not in context.values:
        inner = context.of_example() if term.stage == "example" else context.outermost()
        context.values[term.name] = inner(context.bindings[term.name])
    return context.values[term.name]


@TENSOR.case(t.Parameter)
def _parameter(term: t.Parameter, context: Lowering) -> Value:
    return context.arguments[term.key]


@TENSOR.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable, context: Lowering) -> Value:
    if (place := context.chosen.get(term.key)) is not None:
        return Value(tf.constant(place))
    return Value(tf.range(term.extent, dtype=tf.int32), (term.key,))


@TENSOR.case(t.StepNumber)
def _step_number(term: t.StepNumber, context: Lowering) -> Value:
    count = context.step if context.clock is None else context.clock(term.counter, context.step, context.update)
    return Value(context.cast(count, term.type.kind))


@TENSOR.case(t.FileValue)
def _file_value(term: t.FileValue, context: Lowering) -> Value:
    return Value(tf.gather(context.files[term.key], context.file_rows), (REPLICATE, EXAMPLE))


# -- operations and functions --------------------------------------------------------------------------------------------


@TENSOR.case(t.Operate)
def _operate(term: t.Operate, context: Lowering) -> Value:
    """An operation of the table: arguments of the kinds it wants, leading axes in agreement."""
    row = OPERATIONS[term.operation]
    patterns = [argument for argument in row.arguments if not argument.static]
    patterns += [patterns[-1]] * (len(term.arguments) - len(patterns)) if patterns else []
    number = term.type.kind if row.result.kind == "number" or term.operation == "power" else None
    if number is None:
        kinds = [arg.type.kind for arg, p in zip(term.arguments, patterns, strict=False) if p.kind == "number"]
        number = "real" if "real" in kinds else "int"
    number = "int" if number == "bool" else number
    values: list[Value] = []
    for argument, pattern in zip(term.arguments, patterns, strict=False):
        inner = context
        if term.operation == "select" and values:
            holds = values[0] if len(values) == 1 else Value(tf.logical_not(values[0].tensor), values[0].axes)
            inner = context.where(_anywhere(holds, len(term.arguments[0].type.shape)))
        value = inner(argument)
        values.append(
            Value(context.cast(value.tensor, number if pattern.kind == "number" else pattern.kind), value.axes)
        )
    events = [len(argument.type.shape) for argument in term.arguments]
    tensors, axes = context.aligned(values, events, row.elementwise)
    result = dot_as_product(*tensors) if term.operation == "dot" and context.on_cpu else None
    if divides_exactly(term):
        mean = term.operation == "mean"
        result = exact_mean(taken_together(term), *tensors, **term.static) if mean else one_division(*tensors)
    if result is None:
        more = {"fixed": tuple(map(constants, term.arguments))} if row.splits_ties else {}
        result = LOWERINGS[term.operation](*tensors, **term.static, **more)
    return Value(context.cast(result, term.type.kind), axes)


def _anywhere(holds: Value, event: int) -> Value:
    """Whether a condition holds for any entry of an example's value."""
    return Value(tf.reduce_any(holds.tensor, axis=list(range(-event, 0))), holds.axes) if event else holds


@TENSOR.case(t.Invoke)
def _invoke(term: t.Invoke, context: Lowering) -> Value:
    """A user's function, along the backward pass that its mode makes."""
    arguments = [context(argument) for argument in term.arguments]
    meanings = dict(zip(term.parameters, map(context.meaning, term.arguments), strict=True))
    inner = context.bound(dict(zip(term.parameters, arguments, strict=True)), meanings)
    value = inner(term.body)
    value = Value(context.cast(value.tensor, term.type.kind), value.axes)  # under a mode ints are real
    mode = context.modes.get(term.function)
    if mode is None:
        return value
    row = mode_of(context.modes, term.function)
    if term.surrogate is not None and row.takes_expression:
        return _carry(mode, inner(term.surrogate), value, len(term.type.shape), context)
    if term.carrier is not None and row.route == "carrier":
        return _carry(mode, arguments[term.carrier], value, len(term.type.shape), context)
    return Value(with_backward_mode(mode, value.tensor, context), value.axes)


def _carry(mode: Mode, carrier: Value, value: Value, event: int, context: Lowering) -> Value:
    """The value forwards, the carrier backwards."""
    axes = union([carrier.axes, value.axes])
    soft = context.broadcast_to_axes(Value(context.cast(carrier.tensor, "real"), carrier.axes), axes, event)
    hard = context.broadcast_to_axes(Value(context.cast(value.tensor, "real"), value.axes), axes, event)
    return Value(with_backward_mode(mode, hard, context, soft), axes)


@TENSOR.case(t.Recalled)
def _recalled(term: t.Recalled, context: Lowering) -> Value:
    """The value in the context of other weights; no gradient passes to what they are made of."""
    assert context.recall is not None
    value = context.recall(context, term)(term.operand)
    return Value(tf.stop_gradient(value.tensor), value.axes)


@TENSOR.case(*t.DERIVATIVES)
def _derivative(term: t.ValueGradient | t.Directional, context: Lowering) -> Value:
    assert context.derivative is not None
    return context.derivative(context, term)


@TENSOR.case(t.BatchMean)
def _batch_mean(term: t.BatchMean, context: Lowering) -> Value:
    assert context.batch_mean is not None
    return context.batch_mean(context, term)


@TENSOR.case(t.Stop)
def _stop(term: t.Stop, context: Lowering) -> Value:
    value = context(term.operand)
    return Value(tf.stop_gradient(value.tensor), value.axes)


# -- arrays --------------------------------------------------------------------------------------------------------------


@TENSOR.case(t.Comprehend)
def _comprehend(term: t.Comprehend, context: Lowering) -> Value:
    """The indices' axes come last among the named ones, so they are the example's first."""
    value = context.within(term.indices)(term.body)
    own = tuple(index.key for index in term.indices)
    axes = tuple(axis for axis in value.axes if axis not in own)
    tensor = context.expand_to_axes(value, (*axes, *own), len(term.body.type.shape))
    lengths = [index.extent for index in term.indices]
    shape = tensor.shape.as_list()
    if shape[len(axes) : len(axes) + len(own)] != lengths:
        tensor = tf.broadcast_to(tensor, shape[: len(axes)] + lengths + shape[len(axes) + len(own) :])
    return Value(tensor, axes)


@TENSOR.case(t.Stack)
def _stack(term: t.Stack, context: Lowering) -> Value:
    """Items under a new first axis."""
    values = [Value(context.cast(value.tensor, term.type.kind), value.axes) for value in map(context, term.items)]
    tensors, axes = context.aligned(values, [len(item.type.shape) for item in term.items], True)
    shape = tf.TensorShape([])
    for tensor in tensors:
        shape = tf.broadcast_static_shape(shape, tensor.shape)
    stacked = [tensor if tensor.shape == shape else tf.broadcast_to(tensor, shape) for tensor in tensors]
    return Value(tf.stack(stacked, axis=len(axes)), axes)


@TENSOR.case(t.Cut)
def _cut(term: t.Cut, context: Lowering) -> Value:
    value = context(term.array)
    rest = len(term.array.type.shape) - term.axis - 1
    return Value(value.tensor[(..., slice(term.first, term.last), *[slice(None)] * rest)], value.axes)


@TENSOR.case(t.Gather)
def _gather(term: t.Gather, context: Lowering) -> Value:
    index = term.index
    if (
        isinstance(index, t.IndexVariable)
        and index.key not in context.chosen
        and index.extent <= term.array.type.shape[term.axis]
    ):
        return _along(context(term.array), index, term.axis, context)
    return _gathered(context(term.array), context(index), term.axis, len(index.type.shape), context)


def _along(array: Value, index: t.IndexVariable, axis: int, context: Lowering) -> Value:
    """An array at an index that stays inside: one of its own axes, or the first part of it, named."""
    if index.key in array.axes:
        return _gathered(array, context(index), axis, 0, context)
    place = len(array.axes) + axis
    cut = [slice(None)] * place + [slice(0, index.extent)]
    complete = array.tensor.shape[place] == index.extent
    order = (*array.axes, *(f"+{place}" for place in range(axis)), index.key)
    return context.ordered(array.tensor if complete else array.tensor[tuple(cut)], order, axis)


def _gathered(array: Value, index: Value, axis: int, event: int, context: Lowering) -> Value:
    """An array at an index, clamped to the range."""
    size = array.tensor.shape[len(array.axes) + axis]
    places = tf.clip_by_value(context.cast(index.tensor, "int"), 0, size - 1)
    shared = [name for name in index.axes if name in array.axes]
    if not shared:
        picked = tf.gather(array.tensor, places, axis=len(array.axes) + axis)
        order = (*array.axes, *(f"+{place}" for place in range(axis)), *index.axes)
        return context.ordered(picked, order, axis)
    axes = union([array.axes, index.axes])
    common = tuple(axes[: max(axes.index(name) for name in array.axes) + 1])
    source = context.broadcast_to_axes(array, common, array.tensor.shape.rank - len(array.axes))
    places = context.broadcast_to_axes(Value(places, index.axes), union([common, index.axes]), event)
    picked = tf.gather(source, places, axis=len(common) + axis, batch_dims=len(common))
    rest = tuple(name for name in union([common, index.axes]) if name not in common)
    return context.ordered(picked, (*common, *(f"+{place}" for place in range(axis)), *rest), axis)


# -- samples -------------------------------------------------------------------------------------------------------------


@TENSOR.case(t.Sample)
def _sample(term: t.Sample, context: Lowering) -> Value:
    """One occurrence of a distribution, independent along all the indices around it."""
    assert context.keys is not None
    if (digits := next((one for one in context.enumerated if one.path == term.path), None)) is not None:
        return _enumerated(term, digits, context)
    row = DISTRIBUTIONS[term.distribution]
    around = context.indices
    extents = tuple(index.extent for index in around)
    each = words_needed(row, term.shape, term.sizes)
    copies = int(np.prod(extents, dtype=int))
    one_pass = context.fused and row.per_word == 1
    number = context.other if context.other is not None and term.path in context.otherwise else context.index
    bits = _made_apart(term, number, each * copies, context) if context.filled else None
    standard = bits is not None
    if bits is None:
        bits = words(context.keys(term), number, each * copies, one_pass=one_pass)
    bits = tf.reshape(bits, [*(context.length(axis) for axis in (REPLICATE, EXAMPLE)), *extents, each])
    axes: Axes = (REPLICATE, EXAMPLE, *(index.key for index in around))
    if EXAMPLE not in context.lead:
        bits, axes = tf.squeeze(bits, axis=1), (REPLICATE, *axes[2:])
    given = {name: context(parameter) for name, parameter in term.parameters.items()}
    if any(CELL in value.axes for value in given.values()):  # the same bits in each cell
        bits, axes = tf.expand_dims(bits, 0), (CELL, *axes)
    parameters = {}
    for name, parameter in term.parameters.items():
        value = given[name]
        vector = any(p.name == name and p.kind in ("vector", "matrix") for p in row.parameters)
        event = len(parameter.type.shape)
        pad = 0 if vector else len(term.shape) - event
        parameters[name] = context.expand_to_axes(
            Value(context.cast(value.tensor, "real"), value.axes), axes, event, pad
        )
    late = [
        name for name, parameter in term.parameters.items() if not isinstance(parameter, t.Literal | t.SweptConstant)
    ]
    tensor = sample(term.distribution, bits, term.shape, term.sizes, parameters, context.dtype, late, standard)
    return Value(context.cast(tensor, term.type.kind), axes)


MAX_PADDED = 90
"""From so many values an example on, those beyond the last whole vector are few beside the others."""


def _made_apart(term: t.Sample, number: Any, count: int, context: Lowering) -> Any:
    """What the family's standard member makes of a sample's words, [R, B, count], where the last vector would not be full; else nothing.

    XLA makes the values beyond the last whole vector one by one, and one takes nearly half as long as a vector: 20 take longer than
    32. So whole vectors are made, in a branch of their own, since XLA would make no more than is used. Of float64 they would have other last
    digits: a standard normal is a product with a constant there, which XLA joins with other constants.
    """
    padding = -count % lanes() if context.dtype == tf.float32 else 0
    if not padding or count >= MAX_PADDED or term.distribution not in STANDARD:
        return None
    standard, keys = STANDARD[term.distribution], context.keys
    assert keys is not None
    made = out_of_branch(context.step, lambda: standard(words(keys(term), number, count, True, padding), context.dtype))
    return made[..., :count]


def _enumerated(term: t.Sample, digits: Digits, context: Lowering) -> Value:
    """The values of a draw all of whose values are taken: digits of the examples' numbers, the lowest first, or of those of their rows."""
    number = context.file_rows
    axes: Axes = (REPLICATE, EXAMPLE)
    if number is None:
        number, axes = (context.index if context.index.shape.rank == 1 else context.index[0]), (EXAMPLE,)
    powers = [digits.stride * digits.count**place for place in range(int(np.prod(term.shape, dtype=int)))]
    each = number[..., tf.newaxis]
    if digits.count == 2 and digits.stride.bit_count() == 1:  # of bits no division is made
        places = tf.constant([power.bit_length() - 1 for power in powers], number.dtype)
        found = tf.bitwise.bitwise_and(tf.bitwise.right_shift(each, places), 1)
    else:
        found = each // tf.constant(powers, number.dtype) % digits.count
    found = tf.cast(found, tf.int32)
    if digits.values:
        found = tf.gather(tf.constant(digits.values, tf.int32), found)
    values = 1 - 2 * found if term.distribution == "rademacher" else found
    if EXAMPLE not in context.lead:
        return Value(tf.reshape(values, term.shape))
    return Value(tf.reshape(values, [*number.shape, *term.shape]), axes)


# -- what the program gives ----------------------------------------------------------------------------------------------


@TENSOR.case(t.NetworkOutput)
def _network_output(term: t.NetworkOutput, context: Lowering) -> Value:
    assert context.network is not None
    given = None if term.input is None else _where_taken(term.input, context)
    meaning = None if term.input is None else context.meaning(term.input)
    if term.layer is not None:
        assert context.layer is not None
        return context.layer(context, term.network, term.layer, given, meaning)
    return context.network(context, term.network, given, meaning)


def _where_taken(given: t.Term, context: Lowering) -> Value:
    """What a network is applied to: 0 where a `select` around it takes another branch.

    The gradient of a weight adds up over examples what went in times its upstream gradient, and one of 0 mends no input that is
    undefined.
    """
    value = context(given)
    for taken in context.taken if value.tensor.dtype.is_floating else ():
        axes, event = union([value.axes, taken.axes]), len(given.type.shape)
        inside = tf.reshape(mask := context.expand_to_axes(taken, axes, 0), [*mask.shape, *[1] * event])
        value = Value(
            tf.where(inside, context.expand_to_axes(value, axes, event), tf.zeros([], value.tensor.dtype)), axes
        )
    return value


@TENSOR.case(t.Weight, t.AllWeights)
def _weights(term: t.Weight | t.AllWeights, context: Lowering) -> Value:
    assert context.weight is not None
    return context.weight(context, term)


@TENSOR.case(t.LeftOut)
def _left_out(term: t.LeftOut, context: Lowering) -> Value:
    assert context.estimate is not None
    value = context.estimate(LEFT_OUT)
    return Value(tf.cast(value.tensor, context.dtype), value.axes)


@TENSOR.case(t.Expectation, t.GradientStatistic, t.SamplingFloor)
def _known(term: t.Term, context: Lowering) -> Value:
    assert context.expectation is not None
    value = context.expectation(term)
    return Value(tf.cast(value.tensor, context.dtype), value.axes)


@TENSOR.case(t.Gradient)
def _gradient(term: t.Gradient, context: Lowering) -> Value:
    assert context.gradient is not None
    return context.gradient(context, term)
