"""The sampling errors of measures: co-moments of the means, gathered chunk by chunk beside them, and what is made of these.

A chunk's moments are about its own means (two passes over values that are there), and are added up by the formula of Chan, Golub & LeVeque
(1983): no digits are lost where the means are large beside the spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations_with_replacement
from statistics import NormalDist
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import EstimatePlan, MeasurePlan, Program
from dlspec.spec.passes.few_values import between
from dlspec.spec.passes.sampled_means import means_of, means_within, quotients, share_left, stream_of
from dlspec.spec.tables.judges import ERROR

from ..lower import Value
from .nested_errors import Derivatives, NestedMoments, through_means

Pair = tuple[int, int]
"""Two expectations by their identities: their means' covariance, or one's variance."""
Moments = dict[Pair, Any]
"""The sums over examples of the products of two deviations, [R, …] by pair."""
DEVIATIONS = NormalDist().inv_cdf(1 - ERROR / 2)
AGREE = 1e-12
"""Up to which share of their width a mean is taken for one of the values that conditions give."""


class SamplingErrors:
    """Of a program's measures those with an error, and the pairs of means that it takes."""

    def __init__(self, program: Program, measures: Sequence[MeasurePlan]) -> None:
        self.means = {measure.name: found for measure in measures if (found := means_of(program, measure))}
        self.measures = [measure for measure in measures if measure.name in self.means]
        self.examples = {
            (measure.name, id(term)): measure.examples
            if isinstance(measure, EstimatePlan)
            else program.evaluated(stream_of(measure, term))
            for measure in self.measures
            for term in self.means[measure.name]
        }
        self.left = {measure.name: share_left(program, measure) for measure in self.measures}
        self.nested = [measure for measure in self.measures if any(map(means_within, self.means[measure.name]))]
        """Those with means within means, whose errors take a pass of their own."""
        self.between = {
            id(term): ends
            for measure in self.measures
            if measure not in self.nested
            for term in self.means[measure.name]
            if (ends := between(program, term.body)) is not None
        }
        """Between which values those means lie that are of conditions, by their identities."""
        self.pairs: list[Pair] = list(
            dict.fromkeys(
                pair for measure in self.measures if measure not in self.nested for pair in self.together(measure)
            )
        )

    def together(self, measure: MeasurePlan) -> list[Pair]:
        """The pairs of a measure's means that are over the same examples: others move apart from each other."""
        pairs = combinations_with_replacement(self.means[measure.name], 2)
        return [(id(a), id(b)) for a, b in pairs if stream_of(measure, a) == stream_of(measure, b)]

    def pairs_of(self, terms: Sequence[t.Expectation]) -> list[tuple[int, int]]:
        """The pairs among some expectations, by their places in the list."""
        places = {id(term): place for place, term in enumerate(terms)}
        return [(places[a], places[b]) for a, b in self.pairs if a in places and b in places]

    def nested_moments(self, measure: MeasurePlan, chunk: Callable[[int], int]) -> NestedMoments:
        """What takes the moments of a measure with means within means, of so many examples at a time as `chunk` says."""
        terms = self.means[measure.name]
        keys = [id(term) for term in terms]
        within = [[keys.index(id(item)) for item in means_within(term)] for term in terms]
        count = self.examples[measure.name, keys[0]]
        return NestedMoments(within, count, chunk(count))

    def errors(
        self,
        known: dict[int, Value],
        moments: Moments,
        of_rows: Callable[[Any], Value],
        outer: Callable[[MeasurePlan, dict[int, Value]], Any],
        nested: Callable[[MeasurePlan], tuple[Moments, Derivatives]],
    ) -> dict[str, Any]:
        """The standard error of each measure, [rows, …] in float64, from the means and the moments; of a number made of means to first order.

        `of_rows` gives the value of a tensor [rows], `outer` a measure, [rows], from its means, and `nested` of one with means within means
        its moments, and how each of these moves with those in its body, by their places.
        """
        errors = {}
        for measure in self.measures:
            terms, pairs = self.means[measure.name], self.together(measure)
            counts = {id(term): self.examples[measure.name, id(term)] for term in terms}
            own, derivatives = moments, Derivatives()
            if measure in self.nested:
                keys = [id(term) for term in terms]
                by_place, slopes_by_place = nested(measure)
                own = {(keys[a], keys[b]): moment for (a, b), moment in by_place.items()}
                derivatives = {(keys[a], keys[b]): slope for (a, b), slope in slopes_by_place.items()}
            left = self.left[measure.name]
            covariances = {pair: own[pair] * (left / (counts[pair[0]] - 1) / counts[pair[0]]) for pair in pairs}
            for term in terms:
                if id(term) in self.between:
                    seen = _agree(term, measure, known, self.between[id(term)])
                    least = tf.constant(left * self._least(term, counts), tf.float64)
                    own_variance = covariances[id(term), id(term)]
                    added = tf.where(tf.reshape(seen, tf.shape(own_variance)), least, tf.zeros([], tf.float64))
                    covariances[id(term), id(term)] = own_variance + added
            if isinstance(measure.term, t.Expectation) and measure not in self.nested:
                errors[measure.name] = tf.sqrt(covariances[id(terms[0]), id(terms[0])])
                continue
            value, slopes = _slopes(terms, known, of_rows, partial(outer, measure))
            error = _first_order(through_means(slopes, derivatives), covariances)
            errors[measure.name] = tf.where(tf.math.is_finite(value), error, tf.constant(math.nan, tf.float64))
        return errors

    def _least(self, term: t.Expectation, counts: Mapping[int, int]) -> float:
        """The variance of a mean of conditions on which all examples agree: as far as Wilson's interval goes beyond them."""
        low, high = self.between[id(term)]
        return ((high - low) * DEVIATIONS / (counts[id(term)] + DEVIATIONS**2)) ** 2


