"""The lowering of reductions: over all of an example's own axes, or over one; axes count from the end."""

from __future__ import annotations

from math import prod
from typing import Any

import tensorflow as tf

from .corners import kept
from .derivatives import Lower, square, times, unary
from .elementwise import one_division
from .registry import lowers

MIN_FLOAT64_LENGTH = 2048
"""From how many float32 on they are added up in float64: one after the other, each adds the rounding of the whole sum."""


def _in_float64(reduce: Lower) -> Lower:
    """A sum or a mean; of many float32, in float64."""

    def lower(x: Any, axis: Any) -> Any:
        sizes = [x.shape[place] for place in axis]
        if x.dtype != tf.float32 or None in sizes or prod(sizes) < MIN_FLOAT64_LENGTH:
            return reduce(x, axis=axis)
        return tf.cast(reduce(tf.cast(x, tf.float64), axis=axis), x.dtype)

    return lower


total, _mean = _in_float64(tf.reduce_sum), _in_float64(tf.reduce_mean)


def exact_mean(count: int, x: Any, axis: Any) -> Any:
    """The mean of so many whole numbers along an axis, rounded once: that of 41 ones is 1."""
    return one_division(total(x, axis=axis), tf.constant(count, x.dtype))


# 0 at 0, where it is infinite.
_root = unary(tf.sqrt, lambda x, y: tf.math.divide_no_nan(tf.constant(0.5, y.dtype), y))
lowers("sum")(total)
lowers("mean")(_mean)
lowers("any")(lambda x, axis: tf.reduce_any(x, axis=axis))
lowers("all")(lambda x, axis: tf.reduce_all(x, axis=axis))


@lowers("variance")
def _variance(x: Any, axis: Any) -> Any:
    return _mean(square(x - kept(_mean(x, axis), axis)), axis)


@lowers("std")
def _std(x: Any, axis: Any) -> Any:
    return _root(_variance(x, axis))


@lowers("squared_norm")
def _squared_norm(x: Any, axis: Any) -> Any:
    return total(square(x), axis)


@lowers("norm")
def _norm(x: Any, axis: Any) -> Any:
    @tf.custom_gradient
    def length(x: Any) -> Any:
        y = tf.sqrt(total(tf.square(x), axis))
        # 0 at 0, the least of the subgradients there.
        return y, lambda upstream: times(tf.math.divide_no_nan(x, kept(y, axis)), kept(upstream, axis))

    return length(x)


@lowers("logsumexp")
def _logsumexp(x: Any, axis: Any) -> Any:
    @tf.custom_gradient
    def logarithm(x: Any) -> Any:
        top = tf.reduce_max(x, axis=axis)
        top = tf.where(tf.math.is_finite(top), top, tf.zeros([], x.dtype))
        y = tf.math.log(total(tf.exp(x - kept(top, axis)), axis)) + top
        return y, lambda upstream: times(tf.exp(x - kept(y, axis)), kept(upstream, axis))

    return logarithm(x)


@lowers("prod")
def _prod(x: Any, axis: Any) -> Any:
    if not x.dtype.is_floating or not axis:
        return tf.reduce_prod(x, axis=axis)
    if len(axis) > 1:
        x = tf.reshape(x, tf.concat([tf.shape(x)[: -len(axis)], [prod(x.shape[-len(axis) :])]], axis=0))
    place = axis[0] if len(axis) == 1 else -1

    @tf.custom_gradient
    def product(x: Any) -> Any:
        def backward(upstream: Any) -> Any:
            before = tf.math.cumprod(x, axis=place, exclusive=True)
            after = tf.math.cumprod(x, axis=place, exclusive=True, reverse=True)
            return times(before * after, tf.expand_dims(upstream, place))

        return tf.reduce_prod(x, axis=place), backward

    return product(x)
