"""The lowering of every operation: tensors whose leading axes agree to a tensor; axes count from the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

Lower = Callable[..., Any]
LOWERINGS: dict[str, Lower] = {}


def lowers(name: str) -> Callable[[Lower], Lower]:
    """Registers the lowering of an operation; a second one is refused."""

    def register(lower: Lower) -> Lower:
        if name in LOWERINGS:
            raise ValueError(f"the operation '{name}' has two lowerings")
        LOWERINGS[name] = lower
        return lower

    return register


for _name, _lower in {
    "add": tf.add, "subtract": tf.subtract, "multiply": tf.multiply, "divide": tf.divide, "power": tf.pow, "equal": tf.equal, "not_equal": tf.not_equal, "less": tf.less,
    "less_equal": tf.less_equal, "greater": tf.greater, "greater_equal": tf.greater_equal, "logical_and": tf.logical_and,
    "logical_or": tf.logical_or, "logical_not": tf.logical_not, "select": tf.where, "negative": tf.negative, "abs": tf.abs,
    "sign": tf.sign, "square": tf.square, "sqrt": tf.sqrt, "exp": tf.exp, "expm1": tf.math.expm1, "log": tf.math.log,
    "log1p": tf.math.log1p, "sin": tf.sin, "cos": tf.cos, "tan": tf.tan, "atan": tf.atan, "atan2": tf.atan2, "tanh": tf.tanh,
    "sigmoid": tf.sigmoid, "softplus": tf.math.softplus, "erf": tf.math.erf, "floor": tf.floor,
    "ceil": tf.math.ceil, "round": tf.round, "minimum": tf.minimum, "maximum": tf.maximum, "is_finite": tf.math.is_finite,
    "inverse": tf.linalg.inv, "diagonal": tf.linalg.diag_part, "trace": tf.linalg.trace,
}.items():  # fmt: skip
    lowers(_name)(_lower)


def _whole(of_real: Lower, of_int: Lower) -> Lower:
    """Ints divided by 0 give 0, as in NumPy; elsewhere TensorFlow stops in one form and goes on in the other."""

    def lower(a: Any, b: Any) -> Any:
        if a.dtype.is_floating:
            return of_real(a, b)
        return tf.where(b == 0, 0, of_int(a, tf.where(b == 0, 1, b)))

    return lower


lowers("floor_divide")(_whole(tf.math.floordiv, tf.math.floordiv))
lowers("modulo")(_whole(tf.math.floormod, tf.math.floormod))


@lowers("relu")
def _relu(x: Any) -> Any:
    return tf.nn.relu(x) if x.dtype.is_floating else tf.maximum(x, 0)


@lowers("clip")
def _clip(x: Any, low: Any, high: Any) -> Any:
    return tf.minimum(tf.maximum(x, low), high)


@lowers("within")
def _within(x: Any, low: Any, high: Any) -> Any:
    return tf.logical_and(low <= x, x <= high)


for _name, _lower in {
    "sum": tf.reduce_sum, "mean": tf.reduce_mean, "prod": tf.reduce_prod, "min": tf.reduce_min, "max": tf.reduce_max,
    "any": tf.reduce_any, "all": tf.reduce_all, "logsumexp": tf.reduce_logsumexp, "variance": tf.math.reduce_variance,
}.items():  # fmt: skip
    lowers(_name)(lambda x, axis, _lower=_lower: _lower(x, axis=axis))


@lowers("squared_norm")
def _squared_norm(x: Any, axis: Any) -> Any:
    return tf.reduce_sum(tf.square(x), axis=axis)


@lowers("norm")
def _norm(x: Any, axis: Any) -> Any:
    return tf.sqrt(tf.reduce_sum(tf.square(x), axis=axis))


@lowers("argmax")
def _argmax(x: Any, axis: int) -> Any:
    return tf.argmax(x, axis=axis, output_type=tf.int32)


@lowers("argmin")
def _argmin(x: Any, axis: int) -> Any:
    return tf.argmin(x, axis=axis, output_type=tf.int32)


@lowers("dot")
def _dot(a: Any, b: Any) -> Any:
    return tf.reduce_sum(a * b, axis=-1)


def dot_as_product(a: Any, b: Any) -> Any | None:
    """`dot` of one vector a replicate with one an example, [R, 1, n] and [R, B, n], as a product of matrices; else nothing.

    A GPU may round products.
    """
    if a.shape.rank == b.shape.rank == 3 and a.dtype == tf.float32:
        for vector, matrix in ((a, b), (b, a)):
            if vector.shape[1] == 1 and matrix.shape[1] != 1:
                return tf.matmul(matrix, vector, transpose_b=True)[..., 0]
    return None


@lowers("matmul")
def _matmul(a: Any, b: Any, ranks: tuple[int, int]) -> Any:
    left = a[..., tf.newaxis, :] if ranks[0] == 1 else a
    right = b[..., :, tf.newaxis] if ranks[1] == 1 else b
    product = tf.matmul(left, right)
    product = product[..., 0, :] if ranks[0] == 1 else product
    return product[..., 0] if ranks[1] == 1 else product


@lowers("outer")
def _outer(a: Any, b: Any) -> Any:
    return a[..., :, tf.newaxis] * b[..., tf.newaxis, :]


@lowers("transpose")
def _transpose(x: Any) -> Any:
    return tf.linalg.matrix_transpose(x)


@lowers("solve")
def _solve(a: Any, b: Any) -> Any:
    lead = tf.broadcast_dynamic_shape(tf.shape(a)[:-1], tf.shape(b))
    a = tf.broadcast_to(a, tf.concat([lead, tf.shape(a)[-1:]], axis=0))
    return tf.linalg.solve(a, tf.broadcast_to(b, lead)[..., tf.newaxis])[..., 0]


@lowers("cond")
def _cond(x: Any) -> Any:
    values = tf.linalg.svd(x, compute_uv=False)
    return values[..., 0] / values[..., -1]


@lowers("det")
def _det(x: Any) -> Any:
    # XLA has no determinant: Gaussian elimination, with the largest of each column as pivot.
    total: Any = tf.ones([], x.dtype)
    for size in range(x.shape[-1], 0, -1):
        place = tf.argmax(tf.abs(x[..., 0]), axis=-1, output_type=tf.int32)
        hot = tf.one_hot(place, size, dtype=x.dtype)[..., tf.newaxis]
        row = tf.reduce_sum(hot * x, axis=-2)
        total = total * tf.where(place == 0, row[..., 0], -row[..., 0])
        rest = (x + hot * (x[..., :1, :] - row[..., tf.newaxis, :]))[..., 1:, :]
        factor = tf.math.divide_no_nan(rest[..., 0], row[..., :1])
        x = rest[..., 1:] - factor[..., tf.newaxis] * row[..., tf.newaxis, 1:]
    return total


@lowers("singular_values")
def _singular_values(x: Any) -> Any:
    return tf.linalg.svd(x, compute_uv=False)


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


@lowers("sort")
def _sort(x: Any) -> Any:
    return tf.sort(x, axis=-1)


@lowers("argsort")
def _argsort(x: Any) -> Any:
    return tf.argsort(x, axis=-1, stable=True)


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
    return tf.cumsum(x, axis=axis)


@lowers("cumprod")
def _cumprod(x: Any, axis: int) -> Any:
    return tf.math.cumprod(x, axis=axis)


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
    return tf.reduce_sum(tf.where(hit, values[..., tf.newaxis], tf.zeros([], values.dtype)), axis=-2)


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
    return tf.stop_gradient(reached)


@lowers("hinge")
def _hinge(y: Any, score: Any) -> Any:
    return tf.nn.relu(1 - y * score)


@lowers("logistic")
def _logistic(y: Any, score: Any) -> Any:
    return tf.math.softplus(-y * score)


@lowers("huber")
def _huber(prediction: Any, target: Any, delta: Any) -> Any:
    gap = tf.abs(prediction - target)
    return tf.where(gap <= delta, tf.square(gap) / 2, delta * (gap - delta / 2))


@lowers("cross_entropy")
def _cross_entropy(score: Any, label: Any) -> Any:
    hot = tf.one_hot(label, score.shape[-1], dtype=score.dtype)
    return -tf.reduce_sum(hot * tf.nn.log_softmax(score), axis=-1)


@lowers("softmax")
def _softmax(x: Any) -> Any:
    return tf.nn.softmax(x)


@lowers("log_softmax")
def _log_softmax(x: Any) -> Any:
    return tf.nn.log_softmax(x)
