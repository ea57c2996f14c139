"""What an evaluation is made of: passes over streams, and what measures and their sampling errors are made of these in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE
from dlspec.spec.ir.plan import MeasurePlan
from dlspec.spec.passes.program_roots import statistics_of
from dlspec.spec.passes.sampled_means import erring_estimates, quotients, shown_estimate, stream_of
from dlspec.spec.passes.shared_noise import Inputs, measures_share_noise

from ..backend.jit_policy import decomposes
from ..lower import Value
from .context import ProgramContext
from .estimates import error_of
from .nested_errors import Bodies, NestedMoments
from .sampling_errors import SamplingErrors, of_an_estimate
from .seeds import Seeds
from .stream_means import Given, Means, StreamMeans, mean_gradient

Level = list[tuple[t.Expectation, str]]


class EvaluationParts:
    """Those of measures, but for statistics of gradients.

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
        terms = [item.term for item in self.measures]
        self.xla = self.context.xla and not (self.context.on_cpu and decomposes(self.program, terms))
        """How it is compiled: on a CPU as a plain graph where XLA is slow at what is measured, however the program is trained."""
        erring = erring_estimates(self.program)
        own = self.measures if measures is None else [plan for plan in erring if plan in self.measures]
        self.sampling = SamplingErrors(self.program, own)
        pairs = [(measure, shown_estimate(self.program, measure)) for measure in self.measures]
        self.shown = [(measure, plan) for measure, plan in pairs if plan is not None and plan in erring]
        """Its measures that show an estimate, which has an error."""
        self.meaning = Inputs(self.program).term if measures_share_noise(self.program) else None

    def inputs(self, seeds: Seeds) -> tuple[Seeds, dict[str, Any]]:
        """The seeds as they are given to what is compiled, and the keys by stream."""
        seeds = seeds if self.context.cells > 1 else seeds.flat
        keys = {name: seeds.keys[name] for name in ("train", "test", "validation") if name in seeds.keys}
        return seeds, keys | dict.fromkeys(self.program.streams, keys["test"])

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

    def passes(self, apart: bool = False) -> list[StreamMeans]:
        """What takes its expectations, those that stand in others before these; where that is said, quantiles apart from means."""
        return [
            self.means_of(terms, stream) for level in self.nesting_order() for stream, terms in _passes(level, apart)
        ]

    def means_of(self, terms: Sequence[t.Expectation], stream: str) -> StreamMeans:
        """What takes some expectations over their stream."""
        return StreamMeans(self.context, self.sampling, terms, stream, self.examples, self.meaning)

    @cached_property
    def nested(self) -> dict[str, NestedMoments]:
        """What takes the moments of measures with means within means, by name."""
        chunk = self.context.chunk
        return {one.name: self.sampling.nested_moments(one, chunk) for one in self.sampling.nested}

    def ended(
        self, means: Means, moments: Callable[[MeasurePlan], Sequence[Any]], draws: dict[str, Any], step: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """All measures and errors, from all expectations, and the moments of measures with means within means."""
        values = {
            measure.name: self._outer(
                measure, means.known | {id(i): means.sums[id(i)] for i in quotients(measure.term)}, draws, step
            )
            for measure in self.measures
            if not isinstance(measure.term, t.GradientStatistic | t.SamplingFloor)
        }
        errors = self.sampling.errors(
            means.known,
            means.moments,
            self.context.of_rows,
            lambda measure, known: self._outer(measure, known, draws, step),
            lambda measure: self.nested[measure.name].named(moments(measure)),
        )
        return values, errors | self._of_estimates(draws, step)

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

    def of_statistics(self, given: Any) -> dict[int, Value]:
        """The values of the statistics of gradients and of their floors, by the identities of their terms."""
        by_statistic = {id(term): values for term, values in zip(self.statistics, given, strict=True)}
        known = {key: self.context.of_rows(values[0]) for key, values in by_statistic.items()}
        for measure in self.measures:
            for item in t.walk(measure.term):
                if isinstance(item, t.SamplingFloor):
                    known[id(item)] = self.context.of_rows(by_statistic[id(item.of)][1])
        return known

    def stream_within(self, measure: MeasurePlan) -> str:
        """The stream of a measure with means within means: all are over one."""
        return stream_of(measure, self.sampling.means[measure.name][0])

    def bodies(self, measure: MeasurePlan, given: Given) -> tuple[Bodies, list[Any]]:
        """What gives the bodies of a measure's expectations for some examples, [rows, examples] each in float64, from these; and these, [rows] each."""
        terms = self.sampling.means[measure.name]

        def bodies(index: Any, means: Sequence[Any]) -> list[Any]:
            values = {id(term): self.context.of_rows(mean) for term, mean in zip(terms, means, strict=True)}
            some = replace(given, known={**given.known, **values})
            lowering = some.lowering(self.context, index, self.stream_within(measure))
            parts = [lowering(term.body) for term in terms]
            return [tf.cast(lowering.to_rows(part, (EXAMPLE,), 0), tf.float64) for part in parts]

        return bodies, [tf.reshape(given.known[id(term)].tensor, [-1]) for term in terms]

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


def _passes(level: Level, apart: bool) -> list[tuple[str, list[t.Expectation]]]:
    """Expectations that go over their stream together, in one mode: a quantile needs all examples at once, too many for a sum of gradients, or
    for any sum if that is said.
    """
    found: dict[tuple[str, str | None, bool], list[t.Expectation]] = {}
    with_quantiles = {stream for term, stream in level if term.quantile is not None}
    for term, stream in level:
        summed = term.quantile is None and (apart or mean_gradient(term) is not None)
        found.setdefault((stream, term.mode, stream in with_quantiles and summed), []).append(term)
    return [(stream, terms) for (stream, *_), terms in found.items()]


def _wide(value: Value) -> Value:
    return Value(tf.cast(value.tensor, tf.float64), value.axes)
