"""Measures at the present weights: expectations over a stream's examples, chunk by chunk, accumulated in float64; their sampling errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.diagnostics.problems import InternalError
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import MeasurePlan
from dlspec.spec.passes.example_blocks import MAX_SUMMED_EXAMPLES
from dlspec.spec.passes.jacobians import bytes_of
from dlspec.spec.passes.program_roots import statistics_of
from dlspec.spec.passes.sampled_means import erring_estimates, quotients, shown_estimate
from dlspec.spec.passes.shared_noise import Inputs, measures_share_noise

from ..lower import Lowering, Training, Value
from ..lower.elementwise import one_division
from ..networks.weight_values import joined
from .context import ProgramContext
from .estimates import error_of
from .quantiles import quantile, quantile_of_chosen
from .sampling_errors import Moments, SamplingErrors, joined_moments, moments_within, of_an_estimate
from .seeds import Seeds

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
Estimated = tuple[Array, Array | None]
"""A statistic of gradients and its sampling floor, [rows, …]."""
Level = list[tuple[t.Expectation, str]]


class Evaluation:
    """Measures, but for statistics of gradients; one compiled call.

    They are those of the program unless others are given, over all examples of their streams unless `examples` are said;
    `name` is what others that are compiled of the program are told from it by.
    """

    def __init__(
        self,
        context: ProgramContext,
        measures: Sequence[MeasurePlan] | None = None,
        examples: int | None = None,
        name: str = "evaluation",
    ) -> None:
        given = context.program.measures if measures is None else measures
        apart = any(isinstance(i, t.Gradient) for measure in given for i in t.walk(measure.term))
        self.context = context.flat if apart else context
        """Flat where weights stand for others: cells would have to be told apart in each."""
        self.program = context.program
        self.name, self.examples = name, examples
        self.measures = list(given)
        self.statistics = statistics_of(self.program) if measures is None else []
        erring = erring_estimates(self.program)
        own = self.measures if measures is None else [plan for plan in erring if plan in self.measures]
        self.sampling = SamplingErrors(self.program, own)
        pairs = [(measure, shown_estimate(self.program, measure)) for measure in self.measures]
        self.shown = [(measure, plan) for measure, plan in pairs if plan is not None and plan in erring]
        """Its measures that show an estimate, which has an error."""
        self.meaning = Inputs(self.program).term if measures_share_noise(self.program) else None

    def measured(self, seeds: Seeds, step: int, statistics: Sequence[Estimated] = ()) -> tuple[Arrays, Arrays]:
        """Every measure by name, and the sampling errors of those that have one: [rows, …] in float64.

        `statistics` are the values of the program's statistics of gradients and their floors, [rows, …] each, in their order.
        """
        plain = self._plain(statistics)
        if len(plain) == len(self.measures):
            return plain, {}
        seeds = seeds if self.context.cells > 1 else seeds.flat
        keys: dict[str, Any] = {
            name: seeds.keys[name] for name in ("train", "test", "validation") if name in seeds.keys
        }
        keys |= dict.fromkeys(self.program.streams, keys["test"])
        given = [tuple(x for x in each if x is not None) for each in statistics]
        values, errors = self._compiled(keys, seeds.draws, tf.constant(step), given)
        named = plain | {name: x.numpy() for name, x in values.items()}
        return {measure.name: named[measure.name] for measure in self.measures}, {
            name: x.numpy() for name, x in errors.items()
        }

    def _plain(self, statistics: Sequence[Estimated]) -> Arrays:
        """The measures that are a statistic of gradients, or its floor, and nothing else."""
        known = {id(term): each for term, each in zip(self.statistics, statistics, strict=True)}
        plain: Arrays = {}
        for measure in self.measures:
            term = measure.term
            if isinstance(term, t.GradientStatistic):
                plain[measure.name] = known[id(term)][0]
            elif isinstance(term, t.SamplingFloor):
                if (floor := known[id(term.of)][1]) is None:
                    raise InternalError(f"the estimator of '{term.of.statistic}' gives no sampling floor")
                plain[measure.name] = floor
        return plain

    def nesting_order(self) -> list[Level]:
        """The expectations of the measures, each with its stream, in topological order: a level holds only earlier ones."""
        found: dict[int, tuple[t.Expectation, str]] = {}
        for measure in self.measures:
            for item in t.walk(measure.term):
                if isinstance(item, t.Expectation):
                    found.setdefault(id(item), (item, item.on or measure.on))
        depth: dict[int, int] = {}

        def deep(term: t.Expectation) -> int:
            if id(term) not in depth:
                inner = [
                    deep(item) for part in t.children(term) for item in t.walk(part) if isinstance(item, t.Expectation)
                ]
                depth[id(term)] = 1 + max(inner, default=-1)
            return depth[id(term)]

        count = 1 + max((deep(term) for term, _ in found.values()), default=-1)
        return [[pair for pair in found.values() if depth[id(pair[0])] == level] for level in range(count)]

    @cached_property
    def _compiled(self) -> Any:
        levels = self.nesting_order()
        made = [one for one in self.measures if not isinstance(one.term, t.GradientStatistic | t.SamplingFloor)]

        @self.context.functions.shared(self.name, self.context.xla)
        def evaluate(
            keys: dict[str, Any], draws: dict[str, Any], step: Any, statistics: Any
        ) -> tuple[dict[str, Any], dict[str, Any]]:
            known: dict[int, Value] = self._of_statistics(statistics)
            sums: dict[int, Value] = {}
            moments: Moments = {}
            for level in levels:
                for stream, terms in _passes(level):
                    means, totals, found = self._means(terms, stream, keys[stream], draws, step, known)
                    moments |= found
                    for term, mean, total in zip(terms, means, totals, strict=True):
                        axes = tuple(i.key for i in t.free_indices(term))
                        known[id(term)], sums[id(term)] = (self.context.of_rows(x, axes) for x in (mean, total))
            values = {
                measure.name: self._outer(
                    measure, known | {id(i): sums[id(i)] for i in quotients(measure.term)}, draws, step
                )
                for measure in made
            }
            errors = self.sampling.errors(
                known,
                moments,
                self.context.of_rows,
                lambda measure, means: self._outer(measure, means, draws, step),
                lambda measure, index, means: self._bodies(measure, index, means, keys[measure.on], draws, step),
                self.context.chunk,
            )
            return values, errors | self._of_estimates(draws, step)

        return evaluate

    def _of_estimates(self, draws: dict[str, Any], step: Any) -> dict[str, Any]:
        """The errors of measures that show an estimate: that of the estimate, or of a number made of it to first order."""
        errors = {}
        for measure, plan in self.shown:
            value, error = (
                tf.cast(self.context.estimates[name].value, tf.float64) for name in (plan.name, error_of(plan.name))
            )
            if isinstance(measure.term, t.Reference):
                errors[measure.name] = error
                continue
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(value)
                found = self._outer(measure, {}, draws, step, value)
            slope = tape.gradient(found, value, unconnected_gradients="zero")
            errors[measure.name] = of_an_estimate(found, slope, error)
        return errors

    def _means(
        self,
        terms: list[t.Expectation],
        stream: str,
        keys: Any,
        draws: dict[str, Any],
        step: Any,
        known: dict[int, Value],
    ) -> tuple[list[Any], list[Any], Moments]:
        """The expectations of some terms over one stream, all in one mode, [R, …] each, the sums that they are made of, and the moments
        that their sampling errors take.

        A mean is one quotient of a sum and the number of examples: so a rate is that of NumPy, however many chunks there are. In training
        mode they are over whole batches: what fills none is left out.
        """
        pairs = self.sampling.pairs_of(terms)
        batch = self.program.training.largest_batch if terms[0].mode is not None and self.program.training else None
        whole = batch or 1
        total = (self.examples or self.program.evaluated(stream)) // whole * whole
        apart = [term.body for term in terms if _mean_gradient(term) is None]
        weights = [beside for body in apart for beside in bytes_of(self.program, body)]
        most = min(total, MAX_SUMMED_EXAMPLES) if len(apart) < len(terms) else total
        chunk = total
        if not any(term.quantile is not None for term in terms):
            chunk = max(1, self.context.chunk(most, *weights) // whole) * whole

        def gone(place: Any) -> Any:
            return tf.cast(place, tf.float64) * chunk

        def within(place: Any) -> Any:
            return tf.minimum(tf.constant(chunk, tf.float64), total - gone(place))

        def sums(place: Any) -> list[Any]:
            index = tf.cast(place, tf.int64) * chunk + tf.range(chunk, dtype=tf.int64)
            inside = index < total
            lowering = self.context.lowering(
                keys, index, chunk, draws, step=step, stream=stream, expectation=lambda term: known[id(term)],
                training=Training(self.context.noise(keys), index, self.meaning, batch) if batch else None,
                gradient=lambda context, term: gradient(self.context, context, keys, draws, term),
            )  # fmt: skip
            totals: list[Any] = []
            values: dict[int, Any] = {}
            counted: dict[int, Any] = {}
            for at, term in enumerate(terms):
                if (mean_gradient := _mean_gradient(term)) is not None:
                    whole_gradient = full_gradient(self.context, lowering, keys, draws, mean_gradient, inside)
                    totals.append(tf.cast(whole_gradient, tf.float64))
                    continue
                indices = t.free_indices(term)
                axes = (EXAMPLE, *(index.key for index in indices))
                event = len(term.body.type.shape)
                context = lowering.within(indices)
                wide = tf.cast(context.to_rows(context(term.body), axes, event), tf.float64)
                if term.quantile is not None and term.where is not None:
                    holds = context.to_rows(context(term.where), axes, 0)
                    totals.append(
                        quantile_of_chosen(wide, tf.reshape(holds, [*holds.shape, *[1] * event]), term.quantile)
                    )
                elif term.quantile is not None:
                    totals.append(quantile(wide, term.quantile))
                else:
                    mask = tf.reshape(inside, [1, chunk] + [1] * (event + len(indices)))
                    totals.append(tf.reduce_sum(tf.where(mask, wide, tf.zeros([], tf.float64)), axis=1))
                    values[at], counted[at] = wide, mask
            centres = {at: totals[at] / (total if chunk == total else within(place)) for at in values}
            return [*totals, *moments_within(values, centres, counted if total % chunk else None, pairs)]

        def joined(place: Any, before: Sequence[Any]) -> list[Any]:
            after = sums(place)
            own, more = before[: len(terms)], after[: len(terms)]
            together = [a + b for a, b in zip(own, more, strict=True)]
            counts = (gone(place), within(place))
            return [*together, *joined_moments(before[len(terms) :], after[len(terms) :], pairs, own, more, counts)]

        def named(results: Sequence[Any]) -> tuple[list[Any], list[Any], Moments]:
            by_pair = zip(pairs, results[len(terms) :], strict=True)
            moments = {(id(terms[a]), id(terms[b])): moment for (a, b), moment in by_pair}
            totals = list(results[: len(terms)])
            count = tf.constant(total, tf.float64)
            means = [
                x if term.quantile is not None else one_division(x, count)
                for term, x in zip(terms, totals, strict=True)
            ]
            return means, totals, moments

        chunks = -(-total // chunk)
        if chunks == 1:
            return named(sums(tf.constant(0)))
        extents = [tuple(index.extent for index in t.free_indices(term)) for term in terms]
        shapes = [(*sizes, *term.body.type.shape) for sizes, term in zip(extents, terms, strict=True)]
        shapes += [shapes[a] for a, _ in pairs]
        first = [tf.zeros((self.context.rows, *shape), tf.float64) for shape in shapes]
        loop = tf.while_loop(
            lambda place, *_: place < chunks,
            lambda place, *so_far: (place + 1, *joined(place, so_far)),
            [tf.constant(0), *first],
        )
        return named(loop[1:])

    def _of_statistics(self, given: Any) -> dict[int, Value]:
        """The values of the statistics of gradients and of their floors, by the identities of their terms."""
        by_statistic = {id(term): values for term, values in zip(self.statistics, given, strict=True)}
        known = {key: self.context.of_rows(values[0]) for key, values in by_statistic.items()}
        for measure in self.measures:
            for item in t.walk(measure.term):
                if isinstance(item, t.SamplingFloor):
                    known[id(item)] = self.context.of_rows(by_statistic[id(item.of)][1])
        return known

    def _bodies(
        self, measure: MeasurePlan, index: Any, known: dict[int, Value], keys: Any, draws: dict[str, Any], step: Any
    ) -> list[Any]:
        """The bodies of a measure's expectations for some examples, [rows, examples] each in float64."""
        lowering = self.context.lowering(
            keys, index, index.shape[0], draws, step=step, stream=measure.on, expectation=lambda term: known[id(term)]
        )
        bodies = [lowering(term.body) for term in self.sampling.means[measure.name]]
        return [tf.cast(lowering.to_rows(body, (EXAMPLE,), 0), tf.float64) for body in bodies]

    def _outer(
        self, measure: MeasurePlan, known: dict[int, Value], draws: dict[str, Any], step: Any, estimate: Any = None
    ) -> Any:
        """A measure over its expectations, in float64: [rows, …]; `estimate` [rows] stands for the one that it shows."""
        term = measure.term
        networks = self.context.networks
        wide = {name: tf.cast(x, tf.float64) if x.dtype.is_floating else x for name, x in draws.items()}
        lowering = replace(
            self.context.lowering(None, tf.zeros([1], tf.int64), 1, wide, step=step),  # nothing is sampled here
            dtype=tf.float64,
            weight=lambda context, item: _wide(networks[item.network].weight(item, context)),
            expectation=lambda item: known[id(item)],
            estimate=lambda name: _wide(
                self.context.estimate(name) if estimate is None else self.context.of_rows(estimate)
            ),
        )
        return tf.cast(lowering.to_rows(lowering(term), (), len(term.type.shape)), tf.float64)


