"""The lowering of functions of single numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from .derivatives import Lower, binary, multiply, square, unary
from .registry import lowers
from .undefined_kept import unfused

for _name, _lower in {
    "add": tf.add, "subtract": tf.subtract, "equal": tf.equal, "not_equal": tf.not_equal, "less": tf.less, "less_equal": tf.less_equal,
    "greater": tf.greater, "greater_equal": tf.greater_equal, "logical_and": tf.logical_and, "logical_or": tf.logical_or,
    "logical_not": tf.logical_not, "select": tf.where, "negative": tf.negative, "floor": tf.floor, "ceil": tf.math.ceil, "round": tf.round,
    "is_finite": tf.math.is_finite, "multiply": multiply, "square": square,
}.items():  # fmt: skip
    lowers(_name)(_lower)


def _zero(x: Any) -> Any:
    return tf.zeros([], x.dtype)


def _flat_at_zero(x: Any, derivative: Any) -> Any:
    """A derivative that is infinite or has no one value at 0, taken as 0 there."""
    return tf.where(tf.equal(x, 0), _zero(x), derivative)


def _erf(x: Any) -> Any:
    # In a graph, that of an infinite float64 is undefined.
    return tf.where(tf.abs(x) > 7, tf.sign(x), tf.math.erf(x))


# Each with its derivative, of x and of the value y.
for _name, _value, _derivative in (
    ("abs", tf.abs, lambda x, y: tf.sign(x)),
    ("sqrt", tf.sqrt, lambda x, y: _flat_at_zero(y, 0.5 / y)),
    ("exp", tf.exp, lambda x, y: y),
    ("expm1", tf.math.expm1, lambda x, y: y + 1),
    ("log", tf.math.log, lambda x, y: 1 / x),
    ("log1p", tf.math.log1p, lambda x, y: 1 / (1 + x)),
    ("sin", tf.sin, lambda x, y: tf.cos(x)),
    ("cos", tf.cos, lambda x, y: -tf.sin(x)),
    ("tan", tf.tan, lambda x, y: 1 + y * y),
    ("atan", tf.atan, lambda x, y: 1 / (1 + x * x)),
    ("asin", tf.asin, lambda x, y: 1 / tf.sqrt(1 - x * x)),
    ("acos", tf.acos, lambda x, y: -1 / tf.sqrt(1 - x * x)),
    ("sinh", tf.sinh, lambda x, y: tf.cosh(x)),
    ("cosh", tf.cosh, lambda x, y: tf.sinh(x)),
    ("asinh", tf.asinh, lambda x, y: 1 / tf.sqrt(1 + x * x)),
    ("acosh", tf.acosh, lambda x, y: 1 / (tf.sqrt(x - 1) * tf.sqrt(x + 1))),
    ("atanh", tf.atanh, lambda x, y: 1 / (1 - x * x)),
    ("log2", lambda x: tf.math.log(x) * (1 / math.log(2)), lambda x, y: (1 / math.log(2)) / x),
    ("log10", lambda x: tf.math.log(x) * (1 / math.log(10)), lambda x, y: (1 / math.log(10)) / x),
    ("tanh", tf.tanh, lambda x, y: 1 - y * y),
    ("sigmoid", tf.sigmoid, lambda x, y: y * (1 - y)),
    ("softplus", tf.math.softplus, lambda x, y: tf.sigmoid(x)),
    ("erf", _erf, lambda x, y: (2 / math.sqrt(math.pi)) * tf.exp(-x * x)),
):
    lowers(_name)(unary(_value, _derivative))
softplus: Lower = unary(tf.math.softplus, lambda x, y: tf.sigmoid(x))


@lowers("sign")
def _sign(x: Any) -> Any:
    return tf.sign(x)


@lowers("relu")
def relu(x: Any) -> Any:
    """max(0, x), flat at 0."""
    return tf.nn.relu(unfused(x)) if x.dtype.is_floating else tf.maximum(x, 0)


lowers("divide")(binary(tf.divide, lambda a, b, y: (1 / b, -y / b)))


def as_number(value: Any, dtype: Any) -> Any:
    """A number, of Python or a tensor [], as a tensor of a type; one of Python is rounded to it once."""
    return tf.cast(value, dtype) if tf.is_tensor(value) else tf.constant(value, dtype)


def one_division(a: Any, b: Any) -> Any:
    """a / b, rounded once: by a divisor that XLA takes for no constant, as it multiplies by the reciprocal of one."""
    return a / tf.where(tf.equal(a, a), b, tf.ones([], b.dtype))


def _around(y: Any, x: Any) -> tuple[Any, Any]:
    """The derivatives of the angle of the point (x, y); 0 at the origin, where it has none."""
    reach = tf.abs(y) + tf.abs(x)
    y, x = tf.math.divide_no_nan(y, reach), tf.math.divide_no_nan(x, reach)
    scale = tf.math.divide_no_nan(tf.math.divide_no_nan(tf.ones([], x.dtype), reach), x * x + y * y)
    return x * scale, -y * scale


lowers("atan2")(binary(tf.atan2, lambda y, x, angle: _around(y, x)))


def _of_power(x: Any, p: Any, y: Any) -> tuple[Any, Any]:
    """p · x^(p - 1) and log(x) · y: the first 0 at x = 0 for 0 < p < 1, as of the square root, the second 0 for x ≤ 0."""
    one = tf.ones([], x.dtype)
    slope = p * tf.pow(x, tf.where(tf.equal(p, 0), one, p) - 1)
    slope = tf.where(tf.logical_and(tf.equal(x, 0), tf.logical_and(p > 0, p < 1)), _zero(x), slope)
    return slope, tf.where(x > 0, y * tf.math.log(tf.where(x > 0, x, one)), _zero(x))


_power = binary(tf.pow, _of_power)


@lowers("power")
def _lower_power(x: Any, p: Any) -> Any:
    known = _known(p)
    return _power(x, p) if known is None or np.size(known) != 1 else _to_number(x, p, float(np.ravel(known)[0]))


def _known(p: Any) -> Any:
    """The value of a tensor that is known when it is traced, also where axes of 1 were put to it; None of others."""
    while tf.is_symbolic_tensor(p) and p.op.type == "ExpandDims":
        p = p.op.inputs[0]
    return tf.get_static_value(p)


def _to_number(x: Any, p: Any, exponent: float) -> Any:
    """x to the power of one number, known when it is traced."""

    def derivative(x: Any, y: Any) -> Any:
        if exponent in (0, 1):
            return tf.fill([1] * x.shape.rank, tf.constant(exponent, x.dtype))
        slope = exponent * (x if exponent == 2 else tf.pow(x, tf.constant(exponent - 1, x.dtype)))
        return _flat_at_zero(x, slope) if 0 < exponent < 1 else slope

    return unary(lambda x: tf.pow(x, p), derivative)(x)


def _whole(of_real: Lower, of_int: Lower) -> Lower:
    """Ints divided by 0 give 0, as in NumPy; elsewhere TensorFlow stops in one form and goes on in the other."""

    def lower(a: Any, b: Any) -> Any:
        if a.dtype.is_floating:
            return of_real(a, b)
        return tf.where(b == 0, 0, of_int(a, tf.where(b == 0, 1, b)))

    return lower


def _floored(a: Any, b: Any) -> Any:
    """The largest whole number ≤ a / b of the very numbers a and b, as NumPy has it: the quotient may round up to the next."""
    near = (a - tf.math.floormod(a, b)) / b
    low = tf.floor(near)
    low = tf.where(near - low > 0.5, low + 1, low)
    apart = tf.where(tf.not_equal(a < 0, b < 0) & tf.not_equal(a, 0), -tf.ones([], a.dtype), _zero(a))
    low = tf.where(tf.math.is_inf(b) & tf.math.is_finite(a), apart, low)
    return tf.stop_gradient(tf.where(tf.equal(b, 0), a / b, low))


lowers("floor_divide")(_whole(_floored, tf.math.floordiv))
lowers("modulo")(
    _whole(binary(tf.math.floormod, lambda a, b, y: (tf.ones([], a.dtype), -_floored(a, b))), tf.math.floormod)
)


@lowers("within")
def _within(x: Any, low: Any, high: Any) -> Any:
    return tf.logical_and(low <= x, x <= high)


@lowers("hinge")
def _hinge(y: Any, score: Any) -> Any:
    return relu(1 - multiply(y, score))


@lowers("logistic")
def _logistic(y: Any, score: Any) -> Any:
    return softplus(-multiply(y, score))


@lowers("huber")
def _huber(prediction: Any, target: Any, delta: Any) -> Any:
    gap = prediction - target
    size = unary(tf.abs, lambda x, y: tf.sign(x))(gap)
    return tf.where(size <= delta, square(gap) / 2, multiply(delta, size - delta / 2))


def undefined(dtype: Any) -> Any:
    """NaN."""
    return tf.constant(np.nan, dtype)
