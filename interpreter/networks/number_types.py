"""Rounds float32 numbers to those of a type with fewer bits, to nearest even, by their bits: no compiler takes that for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.tables.stored_types import STORED_TYPES

SIGN, INFINITE = -(2**31), 0x7F800000
BIAS, DIGITS = 127, 23
"""Of float32: what its exponents are above their value, and its bits after the point."""


def rounded(x: Any, name: str) -> Any:
    """A float32 tensor with each number as the nearest of a type (a row of `tables.stored_types`), the even one of two as near."""
    row = STORED_TYPES[name]
    if row.digits == DIGITS:
        return tf.convert_to_tensor(x)
    bits = tf.bitcast(x, tf.int32)
    size = bits & tf.constant(0x7FFFFFFF)
    nearest = _without_digits(size, tf.constant(DIGITS - row.digits))
    largest = int(np.float32(row.most).view(np.int32))
    nearest = tf.where(nearest > largest, INFINITE, nearest)
    if row.least > 1 - BIAS:
        nearest = tf.where(
            tf.bitwise.right_shift(size, DIGITS) < row.least + BIAS, _subnormal(size, row.least, row.digits), nearest
        )
    nearest = tf.where(size > INFINITE, size, nearest)  # NaN
    return tf.bitcast(bits & tf.constant(SIGN) | nearest, tf.float32)


def _without_digits(bits: Any, count: Any) -> Any:
    """Whole numbers from 0 on with their last bits rounded away."""
    return tf.bitwise.left_shift(_counted(bits, count), count)


def _counted(bits: Any, count: Any) -> Any:
    """Whole numbers from 0 on divided by a power of 2, to nearest even."""
    half = tf.bitwise.left_shift(tf.ones_like(count), count - 1) - 1
    odd = tf.bitwise.right_shift(bits, count) & 1
    return tf.bitwise.right_shift(bits + half + odd, count)


def _subnormal(size: Any, least: int, digits: int) -> Any:
    """The bits of numbers below the smallest normal one: multiples of the smallest there is."""
    exponent = tf.bitwise.right_shift(size, DIGITS)
    count = tf.minimum(least + BIAS + DIGITS - digits - exponent, DIGITS + 3)  # with that many all are 0
    multiple = _counted((size & (2**DIGITS - 1)) | 2**DIGITS, count)
    return tf.bitcast(tf.cast(multiple, tf.float32) * 2.0 ** (least - digits), tf.int32)
