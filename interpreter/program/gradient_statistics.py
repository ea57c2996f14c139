"""Statistics of gradients at the present weights: over examples, or over draws of the target.

Over examples these are split into K independent blocks with mean gradients m₁, …, m_K of b examples each (of one, where
that is cheap: `spec.passes.example_blocks`):

    signal  ‖E g‖²      (‖Σ m‖² - Σ‖m‖²) / (K (K - 1))
    noise   E‖g - E g‖² b (Σ‖m‖² - ‖Σ m‖² / K) / (K - 1)

Without a signal the estimate of it has the variance 2‖Σ‖² / (K (K - 1)), where Σ is the covariance of a block's mean; its
squared Frobenius norm is E⟨d, d'⟩² of two independent differences d = (m₁ - m₂) / √2, which hold no signal.

Over D draws of the target each has two gradients ḡ and ḡ' from independent halves of its own examples (one and the same
where every example is there): the variance is (Σ⟨ḡ, ḡ'⟩ - ⟨Σ ḡ, Σ ḡ'⟩ / D) / (D - 1). All are without bias.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.passes.example_blocks import MAX_SUMMED_EXAMPLES, alongside, block, comparisons, group

from ..lower import Lowering, Value
from .context import ProgramContext
from .expectations import full_gradient, gradient
from .seeds import Seeds

Array = np.ndarray[Any, Any]

EPSILON = float(np.finfo(np.float64).eps)
"""What is smaller than this share of a sum of squares, times the number of its terms, is rounding: no noise at all."""


class Statistic:
    """One statistic of a program: its value and its sampling floor, [R] each, one compiled call."""

    def __init__(self, context: ProgramContext, term: t.GradientStatistic) -> None:
        self.context = context
        self.term = term
        self.gradient = t.Gradient(term.of, term.weights, type=term.weights.type, span=term.span)
        self.replicates = context.replicates
        self.size = int(np.prod(term.weights.type.shape, dtype=int))

    def __call__(self, seeds: Seeds, step: int) -> tuple[Array, Array]:
        """The value and the floor."""
        form = self._over_draws if self.term.over else self._over_examples
        keys = {name: seeds.keys[name] for name in ("test", "draw", "redraw")}
        value, floor = form(keys, seeds.draws, tf.constant(step))
        return value.numpy(), floor.numpy()

    def _mean(self, keys: Any, draws: dict[str, Any], step: Any, first: Any, count: int) -> Any:
        """The mean gradient of `count` examples from number `first` on: float64 [R, P]."""
        chunk = self.context.chunk(min(count, MAX_SUMMED_EXAMPLES))
        chunks = -(-count // chunk)

        def part(place: Any) -> Any:
            within = tf.cast(place, tf.int64) * chunk + tf.range(chunk, dtype=tf.int64)
            lowering = self.context.lowering(keys, first + within, chunk, draws, step=step)
            found = full_gradient(self.context, lowering, keys, draws, self.gradient, within < count)
            return tf.cast(tf.reshape(found, [self.replicates, self.size]), tf.float64)

        if chunks == 1:
            return part(tf.constant(0)) / count
        zero = tf.zeros([self.replicates, self.size], tf.float64)
        loop = tf.while_loop(
            lambda place, _: place < chunks, lambda place, sums: (place + 1, sums + part(place)), [tf.constant(0), zero]
        )
        return loop[1] / count

    @cached_property
    def _over_examples(self) -> Any:
        each = block(self.context.program, self.term)
        blocks, compared = self.term.examples // each, group(each)
        floor = self.term.statistic != "gradient_noise"
        count = compared if floor or each == 1 else 1
        if each == 1:
            count *= max(1, self.context.chunk(min(blocks, MAX_SUMMED_EXAMPLES), alongside(self.term)) // compared)
        found = self._each if each == 1 else self._means

        @tf.function(jit_compile=self.context.xla, autograph=False)
        def statistic(keys: dict[str, Any], draws: dict[str, Any], step: Any) -> Any:
            def body(first: Any, total: Any, squares: Any, products: Any) -> Any:
                number = tf.cast(first, tf.int64) + tf.range(count, dtype=tf.int64)
                inside = number < blocks
                means = found(keys["test"], draws, step, number, each)
                means = tf.where(inside[:, tf.newaxis], means, tf.zeros([], tf.float64))
                total, squares = (
                    total + tf.reduce_sum(means, axis=1),
                    squares + tf.reduce_sum(means * means, axis=[1, 2]),
                )
                return first + count, total, squares, products + (_spread(means, inside, compared) if floor else 0)

            narrow = tf.zeros([self.replicates], tf.float64)
            start = [tf.constant(0), tf.zeros([self.replicates, self.size], tf.float64), narrow, narrow]
            _, total, squares, products = tf.while_loop(lambda first, *_: first < blocks, body, start)
            signal = (_dot(total, total) - squares) / (blocks * (blocks - 1))
            apart = squares - _dot(total, total) / blocks
            apart = tf.where(apart <= blocks * EPSILON * squares, tf.zeros_like(apart), apart)
            noise = each * apart / (blocks - 1)
            if not floor:
                return noise, tf.zeros_like(noise)
            error = tf.sqrt(2 / (blocks * (blocks - 1)) * products / comparisons(blocks, compared))
            return signal / noise, tf.math.divide_no_nan(2 * error, noise)

        return statistic

    def _each(self, keys: Any, draws: dict[str, Any], step: Any, number: Any, _: int) -> Any:
        """The gradients of some examples from one backward pass: float64 [R, B, P]."""
        lowering = self.context.lowering(keys, number, number.shape[0], draws, step=step)
        found = gradient(self.context, lowering, keys, draws, self.gradient)
        return tf.cast(tf.reshape(found.tensor, [self.replicates, number.shape[0], self.size]), tf.float64)

    def _means(self, keys: Any, draws: dict[str, Any], step: Any, number: Any, each: int) -> Any:
        """The mean gradients of some blocks, one after the other: float64 [R, B, P]."""

        def one(place: Any) -> Any:
            return self._mean(keys, draws, step, place * each, each)

        if number.shape[0] == 1:
            return one(number[0])[:, tf.newaxis]
        return tf.transpose(tf.map_fn(one, number, fn_output_signature=tf.float64), [1, 0, 2])

    @cached_property
    def _over_draws(self) -> Any:
        count, exact = self.term.draws, self.context.program.data.exact
        half = self.term.examples if exact else max(1, self.term.examples // 2)

        @tf.function(jit_compile=self.context.xla, autograph=False)
        def statistic(keys: dict[str, Any], draws: dict[str, Any], step: Any) -> Any:
            def body(place: Any, sums: Any, products: Any, last: Any, gaps: Any, squares: Any) -> Any:
                target = self._redrawn(keys, draws, place)
                first = tf.cast(place, tf.int64) * (0 if exact else 2 * half)
                one = self._mean(keys["test"], target, step, first, half)
                two = one if exact else self._mean(keys["test"], target, step, first + half, half)
                gap = _dot(one - last[0], two - last[1]) / 2
                gap = tf.where(place % 2 == 1, gap, tf.zeros([], tf.float64))
                sums = (sums[0] + one, sums[1] + two)
                return place + 1, sums, products + _dot(one, two), (one, two), gaps + gap, squares + tf.square(gap)

            wide, narrow = tf.zeros([self.replicates, self.size], tf.float64), tf.zeros([self.replicates], tf.float64)
            start = [tf.constant(0), (wide, wide), narrow, (wide, wide), narrow, narrow]
            _, sums, products, _, gaps, squares = tf.while_loop(lambda place, *_: place < count, body, start)
            every = bool(self.term.every)
            variance = (products - _dot(*sums) / count) / (count if every else count - 1)
            pairs = count // 2
            spread_squared = tf.maximum(squares / pairs - tf.square(gaps / pairs), 0) / max(1, pairs - 1)
            return variance, 2 * tf.sqrt(spread_squared)

        return statistic

    def _redrawn(self, keys: dict[str, Any], draws: dict[str, Any], place: Any) -> dict[str, Any]:
        """The replicates' draws with those of `over` made anew, and what depends on them."""
        context, over = self.context, set(self.term.over)

        def lowering_of(stream: str, index: Any) -> Lowering:
            own = keys[stream]
            return Lowering(
                context.dtype, {REPLICATE: self.replicates, EXAMPLE: 1}, context.bindings, {},
                keys=lambda sample: own[context.samples[sample.path]], index=index, lead=(REPLICATE,),
                enumerated=self.term.every if stream == "redraw" else (),
            )  # fmt: skip

        anew = lowering_of("redraw", tf.reshape(tf.cast(place, tf.int64), [1]))
        same = lowering_of("draw", tf.zeros([1], tf.int64))
        draws = dict(draws)
        changed: set[str] = set()
        for item in context.program.draws:
            below = {part.name for part in t.walk(item.term) if isinstance(part, t.Reference)}
            if item.name in over or below & changed:
                changed.add(item.name)
                known = {name: Value(tensor, (REPLICATE,)) for name, tensor in draws.items() if name != item.name}
                lowering = replace(anew if item.name in over else same, values=known)
                draws[item.name] = lowering.broadcast_to_axes(lowering(item.term), (REPLICATE,), len(item.type.shape))
        return draws


def _dot(a: Any, b: Any) -> Any:
    return tf.reduce_sum(a * b, axis=-1)


def _spread(means: Any, inside: Any, compared: int) -> Any:
    """The sum of ⟨d, d'⟩² over the pairs of differences within groups of blocks [R, B, P]: [R]."""
    replicates, count, size = means.shape
    both = tf.reshape(inside, [count // 2, 2])[:, 1]
    pairs = tf.reshape(means, [replicates, count // 2, 2, size])
    apart = (pairs[:, :, 0] - pairs[:, :, 1]) / np.sqrt(2)
    apart = tf.where(both[:, tf.newaxis], apart, tf.zeros([], tf.float64))
    apart = tf.reshape(apart, [replicates, count // compared, compared // 2, size])
    products = tf.square(tf.matmul(apart, apart, transpose_b=True))
    return tf.reduce_sum(products * np.triu(np.ones([compared // 2] * 2), 1), axis=[1, 2, 3])
