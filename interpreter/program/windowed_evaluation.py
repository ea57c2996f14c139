"""An evaluation whose rows of files are read window after window: the sums of an evaluation in memory, carried from window to window.

Windows are whole chunks, so that nothing is added in another order than in memory. Of a quantile, which wants all examples at once, one
number of each is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from dlspec.spec.ir.plan import MeasurePlan
from dlspec.spec.passes.held_columns import chunks_of_a_window

from .evaluation_parts import EvaluationParts
from .file_rows import ROWS
from .seeds import Seeds
from .stream_means import Given, Means

Results = Sequence[Sequence[Any]]
"""What the passes before have given."""


class Window(NamedTuple):
    """Some examples of a stream: the draws with their rows, the number of the first chunk and of the one behind the last, and how many
    examples lie before them, among the rows that are held of all streams.
    """

    draws: dict[str, Any]
    first: Any
    last: Any
    before: Any


class Common(NamedTuple):
    """What all parts of an evaluation are given: keys by stream, the step, and the values of statistics of gradients."""

    keys: dict[str, Any]
    step: Any
    statistics: Any


class WindowedEvaluation:
    """What an evaluation does, each pass over a stream compiled by itself, and what is made of them all."""

    def __init__(self, evaluation: EvaluationParts) -> None:
        self.evaluation = evaluation
        self.context = evaluation.context
        self.passes = evaluation.passes(apart=True)
        self._of_passes = [
            self._values(number) if one.at_once else self._sums(number) for number, one in enumerate(self.passes)
        ]
        self._of_quantiles = {number: self._quantiles(number) for number, one in enumerate(self.passes) if one.at_once}
        self._of_nested = {measure.name: self._moments(measure) for measure in evaluation.sampling.nested}
        self._end = self._ended()

    def __call__(
        self, seeds: Seeds, keys: dict[str, Any], step: Any, statistics: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The measures and their errors; each stream is read once for each pass."""
        common = Common(keys, step, statistics)
        results: list[Sequence[Any]] = []
        for number, one in enumerate(self.passes):
            results.append((self._ordered if one.at_once else self._summed)(seeds, number, common, results))
        moments = {}
        for measure in self.evaluation.sampling.nested:
            nested = self.evaluation.nested[measure.name]
            so_far = nested.begin(self.context.rows)
            stream = self.evaluation.stream_within(measure)
            for window in self._windows(seeds, stream, nested.total, nested.chunk):
                so_far = self._of_nested[measure.name](common, results, window, so_far)
            moments[measure.name] = so_far
        values, errors = self._end(common, seeds.draws, results, moments)
        return values, errors

    def _summed(self, seeds: Seeds, number: int, common: Common, results: Results) -> Sequence[Any]:
        one = self.passes[number]
        so_far = one.begin
        for window in self._windows(seeds, one.stream, one.total, one.chunk):
            so_far = self._of_passes[number](common, results, window, so_far)
        return so_far

    def _ordered(self, seeds: Seeds, number: int, common: Common, results: Results) -> Sequence[Any]:
        """The quantiles of a pass, from what they are of."""
        one = self.passes[number]
        kept: list[Sequence[Any]] = []
        for window in self._windows(seeds, one.stream, one.total, one.part, each=1):
            kept.append([x.numpy() for x in self._of_passes[number](common, results, window)])
        arrays = [np.concatenate(parts, axis=1)[:, : one.total] for parts in zip(*kept, strict=True)]
        quantiles: Sequence[Any] = self._of_quantiles[number](arrays)
        return quantiles

    def _windows(self, seeds: Seeds, stream: str, total: int, chunk: int, each: int = 0) -> Iterator[Window]:
        """So many examples of a stream, so many chunks at a time, or as many as a window has."""
        files = seeds.files
        assert files is not None
        chunks = -(-total // chunk)
        each = min(chunks, each or chunks_of_a_window(self.context.program, self.context.rows, chunk))
        begins = files.first_row(files.rows_of(stream))
        for number, rows in enumerate(files.stretches(stream, total, each * chunk)):
            first = number * each
            cells = self.context.replicates // rows[ROWS].shape[0]  # several where they are taken for replicates
            draws = {**seeds.draws, **rows, ROWS: tf.tile(rows[ROWS], [cells, 1])}
            before = tf.constant(begins + first * chunk, tf.int64)
            yield Window(draws, tf.constant(first), tf.constant(min(first + each, chunks)), before)

    def _means(self, common: Common, results: Results) -> Means:
        """What is known after some passes."""
        means = Means(self.evaluation.of_statistics(common.statistics))
        for one, sums in zip(self.passes, results, strict=False):
            means.add(self.context, one, sums)
        return means

    def _given(self, common: Common, results: Results, window: Window, stream: str) -> Given:
        return Given(common.keys[stream], window.draws, common.step, self._means(common, results).known, window.before)

    def _shared(self, part: str) -> Any:
        return self.context.functions.shared(
            f"{self.evaluation.name} in windows, {part}", self.evaluation.xla, measures=True
        )

    def _sums(self, number: int) -> Any:
        one = self.passes[number]

        @self._shared(f"sums {number}")
        def sums(common: Common, results: Results, window: Window, so_far: Sequence[Any]) -> Sequence[Any]:
            return one.stretch(self._given(common, results, window, one.stream), window.first, window.last, so_far)

        return sums

    def _values(self, number: int) -> Any:
        one = self.passes[number]

        @self._shared(f"values {number}")
        def values(common: Common, results: Results, window: Window) -> Sequence[Any]:
            index = tf.cast(window.first, tf.int64) * one.part + tf.range(one.part, dtype=tf.int64)
            return one.values(self._given(common, results, window, one.stream), index)

        return values

    def _quantiles(self, number: int) -> Any:
        one = self.passes[number]

        @self._shared(f"quantiles {number}")
        def quantiles(arrays: Sequence[Any]) -> Sequence[Any]:
            return one.quantiles(arrays)

        return quantiles

    def _moments(self, measure: MeasurePlan) -> Any:
        evaluation, nested = self.evaluation, self.evaluation.nested[measure.name]
        stream = evaluation.stream_within(measure)

        @self._shared(f"moments of {measure.name}")
        def moments(common: Common, results: Results, window: Window, so_far: Sequence[Any]) -> Sequence[Any]:
            bodies, means = evaluation.bodies(measure, self._given(common, results, window, stream))
            return nested.stretch(bodies, means, window.first, window.last, so_far)

        return moments

    def _ended(self) -> Any:
        @self._shared("end")
        def end(common: Common, draws: dict[str, Any], results: Results, moments: dict[str, Sequence[Any]]) -> Any:
            means = self._means(common, results)
            return self.evaluation.ended(means, lambda measure: moments[measure.name], draws, common.step)

        return end
