"""The value of a term in NumPy: constants before anything runs, and the oracle of what is compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..diagnostics.problems import InternalError
from ..ir import terms as t
from ..ir.axes import Axes, expanded_shape, union
from ..ir.term_pass import TermPass
from ..ir.types import Type
from ..tables.operations import OPERATIONS

DTYPES = {"bool": np.bool_, "int": np.int64, "real": np.float64}

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """An array and the named axes that lead it."""

    array: Array
    axes: Axes = ()


def as_kind(array: Any, kind: str) -> Array:
    """An array with the NumPy type of a kind."""
    return np.asarray(array).astype(DTYPES[kind], copy=False)


def aligned(values: list[Value], types: list[Type], elementwise: bool) -> tuple[list[Array], Axes]:
    """Arrays whose leading axes agree; elementwise ones are padded so that the examples' shapes broadcast."""
    axes = union(value.axes for value in values)
    deepest = max((len(given.shape) for given in types), default=0)
    arrays = []
    for value, given in zip(values, types, strict=True):
        event = len(given.shape)
        shape = expanded_shape(value.axes, axes, value.array.shape, event, deepest - event if elementwise else 0)
        arrays.append(np.reshape(value.array, shape))
    return arrays, axes


def apply(name: str, arrays: list[Any], static: Mapping[str, Any]) -> Array:
    """An operation of the table on arrays that agree; a bool counts as an int where a number is asked for."""
    row = OPERATIONS[name]
    patterns = row.values_given(len(arrays))
    wanted = {"number": "int", "real": "real"}
    given = [
        as_kind(array, wanted[pattern.kind])
        if pattern.kind in wanted and np.asarray(array).dtype.kind == "b"
        else array
        for array, pattern in zip(arrays, patterns, strict=False)
    ]
    if name == "power" and np.any(np.less(given[1], 0)):
        given = [as_kind(array, "real") for array in given]
    with np.errstate(all="ignore"):
        return np.asarray(row.numpy(*given, **static))


def counter_name(counter: str) -> str:
    """What an environment calls a counter."""
    return f"@{counter}"


def evaluate(term: t.Term, environment: Mapping[str, Value] | None = None) -> Array:
    """The value of a closed term, of the term's own shape; `environment` gives names and parameters their values."""
    value = _value(term, environment or {})
    if value.axes:
        raise InternalError(f"a value kept the axes {value.axes}")
    return as_kind(np.broadcast_to(value.array, term.type.shape), term.type.kind)


def evaluate_batched(term: t.Term, environment: Mapping[str, Value]) -> Value:
    """The value of a term with whatever axes the environment's values have."""
    return _value(term, environment)


Names = Mapping[str, Value]
_VALUE: TermPass[[Names], Value] = TermPass("value in NumPy")


def _value(term: t.Term, names: Names) -> Value:
    return _VALUE.of(term)(term, names)


def _all(terms: Iterable[t.Term], names: Names) -> list[Value]:
    return list(map(partial(_value, names=names), terms))


@_VALUE.case(t.Literal)
def _literal(term: t.Literal, names: Names) -> Value:
    return Value(term.value)


_VALUE.exclude("it has no one value", t.SweptConstant, t.Recalled, t.WithWeights, t.FileValue)


@_VALUE.case(t.Reference)
def _reference(term: t.Reference, names: Names) -> Value:
    return names[term.name]


@_VALUE.case(t.Parameter)
def _parameter(term: t.Parameter, names: Names) -> Value:
    return names[term.key]


@_VALUE.case(t.StepNumber)
def _step_number(term: t.StepNumber, names: Names) -> Value:
    return names[counter_name(term.counter)]


@_VALUE.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable, names: Names) -> Value:
    return Value(np.arange(term.extent), (term.key,))


@_VALUE.case(t.Stop)
def _stop(term: t.Stop, names: Names) -> Value:
    return _value(term.operand, names)


@_VALUE.case(t.Invoke)
def _invoke(term: t.Invoke, names: Names) -> Value:
    arguments = zip(term.parameters, _all(term.arguments, names), strict=True)
    value = _value(term.body, {**names, **dict(arguments)})
    return Value(as_kind(value.array, term.type.kind), value.axes)


