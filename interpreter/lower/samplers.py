"""Compiled samplers: words of random bits to values, one for each row of the table of distributions.

Everything discrete, and the unit uniform, is exact, so it is the same to the bit in XLA and in the plain graph. Normals
agree to a few units in the last place: the same polynomial, with its products fused or not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import tensorflow as tf
from dlspec.spec.ir.types import Shape
from dlspec.spec.tables.distributions import DISTRIBUTIONS, Distribution

from ..registry import Registry

Sampler = Callable[..., Any]
SAMPLERS: Registry[Sampler] = Registry("distribution", "sampler")
samples = SAMPLERS
"""As a decorator: `@samples("name")`."""
STANDARD: Registry[Sampler] = Registry("distribution", "standard member")
"""What a family's sampler takes in place of words: what each word gives before any parameter has a say, and all that is costly in it."""
_TAIL = NormalDist().cdf(-2.0)


def sample(
    name: str, words: Any, shape: Shape, sizes: Mapping[str, int], parameters: Mapping[str, Any], dtype: Any,
    late: Sequence[str] = (), standard: bool = False,
) -> Any:  # fmt: skip
    """Values [..., *shape, *event] from words [..., W], or from what its `standard` member made of them; parameters broadcast against [..., *shape].

    `late` are parameters that nobody has seen before: where one is out of its bounds, real values are NaN.
    """
    row = DISTRIBUTIONS[name]
    parameters = {key: _bounded(row, key, parameters) if late else value for key, value in parameters.items()}
    if row.per_word == 1:
        lead = words.shape[:-1].as_list()
        several = row.words(sizes) > 1 or row.event(sizes)
        each = (row.words(sizes),) if several else ()
        words = tf.reshape(words, [-1 if size is None else size for size in lead] + [*shape, *each])
        if name in STANDARD and not standard:
            words = STANDARD[name](words, dtype)
        return SAMPLERS[name](words, dtype=dtype, **sizes, **parameters)
    flat = SAMPLERS[name](words, count=math.prod(shape), dtype=dtype)
    return tf.reshape(flat, [-1 if size is None else size for size in words.shape[:-1].as_list()] + list(shape))


def _bounded(row: Distribution, name: str, parameters: Mapping[str, Any]) -> Any:
    """A parameter, where it is out of its bounds NaN; of what draws whole numbers, at the nearest bound."""
    value = parameters[name]
    (parameter,) = (item for item in row.parameters if item.name == name)
    bounds = parameter.bounds
    low, high = (None if end is None else tf.constant(end, value.dtype) for end in (bounds.least, bounds.most))
    if row.kind == "int":
        value = value if low is None else tf.maximum(value, low)
        return value if high is None else tf.minimum(value, high)
    inside = [] if low is None else [value > low if bounds.above else value >= low]
    inside += [] if high is None else [value < high if bounds.below else value <= high]
    inside += [value <= parameters[parameter.under]] if parameter.under else []
    for condition in inside:
        value = tf.where(condition, value, tf.constant(math.nan, value.dtype))
    return value


def _top(words: Any, dtype: Any) -> Any:
    """The top 24 bits of each word as a number; exact in float32."""
    return tf.cast(tf.cast(tf.bitwise.right_shift(words, tf.constant(8, tf.uint32)), tf.int32), dtype)


def unit(words: Any, dtype: Any) -> Any:
    """Numbers in [0, 1), multiples of 2⁻²⁴."""
    return _top(words, dtype) * tf.constant(2.0**-24, dtype)


def standard(words: Any, dtype: Any, low: float = 0.0) -> Any:
    """Standard normals by the inverse distribution function, between its `low` and `1 - low` quantiles.

    With v = 2u - 1 computed exactly from the middles of 2²⁴ cells: √2 · erfinv((1 - 2 · low) · v).
    """
    centre = (_top(words, dtype) - tf.constant(2.0**23 - 0.5, dtype)) * tf.constant(2.0**-23, dtype)
    inner = centre * tf.constant(1 - 2 * low, dtype) if low else centre
    return _quantile(inner) if dtype == tf.float32 else tf.constant(math.sqrt(2.0), dtype) * tf.math.erfinv(inner)


# In f - 3/2, f in [1, 2): -(log 2 / 8) · (log2 f - (f - 1)) - 1.
_LOGARITHM = (
    -0.00131051103,
    0.0021767742,
    -0.00323277758,
    0.00611612387,
    -0.0123506114,
    0.0277806744,
    0.00331017817,
    -1.00736146,
)
# In w / 8 - 1: √2 · erfinv(x) / x.
_QUANTILE = (
    0.0101717142,
    -0.0125543671,
    -0.0294825826,
    0.0511488914,
    0.0011483269,
    -0.0435478836,
    0.0455694497,
    -0.0557356961,
    0.0597133487,
    -0.0240288563,
    -0.0516043305,
    0.177946597,
    -0.457564265,
    1.99525142,
    3.76384258,
)


