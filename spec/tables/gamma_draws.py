"""Draws that are made of several words each, by NumPy: gammas by rejection with a bounded number of proposals, and what is made of them.

A gamma with a concentration of 1 or more takes the first of `PROPOSALS` that is accepted (Marsaglia & Tsang 2000); each is accepted with a
probability of at least 0.95, so that none is once in 7e7 draws, or more seldom, where the last stands. All is computed in float64.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

PROPOSALS = 6
"""Of each gamma: two words each, a normal and a uniform."""
GAMMA_WORDS = 2 * PROPOSALS + 1
"""The last is for concentrations below 1: there G(a) = G(a + 1) · u^(1/a)."""
POISSON_RATE = 100
POISSON_MOST = 180
"""The largest Poisson number: at the largest rate a larger one comes once in 10¹² draws."""

_quantile = np.vectorize(NormalDist().inv_cdf, otypes=[float])


def _centred(words: Array) -> Array:
    """Numbers in (0, 1), the middles of 2²⁴ cells, as `distributions.centred`."""
    return np.asarray(words >> np.uint32(8), dtype=np.float64) * 2.0**-24 + 2.0**-25


def log_gamma_draw(words: Array, concentration: Any) -> Array:
    """The logarithm of a gamma draw of rate 1, of words [..., GAMMA_WORDS]."""
    concentration = np.asarray(concentration, float)
    d = (concentration + (concentration < 1) - 1 / 3)[..., None]
    x, u = _quantile(_centred(words[..., :PROPOSALS])), _centred(words[..., PROPOSALS : 2 * PROPOSALS])
    root = 1 + x / np.sqrt(9 * d)
    log_v = 3 * np.log(np.where(root > 0, root, 1.0))
    accepted = (root > 0) & (np.log(u) < x * x / 2 + d - d * np.exp(log_v) + d * log_v)
    place = np.where(accepted.any(axis=-1), accepted.argmax(axis=-1), PROPOSALS - 1)[..., None]
    made = np.take_along_axis(np.log(d) + log_v, place, axis=-1)[..., 0]
    boost = np.log(_centred(words[..., -1])) / concentration
    return np.asarray(made + np.where(concentration < 1, boost, 0.0))


def gamma(words: Array, concentration: Any, rate: Any) -> Array:
    """Of words [..., GAMMA_WORDS]."""
    return np.asarray(np.exp(log_gamma_draw(words, concentration)) / rate)


def beta(words: Array, a: Any, b: Any) -> Array:
    """G(a) / (G(a) + G(b)), of words [..., 2 GAMMA_WORDS]."""
    gap = log_gamma_draw(words[..., GAMMA_WORDS:], b) - log_gamma_draw(words[..., :GAMMA_WORDS], a)
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(gap)))


def student_t(words: Array, freedom: Any, location: Any, scale: Any) -> Array:
    """A normal over the root of a chi-squared per degree of freedom, of words [..., 1 + GAMMA_WORDS]."""
    half = np.asarray(freedom, float) / 2
    spread = np.exp((np.log(half) - log_gamma_draw(words[..., 1:], half)) / 2)
    return np.asarray(location + scale * _quantile(_centred(words[..., 0])) * spread)


def poisson(words: Array, rate: Any) -> Array:
    """The least number whose distribution function is above a uniform of 32 bits."""
    rate, number = np.asarray(rate, float)[..., None], np.arange(POISSON_MOST)
    logs = np.array([math.lgamma(k + 1) for k in range(POISSON_MOST)])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.exp(np.where(number == 0, 0.0, number * np.log(rate)) - rate - logs)
    u = (words.astype(np.float64) + 0.5) * 2.0**-32
    return np.asarray(np.sum(u[..., None] >= np.cumsum(share, axis=-1), axis=-1), dtype=np.int64)


def multivariate_normal(words: Array, mean: Any, covariance: Any) -> Array:
    """mean + l · z, with the Cholesky factor l of the covariance, of words [..., n]."""
    factor = np.linalg.cholesky(np.asarray(covariance, float))
    return np.asarray(mean + np.einsum("...ij,...j->...i", factor, _quantile(_centred(words))))


def orthogonal_matrix(words: Array, n: int) -> Array:
    """The q of a matrix of normals whose r has a diagonal above 0 (Mezzadri 2007), of words [..., n²]."""
    q, r = np.linalg.qr(_quantile(_centred(words)).reshape(*words.shape[:-1], n, n))
    return np.asarray(q * np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :])