@_VALUE.case(t.Scan)
def _scan(term: t.Scan, names: Names) -> Value:
    kind, event = term.type.kind, len(term.start.type.shape)
    state, *items = _all(term.arguments, names)
    state = Value(as_kind(state.array, kind), state.axes)
    found = []
    for turn in range(term.steps):
        given = [state, *(Value(np.take(item.array, turn, axis=len(item.axes)), item.axes) for item in items)]
        made = _value(term.body, {**names, **dict(zip(term.parameters, given, strict=True))})
        state = Value(as_kind(made.array, kind), made.axes)
        if term.every:
            found.append(state)
    if not term.every:
        return state
    arrays, axes = aligned(found, [term.start.type] * term.steps, False)
    return Value(np.stack(np.broadcast_arrays(*arrays), axis=-event - 1), axes)


@_VALUE.case(t.Operate)
def _operate(term: t.Operate, names: Names) -> Value:
    values = _all(term.arguments, names)
    types = [argument.type for argument in term.arguments]
    arrays, axes = aligned(values, types, OPERATIONS[term.operation].elementwise)
    return Value(as_kind(apply(term.operation, arrays, term.static), term.type.kind), axes)


@_VALUE.case(t.Stack)
def _stack(term: t.Stack, names: Names) -> Value:
    arrays, axes = aligned(_all(term.items, names), [item.type for item in term.items], True)
    event = len(term.type.shape) - 1
    return Value(as_kind(np.stack(np.broadcast_arrays(*arrays), axis=-event - 1), term.type.kind), axes)


@_VALUE.case(t.Cut)
def _cut(term: t.Cut, names: Names) -> Value:
    value = _value(term.array, names)
    place = len(value.axes) + term.axis
    return Value(value.array[(slice(None),) * place + (slice(term.first, term.last),)], value.axes)


@_VALUE.case(t.Gather)
def _gather(term: t.Gather, names: Names) -> Value:
    return _gathered(_value(term.array, names), _value(term.index, names), term.axis, len(term.index.type.shape))


@_VALUE.case(t.Comprehend)
def _comprehend(term: t.Comprehend, names: Names) -> Value:
    return _comprehended(_value(term.body, names), term.indices, len(term.body.type.shape))


_VALUE.exclude("it is drawn in the program", t.Sample)
_VALUE.exclude(
    "it is made of weights, which the program has", t.NetworkOutput, t.Weight, t.AllWeights, t.Gradient, *t.DERIVATIVES
)
_VALUE.exclude(
    "it ranges over the program's examples", t.Expectation, t.BatchMean, t.GradientStatistic, t.SamplingFloor, t.LeftOut
)


def _gathered(array: Value, index: Value, axis: int, event: int) -> Value:
    axes = union([array.axes, index.axes])
    sizes = {axis: size for value in (array, index) for axis, size in zip(value.axes, value.array.shape, strict=False)}
    lead = tuple(sizes[axis] for axis in axes)
    source = array.array.reshape(
        expanded_shape(array.axes, axes, array.array.shape, array.array.ndim - len(array.axes))
    )
    source = np.broadcast_to(source, lead + source.shape[len(axes) :])
    source = np.moveaxis(source, len(axes) + axis, len(axes))
    places = np.reshape(index.array, expanded_shape(index.axes, axes, index.array.shape, event))
    places = np.clip(np.broadcast_to(places, lead + places.shape[len(axes) :]), 0, source.shape[len(axes)] - 1)
    grid = np.ix_(*(np.arange(size) for size in lead)) if lead else ()
    picked = source[(*(g.reshape(g.shape + (1,) * event) for g in grid), places)]
    order = list(range(len(axes) + event, len(axes) + event + axis))
    return Value(np.moveaxis(picked, order, range(len(axes), len(axes) + axis)), axes)


def _comprehended(value: Value, indices: tuple[t.IndexVariable, ...], event: int) -> Value:
    """The index axes come last among the named ones, so they become the first of the example's own."""
    own = tuple(index.key for index in indices)
    axes = tuple(axis for axis in value.axes if axis not in own)
    target = axes + own
    sizes = dict(zip(value.axes, value.array.shape, strict=False))
    shape = [sizes[axis] for axis in axes] + [index.extent for index in indices]
    array = np.reshape(value.array, expanded_shape(value.axes, target, value.array.shape, event))
    return Value(np.broadcast_to(array, (*shape, *array.shape[len(target) :])), axes)
