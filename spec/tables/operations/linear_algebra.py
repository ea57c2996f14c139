"""Linear algebra on vectors and matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...ir.types import ShapeProblem, Type, join, shape_text
from .table import Operation, table


def _product(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    """Matrix · matrix, matrix · vector, vector · matrix."""
    left, right = (given.shape for given in types)
    if len(left) not in (1, 2) or len(right) not in (1, 2) or len(left) + len(right) < 3:
        raise ShapeProblem(
            f"matmul takes two matrices, or a matrix and a vector, not {shape_text(left)} and {shape_text(right)}",
            "`W[:, 0]` takes an entry along an axis, and index notation goes over one: `[matmul(a, b[i]) for i < n]`."
            if max(len(left), len(right)) > 2
            else "`dot(a, b)` multiplies two vectors.",
        )
    if left[-1] != right[0]:
        raise ShapeProblem(
            f"matmul of {shape_text(left)} and {shape_text(right)}: the inner sizes {left[-1]} and {right[0]} differ",
            "`transpose(a)` swaps the axes of a matrix.",
        )
    kind = join(["int", *(given.kind for given in types)])
    return Type(kind, left[:-1] + right[1:]), {"ranks": (len(left), len(right))}


def _least_side(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    """As many numbers as the shorter side of a matrix has."""
    if len(types[0].shape) != 2:
        raise ShapeProblem(f"takes a matrix [m, n], not {types[0]}", "`reshape(x, [m, n])` makes one of an array.")
    return Type("real", (min(types[0].shape),)), {}


def _matmul(a: Any, b: Any, ranks: tuple[int, int]) -> Any:
    left = a[..., None, :] if ranks[0] == 1 else a
    right = b[..., :, None] if ranks[1] == 1 else b
    product = np.matmul(left, right)
    product = product[..., 0, :] if ranks[0] == 1 else product
    return product[..., 0] if ranks[1] == 1 else product


def _transpose(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def least_pivot(size: int, dtype: Any) -> float:
    """A matrix counts as singular where what is left of one of its axes is this share of the whole, or less: rounding alone."""
    return size * float(np.finfo(dtype).eps)


def finite_matrices(x: Any) -> Any:
    """A matrix [..., m, n] that is finite, with 0 in place of others, and which these are [...]."""
    x = np.asarray(x, float)
    finite = np.isfinite(x).all(axis=(-2, -1))
    return np.where(finite[..., None, None], x, 0.0), finite


def _regular(a: Any) -> Any:
    """A matrix that can be inverted, with the identity in place of others, and which these are [...]."""
    a, finite = finite_matrices(a)
    pivots = np.abs(np.diagonal(np.linalg.qr(a).R, axis1=-2, axis2=-1)).min(axis=-1)
    reach = np.sqrt(np.sum(np.square(a), axis=(-2, -1)))
    regular = finite & (pivots > least_pivot(a.shape[-1], float) * reach)
    return np.where(regular[..., None, None], a, np.eye(a.shape[-1])), regular


def _inverse(x: Any) -> Any:
    x, regular = _regular(x)
    return np.where(regular[..., None, None], np.linalg.inv(x), np.nan)


def _solve(a: Any, b: Any) -> Any:
    (a, regular), b = _regular(a), np.asarray(b, float)
    found = np.linalg.solve(a, b[..., None])[..., 0]
    return np.where(regular[..., None] & np.isfinite(b).all(axis=-1, keepdims=True), found, np.nan)


def singular_values(x: Any) -> Any:
    """Of matrices [..., m, n], largest first: [..., min(m, n)]."""
    x, finite = finite_matrices(x)
    return np.where(finite[..., None], np.linalg.svd(x, compute_uv=False), np.nan)


def _cond(x: Any) -> Any:
    values = singular_values(x)
    most, least = values[..., 0], values[..., -1]
    return np.where(least <= least_pivot(max(np.shape(x)[-2:]), float) * most, np.inf, most / least)


def _det(x: Any) -> Any:
    x, finite = finite_matrices(x)
    return np.where(finite, np.linalg.det(x), np.nan)


SVD, EIGH = 16, 32
"""Up to which side XLA finds singular values, and eigenvalues, on a CPU in no more than 4 to 7 times the time of LAPACK; of 128 it takes 340 and 21 times as long."""

LINEAR_ALGEBRA = table(
    "linear algebra",
    [
        Operation(
            "dot", "(a: number[n], b: number[n]) -> number[]", "the inner product of two vectors",
            lambda a, b: np.sum(a * b, axis=-1), example=("dot([1, 2], [3, 4])", "11"), linear=("a", "b"),
        ),
        Operation(
            "matmul", "(a: number[*s], b: number[*t]) -> number[*s]", "the product of matrices, or of a matrix and a vector",
            _matmul, example=("matmul([[1, 2], [3, 4]], [1, 1])", "[3, 7]"), rule=_product, linear=("a", "b"),
        ),
        Operation(
            "outer", "(a: number[m], b: number[n]) -> number[m, n]", "all products a[i] · b[j]",
            lambda a, b: a[..., :, None] * b[..., None, :], example=("outer([1, 2], [3, 4])", "[[3, 4], [6, 8]]"), linear=("a", "b"),
        ),
        Operation(
            "transpose", "(x: number[m, n]) -> number[n, m]", "rows become columns", _transpose,
            example=("transpose([[1, 2], [3, 4]])", "[[1, 3], [2, 4]]"), linear=("x",),
        ),
        Operation(
            "inverse", "(x: real[n, n]) -> real[n, n]", "the inverse of a square matrix", _inverse,
            example=("inverse([[2, 0], [0, 4]])", "[[0.5, 0.0], [0.0, 0.25]]"),
            corner="undefined where the matrix is singular to rounding: a pivot of its QR factors ≤ n · eps · its Frobenius norm",
        ),
        Operation(
            "solve", "(a: real[n, n], b: real[n]) -> real[n]", "the x with a · x = b",
            _solve, example=("solve([[2, 0], [0, 4]], [2, 2])", "[1.0, 0.5]"), linear=("b",),
            corner="undefined where the matrix is singular, as in inverse, or b is not finite",
        ),
        Operation(
            "cond", "(x: real[m, n]) -> real[]", "the condition number in the 2-norm: largest over smallest singular value",
            _cond, example=("cond([[2, 0], [0, 1]])", "2.0"),
            corner="infinite where the smallest singular value is ≤ max(m, n) · eps · the largest, its gradient undefined there", xla_on_cpu=SVD,
        ),
        Operation(
            "singular_values", "(x: real[m, n]) -> real[k]", "the singular values, largest first, k = min(m, n)",
            singular_values, example=("singular_values([[0, 1], [3, 0]])", "[3.0, 1.0]"), rule=_least_side,
            corner="at a singular value of 0 one of its gradients", xla_on_cpu=SVD,
        ),
        Operation(
            "trace", "(x: number[n, n]) -> number[]", "the sum of the diagonal",
            lambda x: np.trace(x, axis1=-2, axis2=-1), example=("trace([[1, 2], [3, 4]])", "5"), linear=("x",),
        ),
        Operation(
            "diagonal", "(x: number[n, n]) -> number[n]", "the diagonal of a square matrix",
            lambda x: np.diagonal(x, axis1=-2, axis2=-1), example=("diagonal([[1, 2], [3, 4]])", "[1, 4]"), linear=("x",),
        ),
        Operation(
            "det", "(x: real[n, n]) -> real[]", "the determinant", _det, example=("det([[2, 0], [0, 3]])", "6.0"),
            corner="undefined where an entry is not finite",
        ),
    ],
)  # fmt: skip
