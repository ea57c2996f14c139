"""Gradients of one value by some weights: of single examples, and of means over examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.passes.example_blocks import MAX_SUMMED_EXAMPLES

from ...lower import Lowering
from ..context import ProgramContext
from ..example_gradients import full_gradient, gradient

Part = Callable[[Lowering, Any], Any]
"""From a context of some examples, and which of them count, to a sum over these: float64 [R, P]."""


class Gradients:
    """The gradients that a term asks for, in one program."""

    def __init__(self, context: ProgramContext, term: t.GradientStatistic) -> None:
        self.context = context
        self.term = term
        self.gradient = t.Gradient(term.of, term.weights, type=term.weights.type, span=term.span)
        self.replicates = context.replicates
        self.size = int(np.prod(term.weights.type.shape, dtype=int))

    def mean(self, keys: Any, draws: dict[str, Any], step: Any, first: Any, count: int) -> Any:
        """The mean gradient of `count` examples from number `first` on: float64 [R, P]."""

        def part(lowering: Lowering, inside: Any) -> Any:
            total = full_gradient(self.context, lowering, keys, draws, self.gradient, inside)
            return tf.cast(tf.reshape(total, [self.replicates, self.size]), tf.float64)

        return self.over_examples(keys, draws, step, first, count, part)

    def over_examples(self, keys: Any, draws: dict[str, Any], step: Any, first: Any, count: int, part: Part) -> Any:
        """The sum of what `part` makes of chunks of `count` examples from number `first` on, by their number: float64 [R, P]."""
        chunk = self.context.chunk(min(count, MAX_SUMMED_EXAMPLES))
        chunks = -(-count // chunk)

        def of_chunk(place: Any) -> Any:
            within = tf.cast(place, tf.int64) * chunk + tf.range(chunk, dtype=tf.int64)
            return part(self.context.lowering(keys, first + within, chunk, draws, step=step), within < count)

        if chunks == 1:
            return of_chunk(tf.constant(0)) / count
        zero = tf.zeros([self.replicates, self.size], tf.float64)
        loop = tf.while_loop(
            lambda place, _: place < chunks,
            lambda place, sums: (place + 1, sums + of_chunk(place)),
            [tf.constant(0), zero],
        )
        return loop[1] / count

    def each(self, keys: Any, draws: dict[str, Any], step: Any, number: Any) -> Any:
        """The gradients of some examples, int64 [B], from one backward pass: float64 [R, B, P]."""
        lowering = self.context.lowering(keys, number, number.shape[0], draws, step=step)
        value = gradient(self.context, lowering, keys, draws, self.gradient)
        return tf.cast(tf.reshape(value.tensor, [self.replicates, number.shape[0], self.size]), tf.float64)

    def block_means(self, keys: Any, draws: dict[str, Any], step: Any, number: Any, size: int) -> Any:
        """The mean gradients of some blocks of `size` examples, int64 [B], one after the other: float64 [R, B, P]."""

        def one(place: Any) -> Any:
            return self.mean(keys, draws, step, place * size, size)

        if number.shape[0] == 1:
            return one(number[0])[:, tf.newaxis]
        return tf.transpose(tf.map_fn(one, number, fn_output_signature=tf.float64), [1, 0, 2])


def inner(a: Any, b: Any) -> Any:
    """The inner products of vectors [R, P]: [R]."""
    return tf.reduce_sum(a * b, axis=-1)
