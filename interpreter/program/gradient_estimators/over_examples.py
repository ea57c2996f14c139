"""Statistics over examples, from independent blocks of them.

K blocks have mean gradients m₁, …, m_K of b examples each (of one, where that is cheap: `spec.passes.example_blocks`):

    signal  ‖E g‖²      (‖Σ m‖² - Σ‖m‖²) / (K (K - 1))
    noise   E‖g - E g‖² b (Σ‖m‖² - ‖Σ m‖² / K) / (K - 1)

Without a signal the estimate of it has the variance 2‖Σ‖² / (K (K - 1)), where Σ is the covariance of a block's mean; its
squared Frobenius norm is E⟨d, d'⟩² of two independent differences d = (m₁ - m₂) / √2, which hold no signal.
Both are without bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.passes.example_blocks import MAX_SUMMED_EXAMPLES, alongside, block, comparisons, group

from .gradients import Gradients, inner
from .registry import Inputs, estimates

EPSILON = float(np.finfo(np.float64).eps)
"""What is smaller than this share of a sum of squares, times the number of its terms, is rounding: no noise at all."""


@dataclass(frozen=True)
class BlockSums:
    """Of the mean gradients m of `blocks` blocks of `size` examples.

    Args:
        total: Σ m, float64 [R, P].
        squares: Σ‖m‖², float64 [R].
        products: Σ⟨d, d'⟩² over the pairs of differences within groups of `compared` blocks, float64 [R]; 0 unless asked for.
    """

    size: int
    blocks: int
    compared: int
    total: Any
    squares: Any
    products: Any

    @property
    def signal(self) -> Any:
        """An estimate of ‖E g‖², [R]."""
        return (inner(self.total, self.total) - self.squares) / (self.blocks * (self.blocks - 1))

    @property
    def noise(self) -> Any:
        """An estimate of E‖g - E g‖², [R]."""
        apart = self.squares - inner(self.total, self.total) / self.blocks
        apart = tf.where(apart <= self.blocks * EPSILON * self.squares, tf.zeros_like(apart), apart)
        return self.size * apart / (self.blocks - 1)

    @property
    def signal_error(self) -> Any:
        """The standard error of the signal's estimate where there is none, [R]."""
        pairs = comparisons(self.blocks, self.compared)
        return tf.sqrt(2 / (self.blocks * (self.blocks - 1)) * self.products / pairs)


def block_sums(gradients: Gradients, inputs: Inputs, compares: bool) -> BlockSums:
    """The sums over all blocks; `compares` asks for the products of differences, too."""
    context, term = gradients.context, gradients.term
    size = block(context.program, term)
    blocks, compared = term.examples // size, group(size)
    count = compared if compares or size == 1 else 1
    if size == 1:
        count *= max(1, context.chunk(min(blocks, MAX_SUMMED_EXAMPLES), alongside(term)) // compared)

    def means_of(number: Any) -> Any:
        given = inputs.keys["test"], inputs.draws, inputs.step, number
        return gradients.each(*given) if size == 1 else gradients.block_means(*given, size)

    def body(first: Any, total: Any, squares: Any, products: Any) -> Any:
        number = tf.cast(first, tf.int64) + tf.range(count, dtype=tf.int64)
        inside = number < blocks
        means = tf.where(inside[:, tf.newaxis], means_of(number), tf.zeros([], tf.float64))
        total, squares = total + tf.reduce_sum(means, axis=1), squares + tf.reduce_sum(means * means, axis=[1, 2])
        return first + count, total, squares, products + (_spread(means, inside, compared) if compares else 0)

    narrow = tf.zeros([gradients.replicates], tf.float64)
    start = [tf.constant(0), tf.zeros([gradients.replicates, gradients.size], tf.float64), narrow, narrow]
    return BlockSums(size, blocks, compared, *tf.while_loop(lambda first, *_: first < blocks, body, start)[1:])


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


@estimates("gradient_snr")
def signal_to_noise(gradients: Gradients, inputs: Inputs) -> tuple[Any, Any]:
    """The ratio, and two standard errors of it if there were no signal."""
    sums = block_sums(gradients, inputs, compares=True)
    noise = sums.noise
    return sums.signal / noise, tf.math.divide_no_nan(2 * sums.signal_error, noise)


@estimates("gradient_norm")
def norm(gradients: Gradients, inputs: Inputs) -> tuple[Any, Any]:
    """The norm of the mean gradient."""
    term = gradients.term
    mean = gradients.mean(inputs.keys[term.on], inputs.draws, inputs.step, tf.constant(0, tf.int64), term.examples)
    return tf.sqrt(inner(mean, mean)), None


@estimates("gradient_alignment")
def alignment(gradients: Gradients, inputs: Inputs) -> tuple[Any, Any]:
    """The mean cosine of two examples' gradients: (‖Σ u‖² - n) / (n (n - 1)) of the n gradients' directions u."""
    context, term = gradients.context, gradients.term
    count = context.chunk(min(term.examples, MAX_SUMMED_EXAMPLES), alongside(term))

    def body(first: Any, total: Any) -> Any:
        number = tf.cast(first, tf.int64) + tf.range(count, dtype=tf.int64)
        each = gradients.each(inputs.keys[term.on], inputs.draws, inputs.step, number)
        directions = each / tf.sqrt(tf.reduce_sum(each * each, axis=-1, keepdims=True))
        directions = tf.where((number < term.examples)[:, tf.newaxis], directions, tf.zeros([], tf.float64))
        return first + count, total + tf.reduce_sum(directions, axis=1)

    start = [tf.constant(0), tf.zeros([gradients.replicates, gradients.size], tf.float64)]
    _, total = tf.while_loop(lambda first, _: first < term.examples, body, start)
    return (inner(total, total) - term.examples) / (term.examples * (term.examples - 1)), None


@estimates("gradient_noise")
def noise(gradients: Gradients, inputs: Inputs) -> tuple[Any, Any]:
    """The variance of one example's gradient."""
    return block_sums(gradients, inputs, compares=False).noise, None
