"""Spectra of second derivatives, beside dense matrices in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.gradient_estimators.matrices import Product
from dlspec.interpreter.program.gradient_estimators.spectra import lanczos
from dlspec.interpreter.program.program import Compiled

STUDY = """
dtype: float64
task:
  data: {enumerate: s}
  example: {s: "rademacher([3])", y: "s[0] * s[1] + 0.5 * s[2]"}
architecture: {f: {input: s, layers: [dense: {units: 4, activation: tanh, name: a}, dense: {units: 1, name: b}]}}
outputs: {squared: (f - y)^2 / 2}
loss: {l: squared}
training: {optimizer: {sgd: 0.3}, steps: 40}
measures:
  weights: f.weights
  hessian: {hessian_eigenvalues: {of: squared, weights: f.weights, largest: 3, smallest: 2, tolerance: 1e-7}}
  whole: {hessian_eigenvalues: {of: squared, weights: f.weights, largest: 21}}
  of_kernel: {hessian_eigenvalues: {of: squared, weights: f.a.kernel, largest: 1, "on": train}}
  gauss_newton: {gauss_newton_eigenvalues: {of: softplus(f - y), weights: f.weights, largest: 2, smallest: 1, tolerance: 1e-7}}
  trace: {hessian_trace: {of: squared, weights: f.weights, probes: 400}}
  kernel: {ntk_eigenvalues: {of: f, weights: f.weights, largest: 3, smallest: 1}}
  length: {gradient_norm: {of: squared, weights: f.weights}}
  alignment: {gradient_alignment: {of: squared, weights: f.weights}}
"""
SIGNS = np.array(list(product([-1.0, 1.0], repeat=3)))
TARGETS = SIGNS[:, 0] * SIGNS[:, 1] + 0.5 * SIGNS[:, 2]


def forward(w: Any) -> tuple[Any, Any]:
    """The network's outputs [8], and their gradients by its weights, [8, 21], by hand."""
    kernel, bias, last, shift = w[:12].reshape(3, 4), w[12:16], w[16:20], w[20]
    hidden = np.tanh(SIGNS @ kernel + bias)
    back = (1 - hidden**2) * last
    by_kernel = (SIGNS[:, :, None] * back[:, None, :]).reshape(8, 12)
    return hidden @ last + shift, np.concatenate([by_kernel, back, hidden, np.ones((8, 1))], axis=1)


def gradient(w: Any) -> Any:
    values, jacobian = forward(w)
    return jacobian.T @ (values - TARGETS) / 8


def hessian(w: Any) -> Any:
    """The Hessian [21, 21], by differences of the gradient."""
    step = 1e-5
    columns = [(gradient(w + step * e) - gradient(w - step * e)) / (2 * step) for e in np.eye(21)]
    return (np.array(columns) + np.array(columns).T) / 2


def test_spectra_are_those_of_dense_matrices(compiled: Callable[..., Compiled]) -> None:
    """At the start and after training, in both compiled forms."""
    for xla in (True, False):
        made = compiled(STUDY, replicates=2, xla=xla)
        for steps in (0, 40):
            made.train(steps) if steps else None
            found = made.evaluate()
            for row in range(2):
                w = found["weights"][row]
                dense = hessian(w)
                exact = np.linalg.eigvalsh(dense)[::-1]
                values, jacobian = forward(w)
                odds = 1 / (1 + np.exp(TARGETS - values))
                gauss = np.linalg.eigvalsh(jacobian.T @ (jacobian * (odds * (1 - odds))[:, None]) / 8)[::-1]
                kernel = np.linalg.eigvalsh(jacobian @ jacobian.T)[::-1]
                each = jacobian * (values - TARGETS)[:, None]
                units = each / np.linalg.norm(each, axis=1, keepdims=True)
                cosines = units @ units.T
                np.testing.assert_allclose(found["hessian"][row], exact[[0, 1, 2, 19, 20]], rtol=1e-6, atol=1e-7)
                np.testing.assert_allclose(found["whole"][row], exact, rtol=1e-6, atol=1e-7)
                np.testing.assert_allclose(found["of_kernel"][row], np.linalg.eigvalsh(dense[:12, :12])[-1:], rtol=1e-3)
                np.testing.assert_allclose(found["gauss_newton"][row], gauss[[0, 1, 20]], rtol=1e-6, atol=1e-7)
                np.testing.assert_allclose(found["kernel"][row], kernel[[0, 1, 2, 7]], rtol=1e-9, atol=1e-12)
                np.testing.assert_allclose(found["length"][row], np.linalg.norm(gradient(w)), rtol=1e-9)
                np.testing.assert_allclose(found["alignment"][row], (cosines.sum() - 8) / 56, rtol=1e-9)
                assert abs(found["trace"][row] - np.trace(dense)) < 2 * found["trace_floor"][row]
                spread = np.sqrt(2 * (np.sum(dense**2) - np.sum(np.diag(dense) ** 2)) / 400)
                np.testing.assert_allclose(found["trace_floor"][row], 2 * spread, rtol=0.25)


def of_matrices(*matrices: Any) -> Product:
    """Matrices that are written out."""
    dense = np.stack(matrices)
    return Product(lambda v: np.einsum("rij,rj->ri", dense, v), lambda: dense, len(matrices), dense.shape[1])


def with_eigenvalues(*values: float, size: int = 60) -> Any:
    """A symmetric matrix with some eigenvalues; the others lie between -1 and 1."""
    generator = np.random.default_rng(1)
    rotation, _ = np.linalg.qr(generator.standard_normal((size, size)))
    every = np.concatenate([values, generator.uniform(-1, 1, size - len(values))])
    return rotation @ np.diag(every) @ rotation.T


def test_equal_eigenvalues_are_all_found_and_each_row_has_its_own() -> None:
    """Several equal ones, none at all (the zero matrix), and negative ones that are largest in size."""
    matrices = [with_eigenvalues(5.0, 5.0, 5.0, -3.0), np.zeros((60, 60)), with_eigenvalues(2.0, -9.0, -9.0, -9.0)]
    found = lanczos(of_matrices(*matrices), 3, 2, 1e-9)
    exact = np.stack([np.linalg.eigvalsh(m)[[-1, -2, -3, 1, 0]] for m in matrices])
    np.testing.assert_allclose(found, exact, atol=1e-8)


@pytest.mark.parametrize("tolerance", [0.3, 1e-2, 1e-4])
def test_the_error_is_below_the_tolerance(tolerance: float) -> None:
    """As a share of the largest eigenvalue in size; of a spectrum without gaps."""
    matrix = np.diag(np.linspace(-1, 1, 400))
    calls: list[int] = []
    given = Product(lambda v: calls.append(1) or v @ matrix, lambda: matrix, 1, 400)  # type: ignore[func-returns-value]
    found = lanczos(given, 1, 1, tolerance)
    assert np.abs(found - [[1.0, -1.0]]).max() <= tolerance
    assert len(calls) < 400


def test_what_is_not_reached_or_not_finite_is_undefined() -> None:
    """A row that has no finite entries does not touch the others."""
    bad = np.full((30, 30), np.nan)
    found = lanczos(of_matrices(bad, with_eigenvalues(4.0, size=30)), 1, 0, 1e-6)
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], [4.0], rtol=1e-6)
