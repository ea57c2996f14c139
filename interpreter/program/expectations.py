"""Measures at the present weights: expectations over a stream's examples, chunk by chunk, accumulated in float64; their sampling errors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.diagnostics.problems import InternalError
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import MeasurePlan

from .evaluation_parts import EvaluationParts
from .seeds import Seeds
from .stream_means import Given, Means
from .windowed_evaluation import WindowedEvaluation

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]
Estimated = tuple[Array, Array | None]
"""A statistic of gradients and its sampling floor, [rows, …]."""


class Evaluation(EvaluationParts):
    """Measures, but for statistics of gradients; one compiled call, or one for each window of rows that are not held."""

    def measured(self, seeds: Seeds, step: int, statistics: Sequence[Estimated] = ()) -> tuple[Arrays, Arrays]:
        """Every measure by name, and the sampling errors of those that have one: [rows, …] in float64.

        `statistics` are the values of the program's statistics of gradients and their floors, [rows, …] each, in their order.
        """
        plain = self._plain(statistics)
        if len(plain) == len(self.measures):
            return plain, {}
        seeds, keys = self.inputs(seeds)
        given = [tuple(x for x in each if x is not None) for each in statistics]
        if seeds.files is not None and seeds.files.apart:
            values, errors = self._in_windows(seeds, keys, tf.constant(step), given)
        else:
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

    @cached_property
    def _in_windows(self) -> WindowedEvaluation:
        return WindowedEvaluation(self)

    @cached_property
    def _compiled(self) -> Any:
        passes = self.passes()

        @self.context.functions.shared(self.name, self.xla, measures=True)
        def evaluate(
            keys: dict[str, Any], draws: dict[str, Any], step: Any, statistics: Any
        ) -> tuple[dict[str, Any], dict[str, Any]]:
            means = Means(self.of_statistics(statistics))
            for one in passes:
                means.add(self.context, one, one.whole(Given(keys[one.stream], draws, step, means.known)))

            def moments(measure: MeasurePlan) -> Any:
                given = Given(keys[self.stream_within(measure)], draws, step, means.known)
                return self.nested[measure.name].whole(*self.bodies(measure, given))

            return self.ended(means, moments, draws, step)

        return evaluate
