"""Expectations over one stream's examples, chunk by chunk, accumulated in float64; with the moments that sampling errors take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE
from dlspec.spec.ir.bodies import free_indices
from dlspec.spec.passes.example_blocks import MAX_SUMMED_EXAMPLES
from dlspec.spec.passes.jacobians import bytes_of

from ..lower import Lowering, Training, Value
from ..lower.elementwise import one_division
from .context import ProgramContext
from .example_gradients import full_gradient, gradient
from .quantiles import quantile, quantile_of_chosen
from .sampling_errors import Moments, SamplingErrors, joined_moments, moments_within


@dataclass(frozen=True)
class Given:
    """What expectations are made of in the graph.

    Args:
        keys: those of the stream, uint32 [samples, R, 2]; `draws` the replicates' draws by name, and `step` how many updates were made.
        known: the values of expectations and statistics that stand in others, by the identities of their terms.
        before: how many examples of the stream lie before those whose rows of files are there; None where all are, behind those of other streams.
        part: which part of a stream's examples they are, where means are of a part alone.
    """

    keys: Any
    draws: dict[str, Any]
    step: Any
    known: dict[int, Value]
    before: Any = None
    part: Any = None

    def lowering(self, context: ProgramContext, index: Any, stream: str, **more: Any) -> Lowering:
        """A context for the examples of the stream with some numbers, int64 [B]."""
        return context.lowering(
            self.keys, index, index.shape[0], self.draws, step=self.step, stream=stream,
            places=None if self.before is None else index - self.before,
            expectation=lambda term: self.known[id(term)], **more,
        )  # fmt: skip


class Means:
    """The expectations that are known, and the statistics: their values, the sums that means are made of, and moments, by their terms' identities."""

    def __init__(self, known: dict[int, Value]) -> None:
        self.known = known
        self.sums: dict[int, Value] = {}
        self.moments: Moments = {}

    def add(self, context: ProgramContext, one: StreamMeans, results: Sequence[Any]) -> None:
        """Takes in what a pass over a stream has given."""
        means, totals, moments = one.named(results)
        self.moments |= moments
        for term, mean, total in zip(one.terms, means, totals, strict=True):
            axes = tuple(i.key for i in free_indices(term))
            self.known[id(term)], self.sums[id(term)] = (context.of_rows(x, axes) for x in (mean, total))


