"""Eigenvalues and traces of matrices that are known by their products alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from dlspec.spec.ir import terms as t

from .matrices import SPECTRA, Array, Product

MAX_KRYLOV = 512
"""The largest space in which eigenvalues are looked for; one that is not found there is undefined."""
MAX_BYTES = 2**30
"""What the vectors of that space take at most."""
SEED = 0
"""The vectors to begin with are the same everywhere: results are, too."""


@SPECTRA("hessian_eigenvalues")
@SPECTRA("gauss_newton_eigenvalues")
def eigenvalues(matrix: Product, term: t.GradientStatistic) -> tuple[Array, None]:
    """The largest, then the smallest, each from the largest down: [R, values]; NaN where the tolerance is not reached."""
    largest, smallest = int(term.options["largest"]), int(term.options["smallest"])
    return lanczos(matrix, largest, smallest, float(term.options["tolerance"])), None


def lanczos(matrix: Product, largest: int, smallest: int, tolerance: float) -> Array:
    """Eigenvalues by block Lanczos with full reorthogonalisation: [R, largest + smallest], from the largest down.

    An eigenvalue θ of the projected matrix lies within the norm of its residual of one of the matrix's. It is taken once that norm is
    at most `tolerance` times the largest size of all θ. As many vectors go side by side as eigenvalues are asked for at an
    end, so that equal ones are all found.

    Source: Golub, Underwood 1977; Parlett 1998, section 13.
    """
    replicates, size = matrix.replicates, matrix.size
    width = min(max(largest, smallest, 1), size)
    most = min(size, MAX_KRYLOV, max(4 * width, MAX_BYTES // (8 * replicates * size)))
    generator = np.random.default_rng(SEED)
    basis = np.zeros((replicates, 0, size))
    images = np.zeros((replicates, 0, size))
    block = np.broadcast_to(generator.standard_normal((width, size)), (replicates, width, size))
    while True:
        block = _orthonormal(block, basis, generator)
        basis = np.concatenate([basis, block], axis=1)
        products = np.stack([matrix.times(block[:, place]) for place in range(block.shape[1])], axis=1)
        images = np.concatenate([images, products], axis=1)
        values, residuals, scale = _ritz(basis, images, largest, smallest)
        if not np.isfinite(values).all(axis=1).any():
            return values
        reached = residuals <= tolerance * scale[:, np.newaxis]
        unknown = np.isnan(residuals)
        if basis.shape[1] >= most or (reached | unknown).all():
            exact = basis.shape[1] >= size
            return np.where(reached | exact, values, np.nan)
        block = products[:, : most - basis.shape[1]]


def _orthonormal(block: Array, basis: Array, generator: np.random.Generator) -> Array:
    """A block [R, b, P] as orthonormal vectors at right angles to a basis [R, k, P]; what lies within it gives way to a random vector."""
    vectors = [np.zeros_like(basis[:, :0])]
    for place in range(block.shape[1]):
        vector = block[:, place]
        against = np.concatenate([basis, *vectors], axis=1)
        for _ in range(3):
            length = np.linalg.norm(vector, axis=1)
            shorter = _apart(_apart(vector, against), against)
            after = np.linalg.norm(shorter, axis=1)
            lost = ~(after > 1e-10 * length)
            vector = np.where(lost[:, np.newaxis], generator.standard_normal(vector.shape), shorter)
            if not lost.any():
                break
        vectors.append((vector / np.linalg.norm(vector, axis=1, keepdims=True))[:, np.newaxis])
    return np.concatenate(vectors, axis=1)


def _apart(vector: Array, basis: Array) -> Array:
    """A vector [R, P] less its part within a basis [R, k, P]."""
    shares = np.einsum("rkp,rp->rk", basis, vector)
    return np.asarray(vector - np.einsum("rk,rkp->rp", shares, basis))


def _ritz(basis: Array, images: Array, largest: int, smallest: int) -> tuple[Array, Array, Array]:
    """Of the matrix projected on a basis the eigenvalues asked for, the norms of their residuals, [R, values], and the largest size, [R].

    Where it has fewer than asked for, residuals are infinite.
    """
    projected = np.einsum("rkp,rlp->rkl", basis, images)
    projected = (projected + np.swapaxes(projected, 1, 2)) / 2
    count = largest + smallest
    replicates, known = projected.shape[0], projected.shape[1]
    values = np.full((replicates, count), np.nan)
    residuals = np.full((replicates, count), np.inf)
    scale = np.zeros(replicates)
    for row in range(replicates):
        if not np.isfinite(projected[row]).all():
            residuals[row] = np.nan
            continue
        theta, vectors = np.linalg.eigh(projected[row])
        scale[row] = np.abs(theta).max()
        if known < count:
            values[row, :] = 0
            continue
        chosen = np.concatenate([np.arange(known - 1, known - 1 - largest, -1), np.arange(smallest - 1, -1, -1)])
        values[row] = theta[chosen]
        apart = vectors[:, chosen].T @ images[row] - theta[chosen, np.newaxis] * (vectors[:, chosen].T @ basis[row])
        residuals[row] = np.linalg.norm(apart, axis=1)
    return values, residuals, scale


@SPECTRA("hessian_trace")
def trace(matrix: Product, term: t.GradientStatistic) -> tuple[Array, Array]:
    """The mean of zᵀHz over vectors of random signs z, and two standard errors of it: [R] each. Hutchinson 1990."""
    probes = int(term.options["probes"])
    generator = np.random.default_rng(SEED)
    samples = []
    for _ in range(probes):
        signs = np.broadcast_to(generator.choice([-1.0, 1.0], matrix.size), (matrix.replicates, matrix.size))
        samples.append(np.einsum("rp,rp->r", signs, matrix.times(signs)))
    values = np.stack(samples)
    spread = values.std(axis=0, ddof=1) if probes > 1 else np.full(matrix.replicates, np.nan)
    return values.mean(axis=0), 2 * spread / np.sqrt(probes)


@SPECTRA("ntk_eigenvalues")
def kernel(matrix: Product, term: t.GradientStatistic) -> tuple[Array, None]:
    """Eigenvalues of the inner products of the examples' gradients: [R, values]."""
    largest, smallest = int(term.options["largest"]), int(term.options["smallest"])
    rows = matrix.rows()
    eigenvalues_by_row: list[Any] = []
    for each in rows:
        inner = each @ each.T
        if not np.isfinite(inner).all():
            eigenvalues_by_row.append(np.full(largest + smallest, np.nan))
            continue
        values = np.linalg.eigvalsh(inner)[::-1]
        eigenvalues_by_row.append(np.concatenate([values[:largest], values[len(values) - smallest :]]))
    return np.stack(eigenvalues_by_row), None