def _passes(level: Level) -> list[tuple[str, list[t.Expectation]]]:
    """Expectations that go over their stream together, in one mode: a quantile needs all examples at once, too many for a sum."""
    found: dict[tuple[str, str | None, bool], list[t.Expectation]] = {}
    with_quantiles = {stream for term, stream in level if term.quantile is not None}
    for term, stream in level:
        apart = stream in with_quantiles and _mean_gradient(term) is not None
        found.setdefault((stream, term.mode, apart), []).append(term)
    return [(stream, terms) for (stream, *_), terms in found.items()]


def _mean_gradient(term: t.Expectation) -> t.Gradient | None:
    """The gradient that an expectation is the mean of: E[∇f] from one backward pass, without per-example gradients."""
    return term.body if isinstance(term.body, t.Gradient) and term.quantile is None else None


def gradient(context: ProgramContext, lowering: Lowering, keys: Any, draws: dict[str, Any], term: t.Gradient) -> Value:
    """Each example's gradient: weights that differ from example to example, so that one backward pass tells them apart."""
    network = context.networks[term.weights.network]
    places = network.places(term.weights)
    own = {}
    for place in places:
        weight = network.value(place, lowering)
        own[place] = lowering.broadcast_to_axes(
            weight, (REPLICATE, EXAMPLE), weight.tensor.shape.rank - len(weight.axes)
        )
    found = _differentiated(context, lowering, keys, draws, term, own, (REPLICATE, EXAMPLE), None)
    return found[0] if isinstance(term.weights, t.Weight) else joined(found)