class StreamMeans:
    """The expectations of some terms over one stream, all in one mode: of all examples, or of one stretch of chunks after the other.

    A mean is one quotient of a sum and the number of examples: so a rate is that of NumPy, however many chunks there are. In training
    mode they are over whole batches: what fills none is left out.
    """

    def __init__(
        self,
        context: ProgramContext,
        sampling: SamplingErrors,
        terms: Sequence[t.Expectation],
        stream: str,
        examples: int | None = None,
        meaning: Any = None,
        parted: bool = False,
    ) -> None:
        """Over all examples of the stream unless it is said how many, of each of its parts where it is `parted`; `meaning` is for noise that measures share."""
        program = context.program
        self.context, self.terms, self.stream, self.meaning = context, list(terms), stream, meaning
        self.parted = parted
        self.pairs = sampling.pairs_of(terms)
        self.batch = program.training.largest_batch if terms[0].mode is not None and program.training else None
        whole = self.batch or 1
        self.total = (examples or program.evaluated(stream)) // whole * whole
        apart = [term.body for term in terms if mean_gradient(term) is None]
        weights = [beside for body in apart for beside in bytes_of(program, body)]
        most = min(self.total, MAX_SUMMED_EXAMPLES) if len(apart) < len(terms) else self.total
        self.at_once = any(term.quantile is not None for term in terms)
        """Whether all examples are wanted at once, as by a quantile."""
        self.part = max(1, context.chunk(most, *weights) // whole) * whole
        self.chunk = self.total if self.at_once else self.part

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.total // self.chunk)

    @property
    def begin(self) -> list[Any]:
        """The sums and moments of no examples."""
        extents = [tuple(index.extent for index in free_indices(term)) for term in self.terms]
        shapes = [(*sizes, *term.body.type.shape) for sizes, term in zip(extents, self.terms, strict=True)]
        shapes += [shapes[a] for a, _ in self.pairs]
        return [tf.zeros((self.context.rows, *shape), tf.float64) for shape in shapes]

    def whole(self, given: Given) -> list[Any]:
        """The sums over all examples, [R, …] each, and the moments behind them."""
        return self.stretch(given, tf.constant(0), self.chunks, self.begin if self.chunks > 1 else ())

    def stretch(self, given: Given, first: Any, last: Any, so_far: Sequence[Any]) -> list[Any]:
        """The sums and moments of those before, `so_far`, and of the chunks from one to another."""
        if self.chunks == 1:
            return self._sums(given, tf.constant(0))
        loop = tf.while_loop(
            lambda place, *_: place < last,
            lambda place, *sums: (place + 1, *self._joined(given, place, sums)),
            [first, *so_far],
        )
        return list(loop[1:])

    def named(self, results: Sequence[Any]) -> tuple[list[Any], list[Any], Moments]:
        """Of the sums and moments of all examples the means, the sums, and the moments by pairs."""
        by_pair = zip(self.pairs, results[len(self.terms) :], strict=True)
        moments = {(id(self.terms[a]), id(self.terms[b])): moment for (a, b), moment in by_pair}
        totals = list(results[: len(self.terms)])
        count = tf.constant(self.total, tf.float64)
        means = [
            x if term.quantile is not None else one_division(x, count)
            for term, x in zip(self.terms, totals, strict=True)
        ]
        return means, totals, moments

    def values(self, given: Given, index: Any) -> list[Any]:
        """What quantiles are of, of some examples: [R, B, …] in float64 each, and behind each whether they are chosen, if that is said."""
        lowering = self._lowering(given, index)
        return [x for term in self.terms for x in _values(lowering, term) if x is not None]

    def quantiles(self, values: Sequence[Any]) -> list[Any]:
        """The quantiles of such values of all examples, [R, N, …]."""
        pending = iter(values)
        return [
            quantile_among(next(pending), None if term.where is None else next(pending), term.quantile or 0)
            for term in self.terms
        ]

    def _lowering(self, given: Given, index: Any) -> Lowering:
        batch = self.batch
        if self.parted:
            index = index + tf.cast(given.part, tf.int64) * self.total
        return given.lowering(
            self.context.forwards, index, self.stream,
            training=Training(self.context.noise(given.keys), index, self.meaning, batch) if batch else None,
            gradient=lambda context, term: gradient(self.context, context, given.keys, given.draws, term),
        )  # fmt: skip

    def _gone(self, place: Any) -> Any:
        return tf.cast(place, tf.float64) * self.chunk

    def _within(self, place: Any) -> Any:
        return tf.minimum(tf.constant(self.chunk, tf.float64), self.total - self._gone(place))

    def _sums(self, given: Given, place: Any) -> list[Any]:
        total, chunk, terms = self.total, self.chunk, self.terms
        index = tf.cast(place, tf.int64) * chunk + tf.range(chunk, dtype=tf.int64)
        inside = index < total
        lowering = self._lowering(given, index)
        totals: list[Any] = []
        values: dict[int, Any] = {}
        counted: dict[int, Any] = {}
        for at, term in enumerate(terms):
            if (of := mean_gradient(term)) is not None:
                whole_gradient = full_gradient(self.context, lowering, given.keys, given.draws, of, inside)
                totals.append(tf.cast(whole_gradient, tf.float64))
                continue
            wide, chosen = _values(lowering, term)
            if term.quantile is not None:
                totals.append(quantile_among(wide, chosen, term.quantile))
                continue
            mask = tf.reshape(inside, [1, chunk] + [1] * (wide.shape.rank - 2))
            totals.append(tf.reduce_sum(tf.where(mask, wide, tf.zeros([], tf.float64)), axis=1))
            values[at], counted[at] = wide, mask
        centres = {at: totals[at] / (total if chunk == total else self._within(place)) for at in values}
        return [*totals, *moments_within(values, centres, counted if total % chunk else None, self.pairs)]

    def _joined(self, given: Given, place: Any, before: Sequence[Any]) -> list[Any]:
        after = self._sums(given, place)
        count = len(self.terms)
        own, more = before[:count], after[:count]
        together = [a + b for a, b in zip(own, more, strict=True)]
        counts = (self._gone(place), self._within(place))
        return [*together, *joined_moments(before[count:], after[count:], self.pairs, own, more, counts)]


def _values(lowering: Lowering, term: t.Expectation) -> tuple[Any, Any]:
    """A body, [R, examples, …] in float64, and of a quantile which examples are chosen, or None."""
    indices = free_indices(term)
    axes = (EXAMPLE, *(index.key for index in indices))
    event = len(term.body.type.shape)
    context = lowering.within(indices)
    wide = tf.cast(context.to_rows(context(term.body), axes, event), tf.float64)
    if term.quantile is None or term.where is None:
        return wide, None
    holds = context.to_rows(context(term.where), axes, 0)
    return wide, tf.reshape(holds, [*holds.shape, *[1] * event])


def quantile_among(values: Any, chosen: Any, q: float) -> Any:
    """The q-quantile along axis 1 of values [R, N, …], of those that are chosen, if that is said."""
    return quantile(values, q) if chosen is None else quantile_of_chosen(values, chosen, q)


def mean_gradient(term: t.Expectation) -> t.Gradient | None:
    """The gradient that an expectation is the mean of: E[∇f] from one backward pass, without per-example gradients."""
    return term.body if isinstance(term.body, t.Gradient) and term.quantile is None else None
