"""Compiled samplers of draws made of several words, in float64: so both forms take the same of the proposals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.tables.gamma_draws import GAMMA_WORDS, POISSON_MOST, PROPOSALS

from .decompositions import cholesky
from .samplers import samples, standard, unit
from .undefined_kept import is_nan

WIDE = tf.float64


def _centred(words: Any) -> Any:
    """Numbers in (0, 1), the middles of 2²⁴ cells."""
    return unit(words, WIDE) + tf.constant(2.0**-25, WIDE)


def _log_gamma_draw(words: Any, concentration: Any) -> Any:
    """The logarithm of a gamma draw of rate 1, of words [..., GAMMA_WORDS]."""
    one = tf.ones([], WIDE)
    small = concentration < 1
    d = tf.where(small, concentration + 1, concentration)[..., tf.newaxis] - 1 / 3
    x, u = standard(words[..., :PROPOSALS], WIDE), _centred(words[..., PROPOSALS : 2 * PROPOSALS])
    root = 1 + x / tf.sqrt(9 * d)
    log_v = 3 * tf.math.log(tf.where(root > 0, root, one))
    accepted = (root > 0) & (tf.math.log(u) < x * x / 2 + d - d * tf.exp(log_v) + d * log_v)
    # The first that is accepted; the last where none is.
    before = tf.cumsum(tf.cast(accepted, tf.int32), axis=-1, exclusive=True)
    last = tf.range(PROPOSALS) == PROPOSALS - 1
    taken = (before == 0) & (accepted | last)
    made = tf.reduce_sum(tf.where(taken, tf.math.log(d) + log_v, tf.zeros([], WIDE)), axis=-1)
    boost = tf.math.log(_centred(words[..., -1])) / concentration
    drawn = made + tf.where(small, boost, tf.zeros([], WIDE))
    return tf.where(is_nan(concentration), concentration, drawn)


def _wide(value: Any) -> Any:
    return tf.cast(value, WIDE)


@samples("gamma")
def _gamma(words: Any, concentration: Any, rate: Any, dtype: Any) -> Any:
    return tf.cast(tf.exp(_log_gamma_draw(words, _wide(concentration))) / _wide(rate), dtype)


@samples("beta")
def _beta(words: Any, a: Any, b: Any, dtype: Any) -> Any:
    first, other = words[..., :GAMMA_WORDS], words[..., GAMMA_WORDS:]
    return tf.cast(tf.sigmoid(_log_gamma_draw(first, _wide(a)) - _log_gamma_draw(other, _wide(b))), dtype)


@samples("student_t")
def _student_t(words: Any, freedom: Any, location: Any, scale: Any, dtype: Any) -> Any:
    half = _wide(freedom) / 2
    spread = tf.exp((tf.math.log(half) - _log_gamma_draw(words[..., 1:], half)) / 2)
    return tf.cast(_wide(location) + _wide(scale) * standard(words[..., 0], WIDE) * spread, dtype)


@samples("poisson")
def _poisson(words: Any, rate: Any, dtype: Any) -> Any:
    rate = _wide(rate)[..., tf.newaxis]
    number = np.arange(POISSON_MOST, dtype=np.float64)
    logs = np.array([math.lgamma(k + 1) for k in range(POISSON_MOST)])
    share = tf.exp(tf.math.xlogy(tf.constant(number), rate) - rate - tf.constant(logs))
    below = tf.cast(tf.cast(words, tf.uint64), WIDE)
    u = (below + tf.constant(0.5, WIDE)) * tf.constant(2.0**-32, WIDE)
    return tf.reduce_sum(tf.cast(u[..., tf.newaxis] >= tf.cumsum(share, axis=-1), tf.int32), axis=-1)


def _beside(parameter: Any, event: int, words: Any) -> Any:
    """A parameter [..., *event axes] with the axes of independent copies, which words [..., *copies, n] have."""
    lead = parameter.shape.rank - event
    copies = words.shape.rank - 1 - lead
    shape = tf.shape(parameter)
    return tf.reshape(parameter, tf.concat([shape[:lead], [1] * copies, shape[lead:]], axis=0))


@samples("multivariate_normal")
def _multivariate_normal(words: Any, mean: Any, covariance: Any, dtype: Any, n: int) -> Any:
    factor = _beside(cholesky(_wide(covariance)), 2, words)
    moved = tf.reduce_sum(factor * standard(words, WIDE)[..., tf.newaxis, :], axis=-1)
    return tf.cast(_beside(_wide(mean), 1, words) + moved, dtype)


@samples("orthogonal_matrix")
def _orthogonal_matrix(words: Any, n: int, dtype: Any) -> Any:
    lead = [-1 if size is None else size for size in words.shape[:-1].as_list()]
    q, r = tf.linalg.qr(tf.reshape(standard(words, WIDE), [*lead, n, n]))
    signs = tf.where(tf.linalg.diag_part(r) < 0, -tf.ones([], WIDE), tf.ones([], WIDE))
    return tf.cast(q * signs[..., tf.newaxis, :], dtype)
