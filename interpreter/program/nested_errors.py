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


def moments_and_derivatives(
    bodies: Bodies, means: Sequence[Any], within: Sequence[Sequence[int]], total: int, chunk: int
) -> tuple[dict[tuple[int, int], Any], Derivatives]:
    """By pairs of places among the means: the sums of the products of two bodies' deviations, and the mean derivative of a body by a mean.

    `within` are for each mean the places of those that stand in its body. All are [rows] in float64.
    """
    count = len(means)
    pairs = [(a, b) for a in range(count) for b in range(a, count)]
    inner = [(place, own) for place in range(count) for own in within[place]]

    def part(place: Any) -> list[Any]:
        index = tf.cast(place, tf.int64) * chunk + tf.range(chunk, dtype=tf.int64)
        inside = (index < total)[tf.newaxis]
        zero = tf.zeros([], tf.float64)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            given = [tf.identity(mean) for mean in means]
            tape.watch(given)
            each = bodies(index, given)
            sums = [tf.reduce_sum(tf.where(inside, body, zero), axis=1) for body in each]
        apart = [tf.where(inside, body - mean[:, tf.newaxis], zero) for body, mean in zip(each, means, strict=True)]
        moments = [tf.reduce_sum(apart[a] * apart[b], axis=1) for a, b in pairs]
        slopes = [tape.gradient(sums[outer], given[own], unconnected_gradients="zero") for outer, own in inner]
        return [*moments, *(slope / total for slope in slopes)]

    chunks = -(-total // chunk)
    if chunks == 1:
        found = part(tf.constant(0))
    else:
        found = tf.while_loop(
            lambda place, *_: place < chunks,
            lambda place, *so_far: (place + 1, *(a + b for a, b in zip(so_far, part(place), strict=True))),
            [tf.constant(0), *(tf.zeros_like(means[0]) for _ in (*pairs, *inner))],
        )[1:]
    return dict(zip(pairs, found[: len(pairs)], strict=True)), dict(zip(inner, found[len(pairs) :], strict=True))


def through_means(slopes: Mapping[int, Any], derivatives: Derivatives) -> dict[int, Any]:
    """By how much a measure moves with each of its means, the ways through the bodies of others with it."""
    whole = dict(slopes)
    for (outer, own), slope in derivatives.items():
        whole[own] = whole[own] + whole[outer] * slope
    return whole
