"""Linear algebra on vectors and matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..types import ShapeProblem, Type, join, shape_text
from .table import Operation, table


def _product(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    """Matrix · matrix, matrix · vector, vector · matrix."""
    left, right = (given.shape for given in types)
    if len(left) not in (1, 2) or len(right) not in (1, 2) or len(left) + len(right) < 3:
        raise ShapeProblem(
            f"matmul takes two matrices, or a matrix and a vector, not {shape_text(left)} and {shape_text(right)}",
            "`dot(a, b)` multiplies two vectors.",
        )
    if left[-1] != right[0]:
        raise ShapeProblem(
            f"matmul of {shape_text(left)} and {shape_text(right)}: the inner sizes {left[-1]} and {right[0]} differ",
            "`transpose(a)` swaps the axes of a matrix.",
        )
    kind = join(["int", *(given.kind for given in types)])
    return Type(kind, left[:-1] + right[1:]), {"ranks": (len(left), len(right))}


def _matmul(a: Any, b: Any, ranks: tuple[int, int]) -> Any:
    left = a[..., None, :] if ranks[0] == 1 else a
    right = b[..., :, None] if ranks[1] == 1 else b
    product = np.matmul(left, right)
    product = product[..., 0, :] if ranks[0] == 1 else product
    return product[..., 0] if ranks[1] == 1 else product


def _transpose(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


LINEAR_ALGEBRA = table(
    "linear algebra",
    [
        Operation(
            "dot", "(a: number[n], b: number[n]) -> number[]", "the inner product of two vectors",
            lambda a, b: np.sum(a * b, axis=-1), example=("dot([1, 2], [3, 4])", "11"),
        ),
        Operation(
            "matmul", "(a: number[*s], b: number[*t]) -> number[*s]", "the product of matrices, or of a matrix and a vector",
            _matmul, example=("matmul([[1, 2], [3, 4]], [1, 1])", "[3, 7]"), rule=_product,
        ),
        Operation(
            "outer", "(a: number[m], b: number[n]) -> number[m, n]", "all products a[i] · b[j]",
            lambda a, b: a[..., :, None] * b[..., None, :], example=("outer([1, 2], [3, 4])", "[[3, 4], [6, 8]]"),
        ),
        Operation(
            "transpose", "(x: number[m, n]) -> number[n, m]", "rows become columns", _transpose,
            example=("transpose([[1, 2], [3, 4]])", "[[1, 3], [2, 4]]"),
        ),
        Operation(
            "inverse", "(x: real[n, n]) -> real[n, n]", "the inverse of a square matrix", np.linalg.inv,
            example=("inverse([[2, 0], [0, 4]])", "[[0.5, 0.0], [0.0, 0.25]]"),
        ),
        Operation(
            "solve", "(a: real[n, n], b: real[n]) -> real[n]", "the x with a · x = b",
            lambda a, b: np.linalg.solve(a, b[..., None])[..., 0], example=("solve([[2, 0], [0, 4]], [2, 2])", "[1.0, 0.5]"),
        ),
        Operation(
            "cond", "(x: real[m, n]) -> real[]", "the condition number in the 2-norm: largest over smallest singular value",
            lambda x: np.linalg.cond(x, 2), example=("cond([[2, 0], [0, 1]])", "2.0"),
        ),
        Operation(
            "singular_values", "(x: real[n, n]) -> real[n]", "the singular values of a square matrix, largest first",
            lambda x: np.linalg.svd(x, compute_uv=False), example=("singular_values([[0, 1], [3, 0]])", "[3.0, 1.0]"),
        ),
        Operation(
            "trace", "(x: number[n, n]) -> number[]", "the sum of the diagonal",
            lambda x: np.trace(x, axis1=-2, axis2=-1), example=("trace([[1, 2], [3, 4]])", "5"),
        ),
        Operation(
            "diagonal", "(x: number[n, n]) -> number[n]", "the diagonal of a square matrix",
            lambda x: np.diagonal(x, axis1=-2, axis2=-1), example=("diagonal([[1, 2], [3, 4]])", "[1, 4]"),
        ),
        Operation(
            "det", "(x: real[n, n]) -> real[]", "the determinant", np.linalg.det, example=("det([[2, 0], [0, 3]])", "6.0"),
        ),
    ],
)  # fmt: skip
