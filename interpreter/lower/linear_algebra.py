"""The lowering of linear algebra on vectors and matrices, whose leading axes agree."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from dlspec.spec.tables.operations.linear_algebra import least_pivot

from .derivatives import kept_where, multiply, product, times
from .elementwise import undefined
from .reductions import total
from .registry import lowers

lowers("diagonal")(tf.linalg.diag_part)
lowers("transpose")(tf.linalg.matrix_transpose)


@lowers("trace")
def _trace(x: Any) -> Any:
    return tf.reduce_sum(tf.linalg.diag_part(x), axis=-1)


@lowers("dot")
def _dot(a: Any, b: Any) -> Any:
    return total(multiply(a, b), (-1,))


def dot_as_product(a: Any, b: Any) -> Any | None:
    """`dot` of one vector a replicate with one an example, [R, 1, n] and [R, B, n], as a product of matrices; else nothing.

    A GPU may round products.
    """
    if a.shape.rank == b.shape.rank == 3 and a.dtype == tf.float32:
        for vector, matrix in ((a, b), (b, a)):
            if vector.shape[1] == 1 and matrix.shape[1] != 1:
                return product(matrix, tf.linalg.matrix_transpose(vector))[..., 0]
    return None


@lowers("matmul")
def _matmul(a: Any, b: Any, ranks: tuple[int, int]) -> Any:
    left = a[..., tf.newaxis, :] if ranks[0] == 1 else a
    right = b[..., :, tf.newaxis] if ranks[1] == 1 else b
    found = product(left, right)
    found = found[..., 0, :] if ranks[0] == 1 else found
    return found[..., 0] if ranks[1] == 1 else found


@lowers("outer")
def _outer(a: Any, b: Any) -> Any:
    return multiply(a[..., :, tf.newaxis], b[..., tf.newaxis, :])


def _factors(a: Any) -> tuple[Any, Any, Any]:
    """Whether a matrix can be inverted [..., 1, 1], and a = q · r; where it cannot, r is the identity."""
    q, r = tf.linalg.qr(a)
    size = a.shape[-1]
    least = tf.reduce_min(tf.abs(tf.linalg.diag_part(r)), axis=-1)
    reach = tf.sqrt(tf.reduce_sum(tf.square(a), axis=[-2, -1]))
    regular = (least > least_pivot(size, a.dtype.as_numpy_dtype) * reach)[..., tf.newaxis, tf.newaxis]
    return regular, q, tf.where(regular, r, tf.eye(size, dtype=a.dtype))


def sent_to(upstream: Any) -> Any:
    """Which of the matrices [..., m, n] an upstream gradient reaches: [..., 1, 1]."""
    return tf.reduce_any(tf.not_equal(upstream, 0), axis=[-2, -1], keepdims=True)


@tf.custom_gradient
def _inverse(a: Any) -> Any:
    regular, q, r = _factors(a)
    found = tf.linalg.triangular_solve(r, tf.linalg.matrix_transpose(q), lower=False)
    found = tf.where(regular, found, undefined(a.dtype))

    def backward(upstream: Any) -> Any:
        whole = tf.matmul(tf.matmul(found, upstream, transpose_a=True), found, transpose_b=True)
        return kept_where(sent_to(upstream), -whole)

    return found, backward


lowers("inverse")(_inverse)


@tf.custom_gradient
def _solved(a: Any, b: Any) -> Any:
    regular, q, r = _factors(a)
    regular = tf.logical_and(regular, tf.reduce_all(tf.math.is_finite(b), axis=[-2, -1], keepdims=True))
    found = tf.linalg.triangular_solve(r, tf.matmul(q, b, transpose_a=True), lower=False)
    found = tf.where(regular, found, undefined(a.dtype))

    def backward(upstream: Any) -> tuple[Any, Any]:
        of_b = tf.matmul(q, tf.linalg.triangular_solve(r, upstream, lower=False, adjoint=True))
        of_b = tf.where(regular, of_b, undefined(a.dtype))
        of_a = kept_where(sent_to(upstream), -tf.matmul(of_b, found, transpose_b=True))
        return of_a, kept_where(sent_to(upstream), of_b)

    return found, backward


@lowers("solve")
def _solve(a: Any, b: Any) -> Any:
    lead = tf.broadcast_dynamic_shape(tf.shape(a)[:-1], tf.shape(b))
    a = tf.broadcast_to(a, tf.concat([lead, tf.shape(a)[-1:]], axis=0))
    return _solved(a, tf.broadcast_to(b, lead)[..., tf.newaxis])[..., 0]


@lowers("singular_values")
def singular_values(x: Any) -> Any:
    """Of matrices [..., m, n], largest first; the gradient is one of several where one is 0."""

    @tf.custom_gradient
    def values(x: Any) -> Any:
        finite = tf.reduce_all(tf.math.is_finite(x), axis=[-2, -1], keepdims=True)
        whole = tf.where(finite, x, tf.zeros([], x.dtype))
        s, u, v = tf.linalg.svd(whole)
        nothing = undefined(x.dtype)

        def backward(upstream: Any) -> Any:
            # The sum of upstream[i] · u[:, i] · v[:, i]'.
            found = tf.matmul(u * upstream[..., tf.newaxis, :], v, transpose_b=True)
            found = tf.where(finite, found, nothing)
            return kept_where(sent_to(upstream[..., tf.newaxis]), found)

        return tf.where(finite[..., 0], s, nothing), backward

    return values(x)


@lowers("cond")
def _cond(x: Any) -> Any:
    values = singular_values(x)
    most, least = values[..., 0], values[..., -1]
    floor = least_pivot(max(x.shape[-2:]), x.dtype.as_numpy_dtype)

    @tf.custom_gradient
    def ratio(most: Any, least: Any) -> Any:
        singular = least <= floor * most
        y = tf.where(singular, tf.constant(float("inf"), x.dtype), most / least)
        slope = tf.where(singular, undefined(x.dtype), 1 / least)
        return y, lambda upstream: (times(slope, upstream), times(-y * slope, upstream))

    return ratio(most, least)


@lowers("det")
def _det(x: Any) -> Any:
    # XLA has no determinant: Gaussian elimination, with the largest of each column as pivot.
    found: Any = tf.ones([], x.dtype)
    finite = tf.reduce_all(tf.math.is_finite(x), axis=[-2, -1])
    x = tf.where(finite[..., tf.newaxis, tf.newaxis], x, tf.zeros([], x.dtype))
    for size in range(x.shape[-1], 0, -1):
        place = tf.argmax(tf.abs(x[..., 0]), axis=-1, output_type=tf.int32)
        hot = tf.one_hot(place, size, dtype=x.dtype)[..., tf.newaxis]
        row = tf.reduce_sum(hot * x, axis=-2)
        found = found * tf.where(place == 0, row[..., 0], -row[..., 0])
        rest = (x + hot * (x[..., :1, :] - row[..., tf.newaxis, :]))[..., 1:, :]
        factor = tf.math.divide_no_nan(rest[..., 0], row[..., :1])
        x = rest[..., 1:] - factor[..., tf.newaxis] * row[..., tf.newaxis, 1:]
    return tf.where(finite, found, undefined(x.dtype))
