"""Factors of matrices, each part a row of its own, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...ir.types import ShapeProblem, Type
from .linear_algebra import EIGH, SVD, finite_matrices, least_pivot, singular_values
from .table import Operation, table

Rule = Callable[[Sequence[Type], Mapping[str, Any]], tuple[Type, Mapping[str, Any]]]


def _of_matrix(shape: Callable[[int, int], tuple[int, ...]], tall: bool = False) -> Rule:
    """The type rule of what is made of one matrix [m, n]; `tall` asks for m ≥ n."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        if len(types[0].shape) != 2:
            raise ShapeProblem(f"takes a matrix [m, n], not {types[0]}", "`reshape(x, [m, n])` makes one of an array.")
        rows, columns = types[0].shape
        if tall and rows < columns:
            raise ShapeProblem(
                f"takes a matrix with at least as many rows as columns, not {types[0]}", "`transpose(x)` swaps them."
            )
        return Type("real", shape(rows, columns)), {}

    return rule


def positive_columns(u: Any) -> Any:
    """For each column [..., 1, k] the sign of its entry that is largest in size, the first of equals."""
    place = np.argmax(np.abs(u), axis=-2, keepdims=True)
    return np.where(np.take_along_axis(u, place, axis=-2) < 0, -1.0, 1.0)


def _svd(x: Any) -> tuple[Any, Any]:
    """u [..., m, k] and v [..., n, k] of x = u · diag(s) · v', the largest entry of each column of u positive."""
    x, finite = finite_matrices(x)
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    signs, nothing = positive_columns(u), ~finite[..., None, None]
    return np.where(nothing, np.nan, u * signs), np.where(nothing, np.nan, np.swapaxes(vt, -1, -2) * signs)


def _eigen(x: Any) -> tuple[Any, Any]:
    """Eigenvalues [..., n] upwards and eigenvectors [..., n, n] of the symmetric part."""
    x, finite = finite_matrices(x)
    values, vectors = np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)
    vectors = vectors * positive_columns(vectors)
    return np.where(finite[..., None], values, np.nan), np.where(finite[..., None, None], vectors, np.nan)


def _qr(x: Any) -> tuple[Any, Any]:
    """q [..., m, n] and r [..., n, n] with a diagonal above 0."""
    x, finite = finite_matrices(x)
    q, r = np.linalg.qr(x)
    pivots = np.diagonal(r, axis1=-2, axis2=-1)
    reach = np.sqrt(np.sum(np.square(x), axis=(-2, -1)))
    regular = finite & (np.abs(pivots).min(axis=-1) > least_pivot(x.shape[-2], float) * reach)
    signs, regular = np.where(pivots < 0, -1.0, 1.0), regular[..., None, None]
    return np.where(regular, q * signs[..., None, :], np.nan), np.where(regular, r * signs[..., :, None], np.nan)


def _cholesky(x: Any) -> Any:
    x, finite = finite_matrices(x)
    x = (x + np.swapaxes(x, -1, -2)) / 2
    values = np.linalg.eigvalsh(x)
    positive = finite & (values[..., 0] > least_pivot(x.shape[-1], float) * np.abs(values[..., -1]))
    positive = positive[..., None, None]
    return np.where(positive, np.linalg.cholesky(np.where(positive, x, np.eye(x.shape[-1]))), np.nan)


def _pinv(x: Any) -> Any:
    x, finite = finite_matrices(x)
    found = np.linalg.pinv(x, rcond=least_pivot(max(x.shape[-2:]), float))
    return np.where(finite[..., None, None], found, np.nan)


def _lstsq(a: Any, b: Any) -> Any:
    b = np.asarray(b, float)
    finite = np.isfinite(b).all(axis=-1, keepdims=True)
    return np.where(finite, np.matmul(_pinv(a), np.where(finite, b, 0.0)[..., None])[..., 0], np.nan)


SYMMETRIC = "of the symmetric part (x + transpose(x)) / 2"

