"""Derivatives of operations, by one rule: an upstream gradient of 0 goes on as 0, whatever the derivative is.

What a `select` does not take gets an upstream gradient of 0. Where the branch not taken is infinite or undefined its derivative is too, and
0 · inf is undefined: the chain rule written out would spoil the gradient of the branch taken. So every operation multiplies
what comes in with its derivative by `multiply_no_nan`, which is one multiplication: this holds for selects in selects, in functions
and through names, as the upstream gradient alone tells what was taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Lower = Callable[..., Any]


def times(derivative: Any, upstream: Any) -> Any:
    """The gradient that goes on: derivative · upstream, and 0 where the upstream gradient is 0."""
    return tf.math.multiply_no_nan(derivative, upstream)


def unary(value: Lower, derivative: Lower) -> Lower:
    """A function of one number each; `derivative` is made of the argument and the value."""

    @tf.custom_gradient
    def with_derivative(x: Any) -> Any:
        y = value(x)
        return y, lambda upstream: times(derivative(x, y), upstream)

    def lower(x: Any) -> Any:
        return with_derivative(x) if x.dtype.is_floating else value(x)

    return lower


def binary(value: Lower, derivatives: Lower) -> Lower:
    """A function of two numbers each, which broadcast; `derivatives` is made of the arguments and the value."""

    @tf.custom_gradient
    def with_derivatives(a: Any, b: Any) -> Any:
        y = value(a, b)

        def backward(upstream: Any) -> tuple[Any, Any]:
            of_a, of_b = derivatives(a, b, y)
            return summed(times(of_a, upstream), a), summed(times(of_b, upstream), b)

        return y, backward

    def lower(a: Any, b: Any) -> Any:
        return with_derivatives(a, b) if a.dtype.is_floating else value(a, b)

    return lower


def summed(gradient: Any, like: Any) -> Any:
    """A gradient [...] summed over the axes along which what it is of was spread."""
    if gradient.shape.is_fully_defined() and like.shape.is_fully_defined():
        missing = gradient.shape.rank - like.shape.rank
        pairs = zip(gradient.shape[missing:], like.shape, strict=True)
        over = [place + missing for place, (wide, own) in enumerate(pairs) if own == 1 and wide != 1]
        over = [*range(missing), *over]
        return tf.reshape(tf.reduce_sum(gradient, axis=over), like.shape) if over else gradient
    shape = tf.shape(like)
    over, _ = tf.raw_ops.BroadcastGradientArgs(s0=shape, s1=tf.shape(gradient))
    return tf.reshape(tf.reduce_sum(gradient, axis=over), shape)


multiply = binary(tf.multiply, lambda a, b, y: (b, a))
square = unary(tf.square, lambda x, y: 2 * x)


@tf.custom_gradient
def kept_where(sent: Any, gradient: Any) -> Any:
    """A gradient where an upstream gradient comes in, 0 elsewhere. What an upstream gradient of 0 does not reach still hangs on it: the gradient
    of a gradient passes."""
    return tf.where(sent, gradient, tf.zeros([], gradient.dtype)), lambda upstream: (None, upstream)


def _turned(x: Any) -> Any:
    return tf.linalg.matrix_transpose(x)


def _taken(sent: Any, axis: int, x: Any) -> Any:
    """A matrix with 0 in its rows, or columns, to which nothing is sent: they take no part."""
    some = tf.reduce_any(tf.not_equal(sent, 0), axis=axis, keepdims=True)
    return tf.where(some, x, tf.zeros([], x.dtype))


@tf.custom_gradient
def _product(a: Any, b: Any) -> Any:
    return tf.matmul(a, b), lambda upstream: (summed(_to_left(upstream, b), a), summed(_to_right(a, upstream), b))


@tf.custom_gradient
def _to_left(upstream: Any, b: Any) -> Any:
    """upstream · b' [..., m, k], of [..., m, n] and [..., k, n], without the columns of b to which nothing is sent."""

    def backward(upper: Any) -> tuple[Any, Any]:
        return summed(_sent_on(upper, b), upstream), summed(_turned(_to_right(upstream, upper)), b)

    return tf.matmul(upstream, _taken(upstream, -2, b), transpose_b=True), backward


@tf.custom_gradient
def _to_right(a: Any, upstream: Any) -> Any:
    """a' · upstream [..., k, n], of [..., m, k] and [..., m, n], without the rows of a to which nothing is sent."""

    def backward(upper: Any) -> tuple[Any, Any]:
        of_upstream = _turned(_sent_on(_turned(upper), _turned(a)))
        return summed(_turned(_to_left(upper, upstream)), a), summed(of_upstream, upstream)

    return tf.matmul(_taken(upstream, -1, a), upstream, transpose_a=True), backward


@tf.custom_gradient
def _sent_on(upstream: Any, b: Any) -> Any:
    """upstream · b [..., m, n], of [..., m, k] and [..., k, n], without the rows of b to which nothing is sent."""

    def backward(upper: Any) -> tuple[Any, Any]:
        return summed(_to_left(upper, b), upstream), summed(_to_right(upstream, upper), b)

    return tf.matmul(upstream, _turned(_taken(upstream, -2, _turned(b)))), backward


def product(a: Any, b: Any) -> Any:
    """The product of matrices [..., m, k] and [..., k, n], whose leading axes broadcast."""
    return _product(a, b) if a.dtype.is_floating else tf.matmul(a, b)