def _quantile(x: Any) -> Any:
    """The normal quantile of (1 + x) / 2 in single precision, to 9e-7, for |x| ≤ 1 - 2⁻²⁴.

    As in Giles 2010 ("Approximating the erfinv function"), x times a polynomial in w = -log(1 - x²), but in one piece, of
    degree 14, and with a logarithm made for the purpose: 1 - x² is neither zero, subnormal nor infinite. Its bits, as a whole
    number, are log2 but for a polynomial of its fraction. Both are minimax fits (relative error 6.0e-8, and 2.4e-8 in w / 8).
    TensorFlow's own erfinv goes through (x + 1) / 2 outside XLA: it loses the upper tail, and is infinite at the last cell.
    """
    bits = tf.bitcast((1.0 - x) * (1.0 + x), tf.int32)
    one = tf.constant(0x3F800000, tf.int32)
    fraction = tf.bitcast(
        tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(bits, tf.constant(0x7FFFFF, tf.int32)), one), x.dtype
    )
    straight = tf.constant(-math.log(2.0) / 8.0 * 2.0**-23, x.dtype) * tf.cast(bits - one, x.dtype)
    return _polynomial(_QUANTILE, straight + _polynomial(_LOGARITHM, fraction - 1.5)) * x


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """Horner's scheme, the highest power first."""
    value: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        value = coefficient + value * x
    return value


@STANDARD("normal")
def _standard_normal(words: Any, dtype: Any) -> Any:
    return standard(words, dtype)


@STANDARD("truncated_normal")
def _standard_truncated(words: Any, dtype: Any) -> Any:
    return standard(words, dtype, _TAIL)


@samples("normal")
@samples("truncated_normal")
def _normal(values: Any, mean: Any, deviation: Any, dtype: Any) -> Any:
    return mean + deviation * values


@samples("uniform")
def _uniform(words: Any, low: Any, high: Any, dtype: Any) -> Any:
    # The width is cut to 29 binary digits, less than a thirtieth of a step, so that its product with the unit's 24 is
    # exact in float64, and fusing that with the sum cannot change the result.
    low, high = tf.cast(low, tf.float64), tf.cast(high, tf.float64)
    width = tf.bitcast(
        tf.bitwise.bitwise_and(tf.bitcast(high - low, tf.int64), tf.constant(-(2**24), tf.int64)), tf.float64
    )
    return tf.cast(low + width * unit(words, tf.float64), dtype)


@STANDARD("exponential")
def _standard_exponential(words: Any, dtype: Any) -> Any:
    return -tf.math.log1p(-unit(words, dtype))


@samples("exponential")
def _exponential(values: Any, rate: Any, dtype: Any) -> Any:
    return values / rate


@samples("laplace")
def _laplace(words: Any, location: Any, scale: Any, dtype: Any) -> Any:
    centre = (_top(words, dtype) - tf.constant(2.0**23 - 0.5, dtype)) * tf.constant(2.0**-24, dtype)
    return location - scale * tf.sign(centre) * tf.math.log1p(-2.0 * tf.abs(centre))


@samples("bernoulli")
def _bernoulli(words: Any, p: Any, dtype: Any) -> Any:
    return tf.cast(unit(words, tf.float64) < tf.cast(p, tf.float64), tf.int32)


@samples("rademacher")
def _rademacher(words: Any, count: int, dtype: Any) -> Any:
    places = tf.cast(tf.range(32, dtype=tf.int32), tf.uint32)
    bits = tf.bitwise.bitwise_and(tf.bitwise.right_shift(words[..., tf.newaxis], places), tf.constant(1, tf.uint32))
    shape = words.shape[:-1].as_list()
    flat = tf.reshape(
        tf.cast(bits, tf.int32), [-1 if size is None else size for size in shape] + [32 * words.shape[-1]]
    )
    return 1 - 2 * flat[..., :count]


@samples("integer")
def _integer(words: Any, n: int, dtype: Any) -> Any:
    wide = tf.cast(words, tf.uint64) * tf.constant(n, tf.uint64)
    return tf.cast(tf.bitwise.right_shift(wide, tf.constant(32, tf.uint64)), tf.int32)


@samples("categorical")
def _categorical(words: Any, p: Any, dtype: Any) -> Any:
    p = tf.cast(p, tf.float64)
    edges = tf.cumsum(p / tf.reduce_sum(p, axis=-1, keepdims=True), axis=-1)
    rank = words.shape.rank - (edges.shape.rank - 1)
    shape = tf.concat([tf.shape(edges)[:-1], tf.ones([rank], tf.int32), tf.shape(edges)[-1:]], axis=0)
    hit = unit(words, tf.float64)[..., tf.newaxis] >= tf.reshape(edges, shape)
    return tf.minimum(tf.reduce_sum(tf.cast(hit, tf.int32), axis=-1), p.shape[-1] - 1)


def _order(words: Any) -> Any:
    """A stable order of words, ties by place; compared as signed numbers after a flip of the top bit."""
    flipped = tf.bitwise.bitwise_xor(words, tf.constant(2**31, tf.uint32))
    return tf.argsort(tf.bitcast(flipped, tf.int32), axis=-1, stable=True)


@samples("permutation")
def _permutation(words: Any, n: int, dtype: Any) -> Any:
    return _order(words)


@samples("subset")
def _subset(words: Any, n: int, k: int, dtype: Any) -> Any:
    return _order(words)[..., :k]
