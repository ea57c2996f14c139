"""The value of a term in NumPy: constants before anything runs, and the oracle of what is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..diagnostics.problems import InternalError
from ..ir import terms as t
from ..ir.axes import Axes, spread, union
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
        shape = spread(value.axes, axes, value.array.shape, event, deepest - event if elementwise else 0)
        arrays.append(np.reshape(value.array, shape))
    return arrays, axes


def apply(name: str, arrays: list[Any], static: Mapping[str, Any]) -> Array:
    """An operation of the table on arrays that agree; a bool counts as an int where a number is asked for."""
    row = OPERATIONS[name]
    patterns = [argument for argument in row.arguments if not argument.static]
    patterns += [patterns[-1]] * (len(arrays) - len(patterns)) if patterns else []
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


STEP = "@step"
"""What an environment calls the number of the update."""


def evaluate(term: t.Term, environment: Mapping[str, Value] | None = None) -> Array:
    """The value of a closed term, of the term's own shape; `environment` gives names and parameters their values."""
    value = _value(term, dict(environment or {}))
    if value.axes:
        raise InternalError(f"a value kept the axes {value.axes}")
    return as_kind(np.broadcast_to(value.array, term.type.shape), term.type.kind)


def evaluate_batched(term: t.Term, environment: Mapping[str, Value]) -> Value:
    """The value of a term with whatever axes the environment's values have."""
    return _value(term, dict(environment))


def _value(term: t.Term, names: dict[str, Value]) -> Value:
    match term:
        case t.Literal(value):
            return Value(value)
        case t.Reference(name=name) | t.Parameter(key=name):
            return names[name]
        case t.StepNumber():
            return names[STEP]
        case t.IndexVariable(key, extent):
            return Value(np.arange(extent), (key,))
        case t.Stop(operand):
            return _value(operand, names)
        case t.Invoke(parameters=parameters, arguments=arguments, body=body):
            given = {key: _value(argument, names) for key, argument in zip(parameters, arguments, strict=True)}
            found = _value(body, {**names, **given})
            return Value(as_kind(found.array, term.type.kind), found.axes)
        case t.Operate(name, arguments, static):
            values = [_value(argument, names) for argument in arguments]
            types = [argument.type for argument in arguments]
            arrays, axes = aligned(values, types, OPERATIONS[name].elementwise)
            return Value(as_kind(apply(name, arrays, static), term.type.kind), axes)
        case t.Stack(items):
            arrays, axes = aligned([_value(item, names) for item in items], [item.type for item in items], True)
            event = len(term.type.shape) - 1
            return Value(as_kind(np.stack(np.broadcast_arrays(*arrays), axis=-event - 1), term.type.kind), axes)
        case t.Cut(array, axis, first, last):
            whole = _value(array, names)
            place = len(whole.axes) + axis
            return Value(whole.array[(slice(None),) * place + (slice(first, last),)], whole.axes)
        case t.Gather(array, index, axis):
            return _gather(_value(array, names), _value(index, names), axis, len(index.type.shape))
        case t.Comprehend(indices, body):
            return _comprehend(_value(body, names), indices, len(body.type.shape))
    raise InternalError(f"NumPy has no value for {type(term).__name__}")


def _gather(array: Value, index: Value, axis: int, event: int) -> Value:
    axes = union([array.axes, index.axes])
    sizes = {axis: size for value in (array, index) for axis, size in zip(value.axes, value.array.shape, strict=False)}
    lead = tuple(sizes[axis] for axis in axes)
    source = array.array.reshape(spread(array.axes, axes, array.array.shape, array.array.ndim - len(array.axes)))
    source = np.broadcast_to(source, lead + source.shape[len(axes) :])
    source = np.moveaxis(source, len(axes) + axis, len(axes))
    places = np.reshape(index.array, spread(index.axes, axes, index.array.shape, event))
    places = np.clip(np.broadcast_to(places, lead + places.shape[len(axes) :]), 0, source.shape[len(axes)] - 1)
    grid = np.ix_(*(np.arange(size) for size in lead)) if lead else ()
    picked = source[(*(g.reshape(g.shape + (1,) * event) for g in grid), places)]
    order = list(range(len(axes) + event, len(axes) + event + axis))
    return Value(np.moveaxis(picked, order, range(len(axes), len(axes) + axis)), axes)


def _comprehend(value: Value, indices: tuple[t.IndexVariable, ...], event: int) -> Value:
    """The index axes come last among the named ones, so they become the first of the example's own."""
    own = tuple(index.key for index in indices)
    axes = tuple(axis for axis in value.axes if axis not in own)
    target = axes + own
    sizes = dict(zip(value.axes, value.array.shape, strict=False))
    shape = [sizes[axis] for axis in axes] + [index.extent for index in indices]
    array = np.reshape(value.array, spread(value.axes, target, value.array.shape, event))
    return Value(np.broadcast_to(array, (*shape, *array.shape[len(target) :])), axes)
