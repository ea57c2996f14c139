"""Terms to tensors. A value is a tensor whose leading axes are named: replicates, examples, indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.diagnostics.problems import InternalError
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE, Axes, rank_of, union
from dlspec.spec.ir.plan import Mode
from dlspec.spec.tables.distributions import DISTRIBUTIONS, words_needed
from dlspec.spec.tables.operations import OPERATIONS

from .backward_modes import with_backward_mode
from .linear_algebra import dot_as_product
from .operations import LOWERINGS
from .samplers import sample
from .threefry import words

TIES = frozenset({"maximum", "minimum", "clip", "max", "min"})
"""The operations that ask which of their arguments are constants: these take no share of a gradient at a tie."""


def constants(term: t.Term) -> np.ndarray[Any, Any]:
    """Which entries of a value are constants: bool, of its shape."""
    if isinstance(term, t.Stack):
        items = [np.broadcast_to(constants(item), term.type.shape[1:]) for item in term.items]
        return np.stack(items)
    return np.full(term.type.shape, isinstance(term, t.Literal))


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor and the named axes that lead it."""

    tensor: Any
    axes: Axes = ()


@dataclass
class Training:
    """What the loss's context has besides: the keys of a layer's noise, which examples of the walk the batch holds.

    It gathers the moving averages that the step changes, and counts how often each layer drew.
    """

    noise: Callable[[str, str], Any]
    index: Any
    moving: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    turns: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass
