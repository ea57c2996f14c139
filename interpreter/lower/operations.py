"""The lowering of operations on arrays: tensors whose leading axes agree to a tensor; axes count from the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .derivatives import Lower, multiply, times
from .elementwise import undefined
from .reductions import MIN_FLOAT64_LENGTH, total
from .registry import LOWERINGS as LOWERINGS
from .registry import lowers
from .undefined_kept import is_nan, spread


def _constant(name: str) -> Lower:
    def lower(*arguments: Any, **static: Any) -> Any:
        raise TypeError(f"`{name}` is computed before anything runs")

    return lower


for _name in ("range", "linspace", "unique", "zeros", "ones", "eye"):
    lowers(_name)(_constant(_name))


@lowers("concat")
def _concat(*arrays: Any, rank: int) -> Any:
    lead = tf.shape(arrays[0])[: arrays[0].shape.rank - rank]
    for array in arrays[1:]:
        lead = tf.broadcast_dynamic_shape(lead, tf.shape(array)[: array.shape.rank - rank])
    spread = [
        tf.broadcast_to(array, tf.concat([lead, tf.shape(array)[array.shape.rank - rank :]], axis=0))
        for array in arrays
    ]
    return tf.concat(spread, axis=-rank)


@lowers("reverse")
def _reverse(x: Any, axis: int) -> Any:
    return tf.reverse(x, axis=[axis])


@lowers("roll")
def _roll(x: Any, by: int, axis: int) -> Any:
    return tf.roll(x, by, axis=axis)


def _along(x: Any, axis: int, first: int | None, last: int | None) -> Any:
    return x[(..., slice(first, last), *[slice(None)] * (-axis - 1))]


@lowers("diff")
def _diff(x: Any, axis: int) -> Any:
    return _along(x, axis, 1, None) - _along(x, axis, None, -1)


@lowers("cumsum")
def _cumsum(x: Any, axis: int) -> Any:
    if x.dtype == tf.float32 and (x.shape[axis] or 0) >= MIN_FLOAT64_LENGTH:
        return tf.cast(tf.cumsum(tf.cast(x, tf.float64), axis=axis), x.dtype)
    return tf.cumsum(x, axis=axis)


@lowers("cumprod")
def _cumprod(x: Any, axis: int) -> Any:
    if not x.dtype.is_floating:
        return tf.math.cumprod(x, axis=axis)
    # Products of twice as many each time (Hillis & Steele 1986), whose gradient is right where a factor is 0.
    span = 1
    while span < x.shape[axis]:
        x = tf.concat(
            [_along(x, axis, None, span), multiply(_along(x, axis, span, None), _along(x, axis, None, -span))], axis
        )
        span *= 2
    return x


@lowers("reshape")
def _reshape(x: Any, shape: tuple[int, ...], rank: int) -> Any:
    return tf.reshape(x, tf.concat([tf.shape(x)[: x.shape.rank - rank], np.asarray(shape, np.int32)], axis=0))


@lowers("repeat")
def _repeat(x: Any, times: int, rank: int) -> Any:
    return tf.repeat(tf.expand_dims(x, axis=-rank - 1), times, axis=-rank - 1)


@lowers("one_hot")
def _one_hot(index: Any, size: int) -> Any:
    return tf.one_hot(index, size)


@lowers("scatter")
def _scatter(index: Any, values: Any, size: int) -> Any:
    hit = index[..., tf.newaxis] == tf.range(size)
    return total(tf.where(hit, values[..., tf.newaxis], tf.zeros([], values.dtype)), (-2,))


def _steps(steps: Any, rank: int) -> Any:
    """Steps [..., n] with room for the axes of what is looked up."""
    return tf.reshape(steps, tf.concat([tf.shape(steps)[:-1], np.ones([rank], np.int32), tf.shape(steps)[-1:]], axis=0))


@lowers("step_of")
def _step_of(x: Any, steps: Any, rank: int) -> Any:
    reached = tf.cast(_steps(steps, rank) <= x[..., tf.newaxis], tf.int32)
    return tf.maximum(tf.reduce_sum(reached, axis=-1) - 1, 0)


@lowers("floor_to")
def _floor_to(x: Any, steps: Any, rank: int) -> Any:
    # The largest of the steps that are ≤ x; the first one below them all. Exact, as nothing is added.
    table = _steps(steps, rank)
    reached = tf.reduce_max(tf.where(table <= x[..., tf.newaxis], table, table[..., :1]), axis=-1)
    return tf.stop_gradient(tf.where(is_nan(x), undefined(x.dtype), reached))


@lowers("cross_entropy")
def _cross_entropy(score: Any, label: Any) -> Any:
    classes = score.shape[-1]
    hot = label[..., tf.newaxis] == tf.range(classes)
    found = -tf.reduce_sum(tf.where(hot, _log_softmax(score), tf.zeros([], score.dtype)), axis=-1)
    return tf.where(tf.logical_and(label >= 0, label < classes), found, undefined(score.dtype))


@lowers("softmax")
@tf.custom_gradient
def _softmax(x: Any) -> Any:
    y = spread(tf.nn.softmax(x))

    def backward(upstream: Any) -> Any:
        return times(y, upstream - tf.reduce_sum(times(y, upstream), axis=-1, keepdims=True))

    return y, backward


@tf.custom_gradient
def _log_softmax(x: Any) -> Any:
    y = tf.nn.log_softmax(x)
    return y, lambda upstream: upstream - times(tf.exp(y), tf.reduce_sum(upstream, axis=-1, keepdims=True))


lowers("log_softmax")(_log_softmax)
