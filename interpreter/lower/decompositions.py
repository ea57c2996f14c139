"""The lowering of factors of matrices. Gradients are undefined where a factor is not unique, and 0 where nothing is sent."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from dlspec.spec.tables.operations.linear_algebra import least_pivot

from .derivatives import kept_where, times
from .elementwise import undefined
from .linear_algebra import sent_to, singular_values
from .registry import lowers


def _turned(x: Any) -> Any:
    return tf.linalg.matrix_transpose(x)


def _symmetric(x: Any) -> Any:
    return (x + _turned(x)) / 2


def _whole(x: Any) -> tuple[Any, Any]:
    """A matrix with 0 in place of one that is not finite, and which are [..., 1, 1]."""
    finite = tf.reduce_all(tf.math.is_finite(x), axis=[-2, -1], keepdims=True)
    return tf.where(finite, x, tf.zeros([], x.dtype)), finite


def _signs(u: Any) -> Any:
    """For each column [..., 1, k] the sign of its largest entry in size, the first of equals."""
    columns = _turned(u)
    hot = tf.one_hot(tf.argmax(tf.abs(columns), axis=-1, output_type=tf.int32), u.shape[-2], dtype=u.dtype)
    least = tf.reduce_sum(hot * columns, axis=-1)[..., tf.newaxis, :]
    return tf.where(least < 0, -tf.ones([], u.dtype), tf.ones([], u.dtype))


def _gaps(values: Any) -> Any:
    """1 / (values[j] - values[i]), 0 on the diagonal, undefined where two are equal to rounding. values [..., k]."""
    gap = values[..., tf.newaxis, :] - values[..., :, tf.newaxis]
    size = values.shape[-1]
    reach = tf.reduce_max(tf.abs(values), axis=-1)[..., tf.newaxis, tf.newaxis]
    equal = tf.abs(gap) <= least_pivot(size, values.dtype.as_numpy_dtype) * reach
    inverse = tf.where(equal, undefined(values.dtype), 1 / tf.where(equal, tf.ones([], gap.dtype), gap))
    return tf.linalg.set_diag(inverse, tf.zeros_like(values))


@tf.custom_gradient
def _svd(x: Any) -> Any:
    """u [..., m, k] and v [..., n, k]; the gradient after Townsend 2016, "Differentiating the singular value decomposition"."""
    whole, finite = _whole(x)
    s, u, v = tf.linalg.svd(whole)
    signs = _signs(u)
    u, v = u * signs, v * signs
    nothing = undefined(x.dtype)
    (rows, columns), size = x.shape[-2:], s.shape[-1]

    def backward(to_u: Any, to_v: Any) -> Any:
        along, inverse = _gaps(s * s), s[..., tf.newaxis, :]
        turn_u, turn_v = tf.matmul(u, to_u, transpose_a=True), tf.matmul(v, to_v, transpose_a=True)
        middle = times(along, turn_u - _turned(turn_u)) * inverse + _turned(inverse) * times(
            along, turn_v - _turned(turn_v)
        )
        gradient = tf.matmul(tf.matmul(u, middle), v, transpose_b=True)
        if rows > size:  # beside the columns of u
            beside = (to_u - tf.matmul(u, turn_u)) / inverse
            gradient += tf.matmul(beside, v, transpose_b=True)
        if columns > size:
            beside = (to_v - tf.matmul(v, turn_v)) / inverse
            gradient += tf.matmul(u, beside, transpose_b=True)
        sent = tf.logical_or(sent_to(to_u), sent_to(to_v))
        return kept_where(sent, tf.where(finite, gradient, nothing))

    return (tf.where(finite, u, nothing), tf.where(finite, v, nothing)), backward


@lowers("svd_u")
def _svd_u(x: Any) -> Any:
    return _svd(x)[0]


@lowers("svd_v")
def _svd_v(x: Any) -> Any:
    return _svd(x)[1]


@tf.custom_gradient
def _eigen(x: Any) -> Any:
    whole, finite = _whole(x)
    values, vectors = tf.linalg.eigh(_symmetric(whole))
    vectors = vectors * _signs(vectors)
    nothing = undefined(x.dtype)

    def backward(to_values: Any, to_vectors: Any) -> Any:
        turn = times(_gaps(values), tf.matmul(vectors, to_vectors, transpose_a=True))
        middle = tf.linalg.set_diag(turn, tf.linalg.diag_part(turn) + to_values)
        gradient = _symmetric(tf.matmul(tf.matmul(vectors, middle), vectors, transpose_b=True))
        sent = tf.logical_or(sent_to(to_vectors), sent_to(to_values[..., tf.newaxis]))
        return kept_where(sent, tf.where(finite, gradient, nothing))

    return (tf.where(finite[..., 0], values, nothing), tf.where(finite, vectors, nothing)), backward


@lowers("eigenvalues")
def _eigenvalues(x: Any) -> Any:
    return _eigen(x)[0]


@lowers("eigenvectors")
def _eigenvectors(x: Any) -> Any:
    return _eigen(x)[1]


@tf.custom_gradient
def _qr(x: Any) -> Any:
    """q and r; the gradient after Walter & Lehmann 2013, "Algorithmic differentiation of linear algebra functions"."""
    whole, finite = _whole(x)
    q, r = tf.linalg.qr(whole)
    pivots = tf.linalg.diag_part(r)
    reach = tf.sqrt(tf.reduce_sum(tf.square(whole), axis=[-2, -1]))
    least = least_pivot(x.shape[-2], x.dtype.as_numpy_dtype) * reach
    regular = tf.logical_and(finite, (tf.reduce_min(tf.abs(pivots), axis=-1) > least)[..., tf.newaxis, tf.newaxis])
    signs = tf.where(pivots < 0, -tf.ones([], x.dtype), tf.ones([], x.dtype))
    q, r = q * signs[..., tf.newaxis, :], r * signs[..., :, tf.newaxis]
    safe = tf.where(regular, r, tf.eye(x.shape[-1], dtype=x.dtype))
    nothing = undefined(x.dtype)

    def backward(to_q: Any, to_r: Any) -> Any:
        middle = tf.matmul(safe, to_r, transpose_b=True) - tf.matmul(to_q, q, transpose_a=True)
        lower = tf.linalg.band_part(middle, -1, 0)
        both = lower + _turned(lower) - tf.linalg.diag(tf.linalg.diag_part(middle))
        inner = to_q + tf.matmul(q, both)
        gradient = _turned(tf.linalg.triangular_solve(safe, _turned(inner), lower=False))
        sent = tf.logical_or(sent_to(to_q), sent_to(to_r))
        return kept_where(sent, tf.where(regular, gradient, nothing))

    return (tf.where(regular, q, nothing), tf.where(regular, r, nothing)), backward


@lowers("qr_q")
def _qr_q(x: Any) -> Any:
    return _qr(x)[0]


@lowers("qr_r")
def _qr_r(x: Any) -> Any:
    return _qr(x)[1]


@lowers("cholesky")
@tf.custom_gradient
def cholesky(x: Any) -> Any:
    """The lower triangle of a positive definite matrix, undefined of any other; the gradient after Murray 2016, "Differentiation of the Cholesky decomposition"."""
    whole, finite = _whole(x)
    whole = _symmetric(whole)
    values = tf.linalg.eigvalsh(whole)
    floor = least_pivot(x.shape[-1], x.dtype.as_numpy_dtype) * tf.abs(values[..., -1])
    positive = tf.logical_and(finite, (values[..., 0] > floor)[..., tf.newaxis, tf.newaxis])
    factor = tf.linalg.cholesky(tf.where(positive, whole, tf.eye(x.shape[-1], dtype=x.dtype)))
    nothing = undefined(x.dtype)

    def backward(upstream: Any) -> Any:
        inner = tf.linalg.band_part(tf.matmul(factor, upstream, transpose_a=True), -1, 0)
        inner = tf.linalg.set_diag(inner, tf.linalg.diag_part(inner) / 2)
        left = tf.linalg.triangular_solve(factor, inner, adjoint=True)
        gradient = _turned(tf.linalg.triangular_solve(factor, _turned(left), adjoint=True))
        return kept_where(sent_to(upstream), tf.where(positive, _symmetric(gradient), nothing))

    return tf.where(positive, factor, nothing), backward


@lowers("pinv")
@tf.custom_gradient
def pinv(x: Any) -> Any:
    """The pseudo-inverse, its gradient that of matrices of one rank."""
    whole, finite = _whole(x)
    s, u, v = tf.linalg.svd(whole)
    floor = least_pivot(max(x.shape[-2:]), x.dtype.as_numpy_dtype) * s[..., :1]
    inverse = tf.where(s > floor, 1 / tf.where(s > floor, s, tf.ones([], s.dtype)), tf.zeros([], s.dtype))
    value = tf.matmul(v * inverse[..., tf.newaxis, :], u, transpose_b=True)
    nothing = undefined(x.dtype)

    def backward(upstream: Any) -> Any:
        turned = _turned(value)
        rows = tf.eye(x.shape[-2], dtype=x.dtype) - tf.matmul(whole, value)
        columns = tf.eye(x.shape[-1], dtype=x.dtype) - tf.matmul(value, whole)
        gradient = -tf.matmul(tf.matmul(turned, upstream), turned)
        gradient += tf.matmul(tf.matmul(tf.matmul(rows, _turned(upstream)), value), turned)
        gradient += tf.matmul(tf.matmul(tf.matmul(turned, value), _turned(upstream)), columns)
        return kept_where(sent_to(upstream), tf.where(finite, gradient, nothing))

    return tf.where(finite, value, nothing), backward


@tf.custom_gradient
def _applied(inverse: Any, b: Any) -> Any:
    """A matrix [..., n, m] times a vector [..., m], undefined where that is not finite."""
    finite = tf.reduce_all(tf.math.is_finite(b), axis=-1, keepdims=True)
    safe = tf.where(finite, b, tf.zeros([], b.dtype))
    value = tf.where(finite, tf.linalg.matvec(inverse, safe), undefined(b.dtype))

    def backward(upstream: Any) -> tuple[Any, Any]:
        some = tf.reduce_any(tf.not_equal(upstream, 0), axis=-1, keepdims=True)
        of_b = kept_where(some, tf.linalg.matvec(inverse, upstream, transpose_a=True))
        of_inverse = upstream[..., :, tf.newaxis] * tf.where(finite, b, undefined(b.dtype))[..., tf.newaxis, :]
        return kept_where(some[..., tf.newaxis], of_inverse), of_b

    return value, backward


@lowers("lstsq")
def _lstsq(a: Any, b: Any) -> Any:
    inverse = pinv(a)
    lead = tf.broadcast_dynamic_shape(tf.shape(inverse)[:-2], tf.shape(b)[:-1])
    inverse = tf.broadcast_to(inverse, tf.concat([lead, tf.shape(inverse)[-2:]], axis=0))
    return _applied(inverse, tf.broadcast_to(b, tf.concat([lead, tf.shape(b)[-1:]], axis=0)))


@lowers("spectral_norm")
def _spectral_norm(x: Any) -> Any:
    return singular_values(x)[..., 0]


@lowers("nuclear_norm")
def _nuclear_norm(x: Any) -> Any:
    return tf.reduce_sum(singular_values(x), axis=-1)


def _fourier(part: Any) -> Any:
    """A part of the discrete Fourier transform: a symmetric matrix times x, so that its gradient is the same of what comes in."""

    def transform(x: Any) -> Any:
        finite = tf.reduce_all(tf.math.is_finite(x), axis=-1, keepdims=True)
        safe = tf.where(finite, x, tf.zeros([], x.dtype))
        wide = tf.cast(safe, tf.complex128 if x.dtype == tf.float64 else tf.complex64)
        return tf.where(finite, part(tf.signal.fft(wide)), undefined(x.dtype))

    @tf.custom_gradient
    def lower(x: Any) -> Any:
        return transform(x), transform

    return lower


lowers("fft_real")(_fourier(tf.math.real))
lowers("fft_imag")(_fourier(tf.math.imag))