DECOMPOSITIONS = table(
    "linear algebra",
    [
        Operation(
            "svd_u", "(x: real[m, n]) -> real[m, k]",
            "the left singular vectors as columns, k = min(m, n), in the order of singular_values; the largest entry of each is positive; by XLA to 1e-6",
            lambda x: _svd(x)[0], example=("svd_u([[0, 3], [1, 0]])", "[[1.0, 0.0], [0.0, 1.0]]"), rule=_of_matrix(lambda m, n: (m, min(m, n))),
            corner="any of them where singular values are equal, with an undefined gradient", xla_on_cpu=SVD,
        ),
        Operation(
            "svd_v", "(x: real[m, n]) -> real[n, k]",
            "the right singular vectors as columns, with the signs of svd_u: x is svd_u(x) · diagonal · transpose(svd_v(x)); by XLA to 1e-6",
            lambda x: _svd(x)[1], example=("svd_v([[0, 3], [1, 0]])", "[[0.0, 1.0], [1.0, 0.0]]"), rule=_of_matrix(lambda m, n: (n, min(m, n))),
            corner="any of them where singular values are equal, with an undefined gradient", xla_on_cpu=SVD,
        ),
        Operation(
            "eigenvalues", "(x: real[n, n]) -> real[n]", f"the eigenvalues {SYMMETRIC}, the least first",
            lambda x: _eigen(x)[0], example=("eigenvalues([[3, 0], [0, 1]])", "[1.0, 3.0]"),
            corner="where some are equal, one of their gradients", xla_on_cpu=EIGH,
        ),
        Operation(
            "eigenvectors", "(x: real[n, n]) -> real[n, n]",
            f"the eigenvectors {SYMMETRIC} as columns, in the order of eigenvalues; the largest entry of each is positive; by XLA to 1e-6",
            lambda x: _eigen(x)[1], example=("eigenvectors([[3, 0], [0, 1]])", "[[0.0, 1.0], [1.0, 0.0]]"),
            corner="any of them where eigenvalues are equal, with an undefined gradient", xla_on_cpu=EIGH,
        ),
        Operation(
            "qr_q", "(x: real[m, n]) -> real[m, n]", "the orthonormal columns q of x = q · r, m ≥ n",
            lambda x: _qr(x)[0], example=("qr_q([[-2, 0], [0, 3]])", "[[-1.0, 0.0], [0.0, 1.0]]"), rule=_of_matrix(lambda m, n: (m, n), tall=True),
            corner="undefined where the columns depend on each other: a pivot ≤ m · eps · the Frobenius norm",
        ),
        Operation(
            "qr_r", "(x: real[m, n]) -> real[n, n]", "the upper triangle r of x = q · r, its diagonal above 0, m ≥ n",
            lambda x: _qr(x)[1], example=("qr_r([[-2, 0], [0, 3]])", "[[2.0, 0.0], [0.0, 3.0]]"), rule=_of_matrix(lambda m, n: (n, n), tall=True),
            corner="undefined where the columns depend on each other: a pivot ≤ m · eps · the Frobenius norm",
        ),
        Operation(
            "cholesky", "(x: real[n, n]) -> real[n, n]", "the lower triangle l with l · transpose(l) the symmetric part (x + transpose(x)) / 2",
            _cholesky, example=("cholesky([[4, 0], [0, 9]])", "[[2.0, 0.0], [0.0, 3.0]]"),
            corner="undefined where it is not positive definite: the least eigenvalue ≤ n · eps · the largest", xla_on_cpu=EIGH,
        ),
        Operation(
            "pinv", "(x: real[m, n]) -> real[n, m]", "the pseudo-inverse; by XLA to 1e-6 of its size for a matrix of small condition number",
            _pinv, example=("pinv([[2, 0], [0, 0]])", "[[0.5, 0.0], [0.0, 0.0]]"), source="Golub & Pereyra 1973, of the gradient",
            corner="a singular value ≤ max(m, n) · eps · the largest counts as 0, and the gradient is that of matrices of the same rank", xla_on_cpu=SVD,
        ),
        Operation(
            "lstsq", "(a: real[m, n], b: real[m]) -> real[n]", "the shortest x that minimises norm(a · x - b), pinv(a) · b; by XLA as exact as pinv",
            _lstsq, example=("lstsq([[1, 0], [0, 2], [0, 0]], [1, 2, 3])", "[1.0, 1.0]"), linear=("b",),
            corner="singular values count as 0 as in pinv; undefined where b is not finite", xla_on_cpu=SVD,
        ),
        Operation(
            "spectral_norm", "(x: real[m, n]) -> real[]", "the largest singular value",
            lambda x: singular_values(x)[..., 0], example=("spectral_norm([[0, 1], [3, 0]])", "3.0"),
            corner="one of the gradients where the largest are equal", xla_on_cpu=SVD,
        ),
        Operation(
            "nuclear_norm", "(x: real[m, n]) -> real[]", "the sum of the singular values",
            lambda x: np.sum(singular_values(x), axis=-1), example=("nuclear_norm([[0, 1], [3, 0]])", "4.0"),
            corner="one of the gradients where a singular value is 0", xla_on_cpu=SVD,
        ),
    ],
)  # fmt: skip
