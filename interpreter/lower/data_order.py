"""Which examples of a finite set a step takes: at random, or each once an epoch in an order of its own.

A shuffled epoch is a keyed permutation of 0, …, n - 1, computed place by place (Luby & Rackoff 1988, "How to construct
pseudorandom permutations from pseudorandom functions"; walking its cycles keeps it in range: Black & Rogaway 2002,
"Ciphers with arbitrary finite domains", section 3). No order is ever stored, so a step needs no memory of earlier ones.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .threefry import threefry, words

ROUNDS = 6


def chosen(keys: Any, place: Any, count: int, order: str) -> Any:
    """The numbers int64 [R, B] of the examples at some places of the walk, int64 [B]; keys: uint32 [R, 2]."""
    if order == "with_replacement":
        bits = words(keys, place, 1)[..., 0]
        scaled = tf.cast(bits, tf.uint64) * tf.constant(count, tf.uint64)
        return tf.cast(tf.bitwise.right_shift(scaled, tf.constant(32, tf.uint64)), tf.int64)
    if order == "file":
        return tf.tile((place % count)[tf.newaxis], [keys.shape[0], 1])
    epoch, within = place // count, place % count
    return tf.cast(shuffled(keys, tf.cast(epoch, tf.uint32), tf.cast(within, tf.uint32), count), tf.int64)


def shuffled(keys: Any, epoch: Any, place: Any, count: int) -> Any:
    """Where a keyed permutation of 0, …, count - 1 takes some places: uint32 [R, B]; one permutation an epoch."""
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    shift, mask = tf.constant(half, tf.uint32), tf.constant(2**half - 1, tf.uint32)
    key0, key1 = (tf.reshape(keys[:, lane], [-1, 1]) for lane in (0, 1))

    def permuted(value: Any) -> Any:
        left, right = tf.bitwise.right_shift(value, shift), tf.bitwise.bitwise_and(value, mask)
        for turn in range(ROUNDS):
            counter = tf.bitwise.bitwise_or(
                tf.bitwise.left_shift(right, tf.constant(3, tf.uint32)), tf.constant(turn, tf.uint32)
            )
            bits, _ = threefry(key0, key1, epoch[tf.newaxis, :], counter)
            left, right = right, tf.bitwise.bitwise_xor(left, tf.bitwise.bitwise_and(bits, mask))
        return tf.bitwise.bitwise_or(tf.bitwise.left_shift(left, shift), right)

    def out(value: Any) -> Any:
        return tf.cast(value, tf.int64) >= count

    # The first round of the walk is one of the loop's: written out before it, its operations would be compiled twice.
    _, walked = tf.while_loop(
        lambda first, value: first | tf.reduce_any(out(value)),
        lambda first, value: (tf.constant(False), tf.where(first | out(value), permuted(value), value)),
        [tf.constant(True), tf.broadcast_to(place[tf.newaxis, :], [keys.shape[0], place.shape[0]])],
    )
    return walked