def _agree(term: t.Expectation, measure: MeasurePlan, known: Mapping[int, Value], between: tuple[float, float]) -> Any:
    """Whether a mean of conditions is one of the values that these can have at the ends, so that no example may be otherwise: [rows, …].

    Of `E(e, where=g)` it is the sum over the examples that are chosen, beside the mean of g.
    """
    count: Any = 1.0
    if term.where is not None:
        chosen = dict(zip(*[iter(quotients(measure.term))] * 2, strict=True))
        count = known[id(chosen[term])].tensor if term in chosen else count
    mean = known[id(term)].tensor
    near = AGREE * (between[1] - between[0])
    ends = (0.0, *between) if term.where is not None else between
    return tf.reduce_any([tf.abs(mean - end * count) <= near for end in ends], axis=0)


def of_an_estimate(value: Any, slope: Any, error: Any) -> Any:
    """The error of a number that is made of one with an error, to first order: [rows] each, in float64."""
    found = _first_order({0: slope}, {(0, 0): error * error})
    return tf.where(tf.math.is_finite(value), found, tf.constant(math.nan, tf.float64))


def _first_order(slopes: dict[int, Any], covariances: Moments) -> Any:
    """The error of a number made of means, [R]; undefined where no mean that has an error changes it, as beyond a bound of `clip`."""
    parts = [(1 if a == b else 2) * slopes[a] * slopes[b] * covariance for (a, b), covariance in covariances.items()]
    square = tf.add_n(parts)
    square = tf.where(square < 0, tf.zeros([], tf.float64), square)
    varies = [covariance > 0 for (a, b), covariance in covariances.items() if a == b]
    flat = tf.reduce_all([tf.equal(slope, 0) for slope in slopes.values()], axis=0)
    return tf.where(flat & tf.reduce_any(varies, axis=0), tf.constant(math.nan, tf.float64), tf.sqrt(square))


def _slopes(
    terms: Sequence[t.Expectation],
    known: dict[int, Value],
    of_rows: Callable[[Any], Value],
    measure: Callable[[dict[int, Value]], Any],
) -> tuple[Any, dict[int, Any]]:
    """A measure, and by how much it changes with each of its means: [rows] each."""
    means = [tf.reshape(known[id(term)].tensor, [-1]) for term in terms]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(means)
        given = {id(term): of_rows(mean) for term, mean in zip(terms, means, strict=True)}
        value = measure({**known, **given})
    slopes = tape.gradient(value, means, unconnected_gradients="zero")
    return value, {id(term): slope for term, slope in zip(terms, slopes, strict=True)}


def moments_within(
    values: Mapping[int, Any], means: Mapping[int, Any], mask: Mapping[int, Any] | None, pairs: Sequence[Pair]
) -> list[Any]:
    """The moments of the examples of a chunk, about its own means: [R, …] for each pair.

    `values` are [R, examples, …] by place, `means` [R, …], and `mask` says which of the examples count; without it all do.
    """
    centred = {}
    for place in dict.fromkeys(place for pair in pairs for place in pair):
        apart = values[place] - means[place][:, tf.newaxis]
        centred[place] = apart if mask is None else tf.where(mask[place], apart, tf.zeros([], tf.float64))
    return [tf.reduce_sum(centred[a] * centred[b], axis=1) for a, b in pairs]


def joined_moments(
    before: Sequence[Any], after: Sequence[Any], pairs: Sequence[Pair], sums: Sequence[Any], more: Sequence[Any], counts: tuple[Any, Any]
) -> list[Any]:  # fmt: skip
    """The moments of two sets of `counts` examples together; `sums` and `more` are the sums of their values."""
    first, second = counts
    weight = first * second / (first + second)
    one = tf.ones([], tf.float64)

    def apart(place: int) -> Any:
        return more[place] / second - sums[place] / tf.maximum(first, one)

    return [a + b + apart(i) * apart(j) * weight for a, b, (i, j) in zip(before, after, pairs, strict=True)]
