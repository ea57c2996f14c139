"""Copies of a network: to its layers each is a row of its own, those of a replicate one after the other.

Outside, a weight of all of them is [rows, copies, …], and a value of one example [copies, …].
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ..lower.threefry import threefry

COPIES = "copies#4294967296"
"""The axis of copies where a function of the language is a layer, or a constraint: the innermost of all."""
_FIRST_BLOCK = 2**30
"""Where the blocks begin that the keys of copies come from: far behind those of the uses of a place, before those of streams."""


def as_rows(tensor: Any, copies: int | None, lead: int = 1) -> Any:
    """[rows, *axes, copies, …] as [rows · copies, *axes, …], where `lead` counts rows and axes; what has no copies stays."""
    if copies is None:
        return tensor
    first = tf.transpose(tensor, [0, lead, *range(1, lead), *range(lead + 1, tensor.shape.rank)])
    return tf.reshape(first, [first.shape[0] * copies, *first.shape[2:]])


def from_rows(tensor: Any, copies: int | None, lead: int = 1) -> Any:
    """[rows · copies, *axes, …] as [rows, *axes, copies, …]; the way back."""
    if copies is None:
        return tensor
    apart = tf.reshape(tensor, [tensor.shape[0] // copies, copies, *tensor.shape[1:]])
    return tf.transpose(apart, [0, *range(2, lead + 1), 1, *range(lead + 1, apart.shape.rank)])


def shared_by(tensor: Any, copies: int | None) -> Any:
    """What all copies are given: [rows, …] as [rows · copies, …]."""
    if copies is None:
        return tensor
    shape = tensor.shape.as_list()
    several = tf.broadcast_to(tf.expand_dims(tensor, 1), [shape[0], copies, *shape[1:]])
    return tf.reshape(several, [shape[0] * copies, *shape[1:]])


def keys_of(keys: Any, copies: int | None) -> Any:
    """The keys of each copy's draws, uint32 [rows · copies, 2], from those of a place, [rows, 2], which the first of them has."""
    if copies is None or copies == 1:
        return keys
    number = tf.range(1, copies, dtype=tf.int32)
    block = tf.cast(number + _FIRST_BLOCK, tf.uint32)[tf.newaxis]
    key0, key1 = (tf.reshape(keys[:, lane], [-1, 1]) for lane in (0, 1))
    others = tf.stack(threefry(key0, key1, block, tf.constant(2**32 - 1, tf.uint32)), axis=2)
    return tf.reshape(tf.concat([tf.expand_dims(keys, 1), others], axis=1), [-1, 2])
