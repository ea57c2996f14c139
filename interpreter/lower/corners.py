"""Operations that choose among numbers: what they do with NaN, and how a tie shares the gradient.

NaN is kept here by comparisons, for XLA's own maximum drops it. At a tie, what is learnt takes equal shares, and a constant among
the tied takes all: so `maximum(f, 0)`, `maximum(0, f)` and `max([f, 0])` are flat at 0, as `relu(f)` is. `fixed` says which
numbers are constants.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .derivatives import summed
from .registry import lowers
from .undefined_kept import is_nan

Fixed = tuple[Any, ...] | None


def _pair(a: Any, b: Any, more: Any, fixed: tuple[bool, bool]) -> Any:
    """One of two numbers each: a where `more(a, b)` or a is NaN, else b."""

    def value(a: Any, b: Any) -> Any:
        return tf.where(tf.logical_or(more(a, b), is_nan(a)), a, b)

    @tf.custom_gradient
    def chosen(a: Any, b: Any) -> Any:
        def backward(upstream: Any) -> tuple[Any, Any]:
            half = upstream / 2 if fixed[0] == fixed[1] else tf.zeros([], upstream.dtype)
            tied, zero = tf.equal(a, b), tf.zeros([], upstream.dtype)
            first = tf.logical_or(more(a, b), is_nan(a))
            of_a = tf.where(tied, upstream if fixed[1] < fixed[0] else half, tf.where(first, upstream, zero))
            of_b = tf.where(tied, upstream if fixed[0] < fixed[1] else half, tf.where(first, zero, upstream))
            return summed(of_a, a), summed(of_b, b)

        return value(a, b), backward

    return chosen(a, b)


@lowers("maximum")
def maximum(a: Any, b: Any, fixed: Fixed = None) -> Any:
    """The larger of two; NaN where either is."""
    if not a.dtype.is_floating:
        return tf.maximum(a, b)
    return _pair(a, b, tf.greater, _constants(fixed, a, b))


@lowers("minimum")
def minimum(a: Any, b: Any, fixed: Fixed = None) -> Any:
    """The smaller of two; NaN where either is."""
    if not a.dtype.is_floating:
        return tf.minimum(a, b)
    return _pair(a, b, tf.less, _constants(fixed, a, b))


def _constants(fixed: Fixed, *arguments: Any) -> Any:
    return tuple(bool(np.all(own)) for own in fixed) if fixed else (False,) * len(arguments)


@lowers("clip")
def _clip(x: Any, low: Any, high: Any, fixed: Fixed = None) -> Any:
    of_x, of_low, of_high = _constants(fixed, x, low, high)
    return minimum(maximum(x, low, (of_x, of_low)), high, (of_x and of_low, of_high))


@lowers("max")
def _max(x: Any, axis: Any, fixed: Fixed = None) -> Any:
    return _extreme(tf.reduce_max, x, axis, fixed)


@lowers("min")
def _min(x: Any, axis: Any, fixed: Fixed = None) -> Any:
    return _extreme(tf.reduce_min, x, axis, fixed)


def kept(reduced: Any, axis: Any) -> Any:
    """What is left of a reduction over all of an example's own axes, or over one, with these at size 1."""
    for _ in axis:
        reduced = tf.expand_dims(reduced, axis[0] if len(axis) == 1 else -1)
    return reduced


def _extreme(reduce: Any, x: Any, axis: Any, fixed: Fixed) -> Any:
    if not x.dtype.is_floating:
        return reduce(x, axis=axis)
    constant = None if not fixed or not np.any(fixed[0]) else np.asarray(fixed[0])

    @tf.custom_gradient
    def chosen(x: Any) -> Any:
        undefined = tf.reduce_any(is_nan(x), axis=axis)
        y = tf.where(undefined, tf.constant(np.nan, x.dtype), reduce(x, axis=axis))

        def backward(upstream: Any) -> Any:
            tied = tf.logical_or(tf.equal(x, kept(y, axis)), is_nan(x))
            share = upstream / tf.reduce_sum(tf.cast(tied, x.dtype), axis=axis)
            if constant is not None:
                taken = tf.reduce_any(tf.logical_and(tied, constant), axis=axis)
                share = tf.where(taken, tf.zeros([], x.dtype), share)
            return tf.where(tied, kept(share, axis), tf.zeros([], x.dtype))

        return y, backward

    return chosen(x)


@lowers("argmax")
def _argmax(x: Any, axis: int) -> Any:
    return _place(tf.argmax, x, axis)


@lowers("argmin")
def _argmin(x: Any, axis: int) -> Any:
    return _place(tf.argmin, x, axis)


def _place(of: Any, x: Any, axis: int) -> Any:
    """The index of the first NaN where there is one, as in NumPy, else of the largest or smallest."""
    index = of(x, axis=axis, output_type=tf.int32)
    if not x.dtype.is_floating:
        return index
    undefined = is_nan(x)
    first = tf.argmax(tf.cast(undefined, tf.float32), axis=axis, output_type=tf.int32)
    return tf.where(tf.reduce_any(undefined, axis=axis), first, index)


def _keys(x: Any) -> Any:
    """Ints in the order of the numbers: -0 and 0 are one, NaN of either sign comes last."""
    if not x.dtype.is_floating:
        return x
    whole = {tf.float32: tf.int32, tf.float64: tf.int64}[x.dtype]
    plain = tf.where(tf.equal(x, 0), tf.zeros([], x.dtype), x)
    bits = tf.bitcast(tf.where(is_nan(x), tf.constant(np.nan, x.dtype), plain), whole)
    return tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, whole.max), bits)


def order(x: Any) -> Any:
    """The indices that sort along the last axis, equals in their order."""
    return tf.argsort(_keys(x), axis=-1, stable=True)


@lowers("argsort")
def _argsort(x: Any) -> Any:
    return order(x)


@lowers("sort")
def sort(x: Any) -> Any:
    """Sorted upwards along the last axis, NaN last."""
    return tf.gather(x, order(x), axis=-1, batch_dims=x.shape.rank - 1) if x.dtype.is_floating else tf.sort(x, axis=-1)


@lowers("top_k")
def _top_k(x: Any, k: int) -> Any:
    return tf.reverse(sort(x), axis=[-1])[..., :k]


@lowers("argtop_k")
def _argtop_k(x: Any, k: int) -> Any:
    keys = _keys(x)
    # Of an int k the bits turned over are -k - 1: the order backwards, and no overflow.
    return tf.argsort(tf.bitwise.invert(keys), axis=-1, stable=True)[..., :k]