def full_gradient(
    context: ProgramContext, lowering: Lowering, keys: Any, draws: dict[str, Any], term: t.Gradient, inside: Any
) -> Any:
    """The sum of the gradients of the examples inside: [R, …]."""
    network = context.networks[term.weights.network]
    own = {place: network.value(place, lowering).tensor for place in network.places(term.weights)}
    found = _differentiated(context, lowering, keys, draws, term, own, (REPLICATE,), inside)
    return (found[0] if isinstance(term.weights, t.Weight) else joined(found)).tensor


def _differentiated(
    context: ProgramContext, lowering: Lowering, keys: Any, draws: dict[str, Any], term: t.Gradient,
    weights: dict[tuple[str, str], Any], axes: tuple[str, ...], inside: Any,
) -> list[Value]:  # fmt: skip
    """The gradient of a sum over examples with respect to tensors that stand for weights."""
    tensors = [tf.identity(tensor) for tensor in weights.values()]
    given = {
        (term.weights.network, *place): Value(tensor, axes) for place, tensor in zip(weights, tensors, strict=True)
    }
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        inner = standing_in(context, lowering, keys, draws, given)
        total = summed(inner, term.of, inside)
    found = tape.gradient(total, tensors, unconnected_gradients="zero")
    return [Value(tensor, axes) for tensor in found]


def standing_in(
    context: ProgramContext,
    lowering: Lowering,
    keys: Any,
    draws: dict[str, Any],
    given: dict[tuple[str, str, str], Value],
) -> Lowering:
    """A context for the same examples in which tensors stand for weights."""
    inner = context.lowering(
        keys, lowering.index, lowering.sizes[EXAMPLE], draws, step=lowering.step, given=given, other=lowering.other,
        training=lowering.training,
    )  # fmt: skip
    inner = replace(inner, bindings=lowering.bindings)
    made = [item.name for item in context.program.examples if item.name in lowering.values]
    inner.values.update({name: lowering.values[name] for name in made})
    return inner


def summed(lowering: Lowering, term: t.Term, inside: Any) -> Any:
    """The sum of one number an example over those inside and all replicates: []."""
    value = lowering(term)
    each = Value(lowering.cast(value.tensor, "real"), value.axes)
    wide = lowering.broadcast_to_axes(each, (REPLICATE, EXAMPLE), 0)
    return tf.reduce_sum(wide if inside is None else tf.where(inside, wide, tf.zeros([], wide.dtype)))


def _wide(value: Value) -> Value:
    return Value(tf.cast(value.tensor, tf.float64), value.axes)
