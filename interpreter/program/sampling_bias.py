"""What chance adds to measures that are curved in the means of sampled examples: they are taken of quarters of the examples, too.

`norm(E(x))` is on average larger than the norm of the true mean. What chance adds to a measure falls as 1 / n for a smooth one, and where
it is at a corner or its slope is 0 as 1 / √n, as of a norm where the true mean is 0. So it is on average a third of what the mean over four quarters
lies above the measure of all, to the whole of it: the jackknife's idea (Quenouille 1956) without its premise that it falls as 1 / n.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.diagnostics.problems import InternalError
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import MeasurePlan
from dlspec.spec.passes.curved_means import curved
from dlspec.spec.passes.sampled_means import sampled_streams

from .context import ProgramContext
from .evaluation_parts import EvaluationParts
from .seeds import Seeds
from .stream_means import Given, Means, StreamMeans

Arrays = dict[str, np.ndarray[Any, Any]]
QUARTERS = 4


class Quarters(EvaluationParts):
    """The measures of a program that are curved, of each quarter of their sampled examples; of what is no sample all examples are taken."""

    def __init__(self, context: ProgramContext, name: str) -> None:
        program = context.program
        super().__init__(context, [measure for measure in program.measures if curved(program, measure)], name=name)
        self.sampled = {stream for measure in self.measures for stream in sampled_streams(program, measure)}

    def means_of(self, terms: Sequence[t.Expectation], stream: str) -> StreamMeans:
        """What takes some expectations over a quarter of their stream, or over all of what is no sample."""
        count, parted = self._each(stream), stream in self.sampled
        return StreamMeans(self.context, self.sampling, terms, stream, count, self.meaning, parted)

    def means(self, seeds: Seeds, step: int) -> Arrays:
        """The mean over the quarters, [rows, …] by measure in float64; undefined of fewer than four examples.

        Where rows of files are read window after window there are so many that none is taken.
        """
        if not self.measures or (seeds.files is not None and seeds.files.apart):
            return {}
        if any(self._each(stream) < 1 for stream in self.sampled):
            shapes = {measure.name: measure.term.type.shape for measure in self.measures}
            return {name: np.full((self.context.rows, *shape), np.nan) for name, shape in shapes.items()}
        given, keys = self.inputs(seeds)
        quarters = [self._compiled(keys, given.draws, tf.constant(step), tf.constant(part)) for part in range(QUARTERS)]
        with np.errstate(invalid="ignore"):  # infinite less infinite is undefined
            return {
                measure.name: np.mean([one[measure.name].numpy() for one in quarters], axis=0)
                for measure in self.measures
            }

    def _each(self, stream: str) -> int:
        count = self.program.evaluated(stream)
        return count // QUARTERS if stream in self.sampled else count

    @cached_property
    def _compiled(self) -> Any:
        passes = self.passes()

        @self.context.functions.shared(self.name, self.xla, measures=True)
        def quarter(keys: dict[str, Any], draws: dict[str, Any], step: Any, part: Any) -> dict[str, Any]:
            means = Means({})
            for one in passes:
                means.add(self.context, one, one.whole(Given(keys[one.stream], draws, step, means.known, part=part)))
            values, _ = self.ended(means, _no_moments, draws, step)
            return values

        return quarter


def _no_moments(measure: MeasurePlan) -> Any:
    raise InternalError(f"an error of '{measure.name}' is asked for of a part of its examples")