class Lowering:
    """Terms of one program to tensors, in one context (a batch, an evaluation, a replicate's draws).

    `sizes` gives the axes' lengths; `bindings` the terms of names, computed once each; `draw` the keys of a sample and
    the numbers of the examples; `network` applies a network; `weight` gives a weight; `expectation` a mean, `gradient`
    one example's. `given` holds tensors that stand for weights (network, layer, weight); `enumerated` is the path of a
    sample whose values are all taken in turn; `alone` says that what is lowered becomes one loop, `on_cpu` that it runs on
    this machine's CPU. `taken` holds where the branches of the selects around are. `training` is set in the loss alone; `watch` sees what enters each layer that whitens.
    """

    dtype: Any
    sizes: Mapping[str, int]
    bindings: Mapping[str, t.Term]
    modes: Mapping[str, Mode]
    keys: Callable[[t.Sample], Any] | None = None
    index: Any = None
    lead: Axes = (REPLICATE, EXAMPLE)
    network: Callable[[str, Value | None], Value] | None = None
    weight: Callable[[t.Weight | t.AllWeights], Value] | None = None
    expectation: Callable[[t.Expectation], Value] | None = None
    gradient: Callable[[t.Gradient], Value] | None = None
    given: Mapping[tuple[str, str, str], Value] = field(default_factory=dict)
    enumerated: tuple[str, ...] = ()
    alone: bool = False
    on_cpu: bool = False
    step: Any = None
    training: Training | None = None
    watch: Callable[[tuple[str, str], Any], None] | None = None
    values: dict[str, Value] = field(default_factory=dict)
    indices: tuple[t.IndexVariable, ...] = ()
    taken: tuple[Value, ...] = ()

    def __call__(self, term: t.Term) -> Value:
        """The value of a term."""
        try:
            return self._lower(term)
        except Exception as error:
            if term.span is not None and not getattr(error, "__notes__", None):
                error.add_note(f"in {term.span}")
            raise

    def _lower(self, term: t.Term) -> Value:
        match term:
            case t.Literal(constant):
                return Value(self.constant(constant, term.type.kind))
            case t.Reference(name=name):
                if name not in self.values:
                    indices, taken = self.indices, self.taken
                    self.indices, self.taken = (), ()
                    self.values[name] = self(self.bindings[name])
                    self.indices, self.taken = indices, taken
                return self.values[name]
            case t.Parameter(key):
                return self.values[key]
            case t.IndexVariable(key, extent):
                return Value(tf.range(extent, dtype=tf.int32), (key,))
            case t.Operate():
                return self.operate(term)
            case t.Invoke():
                return self.invoke(term)
            case t.Comprehend(indices, body):
                outer = self.indices
                self.indices = (*outer, *indices)
                value = self(body)
                self.indices = outer
                return self.comprehended(value, indices, len(body.type.shape))
            case t.Gather(array, index, axis):
                if isinstance(index, t.IndexVariable) and index.extent <= array.type.shape[axis]:
                    return self.along(self(array), index, axis)
                return self.gather(self(array), self(index), axis, len(index.type.shape))
            case t.Cut(array, axis, first, last):
                value = self(array)
                rest = len(array.type.shape) - axis - 1
                return Value(value.tensor[(..., slice(first, last), *[slice(None)] * rest)], value.axes)
            case t.Stack(items):
                return self.stack(term, items)
            case t.Stop(operand):
                value = self(operand)
                return Value(tf.stop_gradient(value.tensor), value.axes)
            case t.Sample():
                return self.sample(term)
            case t.NetworkOutput(network, given):
                assert self.network is not None
                return self.network(network, None if given is None else self.where_taken(given))
            case t.Weight() | t.AllWeights():
                assert self.weight is not None
                return self.weight(term)
            case t.Expectation():
                assert self.expectation is not None
                value = self.expectation(term)
                return Value(tf.cast(value.tensor, self.dtype), value.axes)
            case t.Gradient():
                assert self.gradient is not None
                return self.gradient(term)
            case t.StepNumber():
                return Value(tf.cast(self.step, self.dtype))
        raise InternalError(f"no lowering for {type(term).__name__}")

    def constant(self, value: np.ndarray[Any, Any], kind: str) -> Any:
        """A literal as a tensor."""
        return tf.constant(value, {"bool": tf.bool, "int": tf.int32, "real": self.dtype}[kind])

    def cast(self, tensor: Any, kind: str) -> Any:
        """A tensor as a kind."""
        wanted = {"bool": tf.bool, "int": tf.int32, "real": self.dtype}[kind]
        return tensor if tensor.dtype == wanted else tf.cast(tensor, wanted)

    def operate(self, term: t.Operate) -> Value:
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
        kinds = []
        for argument, pattern in zip(term.arguments, patterns, strict=False):
            kind = number if pattern.kind == "number" else pattern.kind
            kinds.append(kind)
            outer = self.taken
            if term.operation == "select" and values:
                holds = values[0] if len(values) == 1 else Value(tf.logical_not(values[0].tensor), values[0].axes)
                self.taken = (*outer, self.anywhere(holds, len(term.arguments[0].type.shape)))
            value = self(argument)
            self.taken = outer
            values.append(Value(self.cast(value.tensor, kind), value.axes))
        events = [len(argument.type.shape) for argument in term.arguments]
        tensors, axes = self.aligned(values, events, row.elementwise)
        found = dot_as_product(*tensors) if term.operation == "dot" and self.on_cpu else None
        if found is None:
            more = {"fixed": tuple(map(constants, term.arguments))} if term.operation in TIES else {}
            found = LOWERINGS[term.operation](*tensors, **term.static, **more)
        return Value(self.cast(found, term.type.kind), axes)

    def anywhere(self, holds: Value, event: int) -> Value:
        """Whether a condition holds for any entry of an example's value."""
        return Value(tf.reduce_any(holds.tensor, axis=list(range(-event, 0))), holds.axes) if event else holds

    def where_taken(self, given: t.Term) -> Value:
        """What a network is applied to: 0 where a `select` around it takes another branch.

        The gradient of a weight adds up over examples what went in times its message, and a message of 0 mends no input that is
        undefined.
        """
        value = self(given)
        for taken in self.taken if value.tensor.dtype.is_floating else ():
            axes, event = union([value.axes, taken.axes]), len(given.type.shape)
            inside = tf.reshape(mask := self.spread(taken, axes, 0), [*mask.shape, *[1] * event])
            value = Value(tf.where(inside, self.spread(value, axes, event), tf.zeros([], value.tensor.dtype)), axes)
        return value

    def aligned(self, values: list[Value], events: list[int], elementwise: bool) -> tuple[list[Any], Axes]:
        """Tensors whose leading axes agree; elementwise ones are padded so that the examples' shapes broadcast."""
        axes = union(value.axes for value in values)
        deepest = max(events, default=0)
        return [
            self.spread(value, axes, event, deepest - event if elementwise else 0)
            for value, event in zip(values, events, strict=True)
        ], axes

    def spread(self, value: Value, axes: Axes, event: int, pad: int = 0) -> Any:
        """A tensor with the axes asked for, size 1 where it lacks one, and `pad` more before the example's own."""
        if value.axes == axes and not pad:
            return value.tensor
        tensor = value.tensor
        for place in range(pad):
            tensor = tf.expand_dims(tensor, axis=len(value.axes) + place)
        for place, axis in enumerate(axes):
            if axis not in value.axes:
                tensor = tf.expand_dims(tensor, axis=place)
        return tensor

    def whole(self, value: Value, axes: Axes, event: int) -> Any:
        """A tensor with the axes asked for at their full lengths."""
        tensor = self.spread(value, axes, event)
        lengths = [self.length(axis) for axis in axes]
        if [tensor.shape[place] for place in range(len(axes))] == lengths:
            return tensor
        return tf.broadcast_to(tensor, lengths + tensor.shape.as_list()[len(axes) :])

    def length(self, axis: str) -> int:
        """The length of an axis."""
        if axis in self.sizes:
            return self.sizes[axis]
        return next(index.extent for index in self.indices if index.key == axis)

    def comprehended(self, value: Value, indices: tuple[t.IndexVariable, ...], event: int) -> Value:
        """The indices' axes come last among the named ones, so they are the example's first."""
        own = tuple(index.key for index in indices)
        axes = tuple(axis for axis in value.axes if axis not in own)
        tensor = self.spread(value, (*axes, *own), event)
        lengths = [index.extent for index in indices]
        shape = tensor.shape.as_list()
        if shape[len(axes) : len(axes) + len(own)] != lengths:
            tensor = tf.broadcast_to(tensor, shape[: len(axes)] + lengths + shape[len(axes) + len(own) :])
        return Value(tensor, axes)

    def stack(self, term: t.Stack, items: tuple[t.Term, ...]) -> Value:
        """Items under a new first axis."""
        values = [Value(self.cast(value.tensor, term.type.kind), value.axes) for value in map(self, items)]
        tensors, axes = self.aligned(values, [len(item.type.shape) for item in items], True)
        shape = tf.TensorShape([])
        for tensor in tensors:
            shape = tf.broadcast_static_shape(shape, tensor.shape)
        spread = [tensor if tensor.shape == shape else tf.broadcast_to(tensor, shape) for tensor in tensors]
        return Value(tf.stack(spread, axis=len(axes)), axes)

    def along(self, array: Value, index: t.IndexVariable, axis: int) -> Value:
        """An array at an index that stays inside: one of its own axes, or the first part of it, named."""
        if index.key in array.axes:
            return self.gather(array, self(index), axis, 0)
        place = len(array.axes) + axis
        cut = [slice(None)] * place + [slice(0, index.extent)]
        whole = array.tensor.shape[place] == index.extent
        order = (*array.axes, *(f"+{place}" for place in range(axis)), index.key)
        return self.ordered(array.tensor if whole else array.tensor[tuple(cut)], order, axis)

    def gather(self, array: Value, index: Value, axis: int, event: int) -> Value:
        """An array at an index, clamped to the range."""
        size = array.tensor.shape[len(array.axes) + axis]
        places = tf.clip_by_value(self.cast(index.tensor, "int"), 0, size - 1)
        shared = [name for name in index.axes if name in array.axes]
        if not shared:
            picked = tf.gather(array.tensor, places, axis=len(array.axes) + axis)
            order = (*array.axes, *(f"+{place}" for place in range(axis)), *index.axes)
            return self.ordered(picked, order, axis)
        axes = union([array.axes, index.axes])
        common = tuple(axes[: max(axes.index(name) for name in array.axes) + 1])
        source = self.whole(array, common, array.tensor.shape.rank - len(array.axes))
        places = self.whole(Value(places, index.axes), union([common, index.axes]), event)
        picked = tf.gather(source, places, axis=len(common) + axis, batch_dims=len(common))
        rest = tuple(name for name in union([common, index.axes]) if name not in common)
        return self.ordered(picked, (*common, *(f"+{place}" for place in range(axis)), *rest), axis)

    def ordered(self, tensor: Any, order: tuple[str, ...], kept: int) -> Value:
        """Puts the named axes first, in their order; `+0`, `+1` … are the example's own axes that came between."""
        names = [name for name in order if not name.startswith("+")]
        axes = tuple(sorted(names, key=rank_of))
        wanted = [*axes, *(f"+{place}" for place in range(kept))]
        if list(order) != wanted:
            permutation = [order.index(name) for name in wanted]
            tensor = tf.transpose(tensor, permutation + list(range(len(order), tensor.shape.rank)))
        return Value(tensor, axes)

    def invoke(self, term: t.Invoke) -> Value:
        """A user's function, along the backward pass that its mode makes."""
        arguments = [self(argument) for argument in term.arguments]
        self.values.update(zip(term.parameters, arguments, strict=True))
        value = self(term.body)
        value = Value(self.cast(value.tensor, term.type.kind), value.axes)  # under a mode ints are real
        mode = self.modes.get(term.function)
        if mode is None:
            return value
        if term.surrogate is not None:
            return self.carry(mode, self(term.surrogate), value, len(term.type.shape))
        if term.carrier is not None:
            return self.carry(mode, arguments[term.carrier], value, len(term.type.shape))
        return Value(with_backward_mode(mode, value.tensor), value.axes)

    def carry(self, mode: Mode, carrier: Value, value: Value, event: int) -> Value:
        """The value forwards, the carrier backwards."""
        axes = union([carrier.axes, value.axes])
        soft = self.whole(Value(self.cast(carrier.tensor, "real"), carrier.axes), axes, event)
        hard = self.whole(Value(self.cast(value.tensor, "real"), value.axes), axes, event)
        return Value(with_backward_mode(mode, hard, soft), axes)

    def sample(self, term: t.Sample) -> Value:
        """One occurrence of a distribution, independent along all the indices around it."""
        assert self.keys is not None
        row = DISTRIBUTIONS[term.distribution]
        around = self.indices
        extents = tuple(index.extent for index in around)
        each = words_needed(row, term.shape, term.sizes)
        copies = int(np.prod(extents, dtype=int))
        if term.path == self.enumerated:
            return self.listed(term)
        bits = words(self.keys(term), self.index, each * copies, one_pass=self.alone and row.per_word == 1)
        bits = tf.reshape(bits, [*(self.length(axis) for axis in (REPLICATE, EXAMPLE)), *extents, each])
        axes: Axes = (REPLICATE, EXAMPLE, *(index.key for index in around))
        if EXAMPLE not in self.lead:
            bits, axes = tf.squeeze(bits, axis=1), (REPLICATE, *axes[2:])
        parameters = {}
        for name, parameter in term.parameters.items():
            value = self(parameter)
            vector = any(p.name == name and p.kind == "vector" for p in row.parameters)
            event = len(parameter.type.shape)
            pad = 0 if vector else len(term.shape) - event
            parameters[name] = self.spread(Value(self.cast(value.tensor, "real"), value.axes), axes, event, pad)
        late = [name for name, parameter in term.parameters.items() if not isinstance(parameter, t.Literal)]
        tensor = sample(term.distribution, bits, term.shape, term.sizes, parameters, self.dtype, late)
        return Value(self.cast(tensor, term.type.kind), axes)

    def listed(self, term: t.Sample) -> Value:
        """The values of an enumerated draw: the bits of the examples' numbers, the lowest first."""
        count = int(np.prod(term.shape, dtype=int))
        index = self.index if self.index.shape.rank == 1 else self.index[0]
        places = tf.range(count, dtype=tf.int64)
        bits = tf.cast(tf.bitwise.bitwise_and(tf.bitwise.right_shift(index[:, tf.newaxis], places), 1), tf.int32)
        values = 1 - 2 * bits if term.distribution == "rademacher" else bits
        if EXAMPLE not in self.lead:
            return Value(tf.reshape(values, term.shape))
        return Value(tf.reshape(values, [index.shape[0], *term.shape]), (EXAMPLE,))
