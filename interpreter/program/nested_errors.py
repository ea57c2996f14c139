"""The sampling errors of means within means, as of a variance `E((a - E(a))^2)`: to first order, from one more pass over the examples.

How a mean moves with an example is what the example adds to it, and what it adds to the means that stand in its body (the influence
function of von Mises 1947). So the covariances of the bodies at the means are wanted, and by how much each body moves on average with each mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

Derivatives = dict[tuple[int, int], Any]
"""Of a mean by another, which stands in its body: the mean derivative of the body, [rows]. The outer ones come first."""
Bodies = Callable[[Any, Sequence[Any]], Sequence[Any]]
"""The bodies of some means, [rows, examples] each, of the examples with some numbers, where the means are given, [rows] each."""


class NestedMoments:
    """Of means within means, by pairs of places among them: the sums of the products of two bodies' deviations, and the mean derivative of a
    body by a mean. All are [rows] in float64.
    """

    def __init__(self, within: Sequence[Sequence[int]], total: int, chunk: int) -> None:
        """`within` are for each mean the places of those that stand in its body; so many examples are taken, a chunk at a time."""
        count = len(within)
        self.total, self.chunk = total, chunk
        self.chunks = -(-total // chunk)
        self.pairs = [(a, b) for a in range(count) for b in range(a, count)]
        self.inner = [(place, own) for place in range(count) for own in within[place]]

    def begin(self, rows: int) -> list[Any]:
        """Those of no examples."""
        return [tf.zeros([rows], tf.float64) for _ in (*self.pairs, *self.inner)]

    def whole(self, bodies: Bodies, means: Sequence[Any]) -> list[Any]:
        """Those of all examples."""
        so_far = [tf.zeros_like(means[0]) for _ in (*self.pairs, *self.inner)]
        return self.stretch(bodies, means, tf.constant(0), self.chunks, so_far)

    def stretch(self, bodies: Bodies, means: Sequence[Any], first: Any, last: Any, so_far: Sequence[Any]) -> list[Any]:
        """Those of the examples before, `so_far`, and of the chunks from one to another."""
        if self.chunks == 1:
            return self._part(bodies, means, tf.constant(0))
        loop = tf.while_loop(
            lambda place, *_: place < last,
            lambda place, *sums: (
                place + 1,
                *(a + b for a, b in zip(sums, self._part(bodies, means, place), strict=True)),
            ),
            [first, *so_far],
        )
        return list(loop[1:])

    def named(self, results: Sequence[Any]) -> tuple[dict[tuple[int, int], Any], Derivatives]:
        """The two by their places."""
        split = len(self.pairs)
        return (
            dict(zip(self.pairs, results[:split], strict=True)),
            dict(zip(self.inner, results[split:], strict=True)),
        )

    def _part(self, bodies: Bodies, means: Sequence[Any], place: Any) -> list[Any]:
        index = tf.cast(place, tf.int64) * self.chunk + tf.range(self.chunk, dtype=tf.int64)
        inside = (index < self.total)[tf.newaxis]
        zero = tf.zeros([], tf.float64)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            given = [tf.identity(mean) for mean in means]
            tape.watch(given)
            each = bodies(index, given)
            sums = [tf.reduce_sum(tf.where(inside, body, zero), axis=1) for body in each]
        apart = [tf.where(inside, body - mean[:, tf.newaxis], zero) for body, mean in zip(each, means, strict=True)]
        moments = [tf.reduce_sum(apart[a] * apart[b], axis=1) for a, b in self.pairs]
        slopes = [tape.gradient(sums[outer], given[own], unconnected_gradients="zero") for outer, own in self.inner]
        return [*moments, *(slope / self.total for slope in slopes)]


def through_means(slopes: Mapping[int, Any], derivatives: Derivatives) -> dict[int, Any]:
    """By how much a measure moves with each of its means, the ways through the bodies of others with it."""
    whole = dict(slopes)
    for (outer, own), slope in derivatives.items():
        whole[own] = whole[own] + whole[outer] * slope
    return whole
