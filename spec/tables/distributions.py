"""The table of distributions: how each is called, what it draws, and how words of random bits become its values.

`numpy` maps 32-bit words to values and is the oracle of the compiled sampler. Every sample is a pure function of
its own words, so the same words give the same value wherever it is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..ir.types import Shape
from .bounds import ANY, COUNT, NOT_NEGATIVE, POSITIVE, SHARE, Bounds
from .by_name import by_name
from .gamma_draws import (
    GAMMA_WORDS,
    POISSON_MOST,
    POISSON_RATE,
    beta,
    gamma,
    multivariate_normal,
    orthogonal_matrix,
    poisson,
    student_t,
)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: `real` broadcasts against the sample, `vector` is one array, `matrix` a square one, `size` is a constant.

    Its entries lie within `bounds`, and not above the parameter that `under` names; the sum of weights is not 0.
    """

    name: str
    kind: str
    default: float | None = None
    bounds: Bounds = ANY
    under: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A row of the table.

    `words(sizes)` is how many words one sample takes (a fraction where one word holds several); `event(sizes)` is the
    shape of one sample; `shaped` says whether a trailing shape asks for independent copies. `between` gives the least and
    the largest value of ints, of the sizes and of the lengths of vectors, `apart` how far each is from the next. `transcendental`: each value takes a logarithm or
    a polynomial, which costs more than its random bits.
    """

    name: str
    parameters: tuple[Parameter, ...]
    meaning: str
    kind: str
    numpy: Callable[..., Any]
    source: str = ""
    shaped: bool = True
    per_word: int = 1
    words: Callable[[Mapping[str, int]], int] = lambda sizes: 1
    event: Callable[[Mapping[str, int]], Shape] = lambda sizes: ()
    between: Callable[[Mapping[str, int]], tuple[int, int]] | None = None
    apart: int = 1
    transcendental: bool = False

    @property
    def signature(self) -> str:
        """How it is called."""
        given = [f"{p.name}" if p.default is None else f"{p.name}={p.default:g}" for p in self.parameters]
        return f"({', '.join([*given, 'shape'] if self.shaped else given)})"

    @property
    def limits(self) -> tuple[str, ...]:
        """What its parameters may be.

        >>> DISTRIBUTIONS["normal"].limits, DISTRIBUTIONS["uniform"].limits
        (('deviation ≥ 0',), ('low ≤ high',))
        """
        found = [f"{p.name} {p.bounds.interval}" for p in self.parameters if p.bounds.interval]
        return (*found, *(f"{p.name} ≤ {p.under}" for p in self.parameters if p.under))


def bind(row: Distribution, lists: Sequence[bool], keywords: Sequence[str]) -> dict[str, int | str]:
    """Which argument gives which parameter: a position or a keyword. Raises ValueError in prose.

    `lists[i]` says whether argument i is an array; `normal([d])` gives a shape, since both its parameters have
    defaults, and so does the array after the last parameter.
    """
    names = [parameter.name for parameter in row.parameters]
    bound: dict[str, int | str] = {}
    positions = list(range(len(lists)))
    defaults = all(parameter.default is not None for parameter in row.parameters)
    if row.shaped and positions and lists[-1] and "shape" not in keywords:
        vector = any(parameter.kind == "vector" for parameter in row.parameters)
        if len(lists) == len(names) + 1 or (defaults and len(lists) == 1) or (not vector and len(lists) > 1):
            bound["shape"] = positions.pop()
    if len(positions) > len(names):
        raise ValueError(f"`{row.name}{row.signature}` is given {len(lists)} arguments")
    bound.update(zip(names, positions, strict=False))
    for name in keywords:
        if name in bound:
            raise ValueError(f"'{name}' of `{row.name}` is given twice")
        if name not in names and not (name == "shape" and row.shaped):
            raise ValueError(f"`{row.name}` has no parameter '{name}'; it is `{row.name}{row.signature}`")
        bound[name] = name
    missing = [p.name for p in row.parameters if p.default is None and p.name not in bound]
    if missing:
        raise ValueError(f"`{row.name}{row.signature}` lacks '{missing[0]}'")
    return bound


def unit(words: Array) -> Array:
    """Numbers in [0, 1): the top 24 bits of each word, exact in float32."""
    return np.asarray(words >> np.uint32(8), dtype=np.float64) * 2.0**-24


def centred(words: Array) -> Array:
    """Numbers in (0, 1), symmetric about 1/2: the middles of 2²⁴ cells."""
    return unit(words) + 2.0**-25


_STANDARD = NormalDist()
_quantile = np.vectorize(_STANDARD.inv_cdf, otypes=[float])
_TAIL = _STANDARD.cdf(-2.0)


def _integer(words: Array, n: int) -> Array:
    return np.asarray((words.astype(np.uint64) * np.uint64(n)) >> np.uint64(32), dtype=np.int64)


def _coins(words: Array, count: int) -> Array:
    bits = (words[..., :, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)
    flat = bits.reshape(*words.shape[:-1], -1)[..., :count]
    return 1 - 2 * flat.astype(np.int64)


def _permutation(words: Array) -> Array:
    return np.argsort(words, axis=-1, kind="stable")


def _categorical(words: Array, p: Array) -> Array:
    edges = np.cumsum(p / np.sum(p, axis=-1, keepdims=True), axis=-1)
    hit = np.sum(unit(words)[..., None] >= edges, axis=-1)
    indices: Array = np.minimum(hit, np.shape(p)[-1] - 1)
    return indices


def _laplace(words: Array, location: Any, scale: Any) -> Array:
    u = centred(words) - 0.5
    return np.asarray(location - scale * np.sign(u) * np.log1p(-2 * np.abs(u)))


DISTRIBUTIONS: Mapping[str, Distribution] = by_name(
    (
        Distribution(
            "normal", (Parameter("mean", "real", 0.0), Parameter("deviation", "real", 1.0, NOT_NEGATIVE)),
            "a Gaussian, by the inverse of its distribution function; its tails end at 5.4 deviations", "real",
            lambda words, mean, deviation: mean + deviation * _quantile(centred(words)), transcendental=True,
        ),
        Distribution(
            "truncated_normal", (Parameter("mean", "real", 0.0), Parameter("deviation", "real", 1.0, NOT_NEGATIVE)),
            "a Gaussian cut off at two deviations on either side", "real",
            lambda words, mean, deviation: mean + deviation * _quantile(_TAIL + (1 - 2 * _TAIL) * centred(words)),
            transcendental=True,
        ),
        Distribution(
            "uniform", (Parameter("low", "real", 0.0, under="high"), Parameter("high", "real", 1.0)),
            "uniformly between low and high, in steps of 2⁻²⁴ of the width", "real",
            lambda words, low, high: low + (high - low) * unit(words),
        ),
        Distribution(
            "exponential", (Parameter("rate", "real", 1.0, POSITIVE),), "waiting times, with mean 1 / rate", "real",
            lambda words, rate: -np.log1p(-unit(words)) / rate, transcendental=True,
        ),
        Distribution(
            "laplace", (Parameter("location", "real", 0.0), Parameter("scale", "real", 1.0, NOT_NEGATIVE)),
            "a two-sided exponential", "real", _laplace, transcendental=True,
        ),
        Distribution(
            "bernoulli", (Parameter("p", "real", None, SHARE),), "1 with probability p, else 0", "int",
            lambda words, p: (unit(words) < p).astype(np.int64), between=lambda sizes: (0, 1),
        ),
        Distribution(
            "rademacher", (), "-1 or 1, each with probability 1/2; 32 of them from one word", "int", _coins, per_word=32,
            between=lambda sizes: (-1, 1), apart=2,
        ),
        Distribution(
            "integer", (Parameter("n", "size", None, COUNT),),
            "one of 0, …, n - 1, each with probability 1 / n to 2⁻³²; n is at most 2³¹", "int", _integer,
            between=lambda sizes: (0, sizes["n"] - 1),
        ),
        Distribution(
            "categorical", (Parameter("p", "vector", None, NOT_NEGATIVE),), "i with probability p[i] / sum(p)", "int", _categorical,
            between=lambda sizes: (0, sizes["p"] - 1),
        ),
        Distribution(
            "permutation", (Parameter("n", "size", None, COUNT),), "0, …, n - 1 in random order", "int",
            lambda words, n: _permutation(words), shaped=False,
            words=lambda sizes: sizes["n"], event=lambda sizes: (sizes["n"],), between=lambda sizes: (0, sizes["n"] - 1),
        ),
        Distribution(
            "subset", (Parameter("n", "size", None, COUNT), Parameter("k", "size", None, COUNT, under="n")), "k different ones of 0, …, n - 1, in random order",
            "int", lambda words, n, k: _permutation(words)[..., :k], shaped=False,
            words=lambda sizes: sizes["n"], event=lambda sizes: (sizes["k"],), between=lambda sizes: (0, sizes["n"] - 1),
        ),
        Distribution(
            "gamma", (Parameter("concentration", "real", None, POSITIVE), Parameter("rate", "real", 1.0, POSITIVE)),
            "waiting times until so many events, with mean concentration / rate; 13 words each, by rejection of at most 6 proposals: exact "
            "except for a share of 2e-8, where the last one is kept", "real", gamma, source="Marsaglia & Tsang 2000",
            words=lambda sizes: GAMMA_WORDS, transcendental=True,
        ),
        Distribution(
            "beta", (Parameter("a", "real", None, POSITIVE), Parameter("b", "real", None, POSITIVE)),
            "between 0 and 1, with mean a / (a + b); of two gammas, 26 words", "real", beta,
            words=lambda sizes: 2 * GAMMA_WORDS, transcendental=True,
        ),
        Distribution(
            "student_t", (Parameter("freedom", "real", None, POSITIVE), Parameter("location", "real", 0.0), Parameter("scale", "real", 1.0, NOT_NEGATIVE)),
            "a normal over the root of a chi-squared per degree of freedom: heavy tails; of a gamma, 14 words", "real", student_t,
            words=lambda sizes: GAMMA_WORDS + 1, transcendental=True,
        ),
        Distribution(
            "poisson", (Parameter("rate", "real", None, Bounds(0, POISSON_RATE)),),
            f"how many events come where `rate` are expected, at most {POISSON_MOST}; by the inverse of its distribution function, in steps of 2⁻³²", "int", poisson,
            between=lambda sizes: (0, POISSON_MOST), transcendental=True,
        ),
        Distribution(
            "multivariate_normal", (Parameter("mean", "vector"), Parameter("covariance", "matrix")),
            "a Gaussian vector [n], as mean + l · z with the Cholesky factor l of the covariance, which is positive definite", "real", multivariate_normal,
            words=lambda sizes: sizes["n"], event=lambda sizes: (sizes["n"],), transcendental=True,
        ),
        Distribution(
            "orthogonal_matrix", (Parameter("n", "size", None, COUNT),),
            "an orthogonal matrix [n, n], uniform over all (Haar), as the q of a matrix of normals", "real", orthogonal_matrix, source="Mezzadri 2007",
            shaped=False, words=lambda sizes: sizes["n"] ** 2, event=lambda sizes: (sizes["n"], sizes["n"]), transcendental=True,
        ),
    ),
    "distribution",
)  # fmt: skip


def words_needed(row: Distribution, shape: Shape, sizes: Mapping[str, int]) -> int:
    """How many 32-bit words one sample of a shape takes."""
    return math.ceil(math.prod(shape) * row.words(sizes) / row.per_word)
