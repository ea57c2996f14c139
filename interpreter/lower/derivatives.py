"""Derivatives of operations, by one rule: a message of 0 goes on as 0, whatever the derivative is.

What a `select` does not take gets the message 0. Where the branch not taken is infinite or undefined its derivative is too, and
0 · inf is undefined: the chain rule written out would spoil the gradient of the branch taken. So every operation multiplies
what comes in with its derivative by `multiply_no_nan`, which is one multiplication: this holds for selects in selects, in functions
and through names, as the message alone tells what was taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Lower = Callable[..., Any]


def times(derivative: Any, message: Any) -> Any:
    """The message that goes on: derivative · message, and 0 where the message is 0."""
    return tf.math.multiply_no_nan(derivative, message)


def unary(value: Lower, derivative: Lower) -> Lower:
    """A function of one number each; `derivative` is made of the argument and the value."""

    @tf.custom_gradient
    def with_derivative(x: Any) -> Any:
        y = value(x)
        return y, lambda message: times(derivative(x, y), message)

    def lower(x: Any) -> Any:
        return with_derivative(x) if x.dtype.is_floating else value(x)

    return lower


def binary(value: Lower, derivatives: Lower) -> Lower:
    """A function of two numbers each, which broadcast; `derivatives` is made of the arguments and the value."""

    @tf.custom_gradient
    def with_derivatives(a: Any, b: Any) -> Any:
        y = value(a, b)

        def backward(message: Any) -> tuple[Any, Any]:
            of_a, of_b = derivatives(a, b, y)
            return summed(times(of_a, message), a), summed(times(of_b, message), b)

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
def _product(a: Any, b: Any) -> Any:
    def backward(message: Any) -> tuple[Any, Any]:
        # A row of a, a column of b, whose messages are all 0 takes no part.
        sent = tf.not_equal(message, 0)
        zero = tf.zeros([], message.dtype)
        rows = tf.where(tf.reduce_any(sent, axis=-1, keepdims=True), a, zero)
        columns = tf.where(tf.reduce_any(sent, axis=-2, keepdims=True), b, zero)
        of_a, of_b = tf.matmul(message, columns, transpose_b=True), tf.matmul(rows, message, transpose_a=True)
        return summed(of_a, a), summed(of_b, b)

    return tf.matmul(a, b), backward


def product(a: Any, b: Any) -> Any:
    """The product of matrices [..., m, k] and [..., k, n], whose leading axes broadcast."""
    return _product(a, b) if a.dtype.is_floating else tf.matmul(a, b)
