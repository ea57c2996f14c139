"""Random words by a counter-based generator: Threefry-2x32-20 (Salmon et al. 2011, "Parallel random numbers: as easy
as 1, 2, 3", section 4.2), written in TensorFlow's integer operations, so XLA and the plain graph give the same bits.

Word (r, i, j) is a pure function of replicate r's key, the example's number i and j. Keys come from names.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import tensorflow as tf

from ..backend.function_names import named

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def _hashed(path: tuple[str | int, ...]) -> bytes:
    """SHA-256 of a path of names: each part with its length, so that no two paths run together."""
    parts = b"".join(f"{len(str(part).encode())}:{part};".encode() for part in path)
    return hashlib.sha256(parts).digest()


def key(*path: str | int) -> tuple[int, int]:
    """The two 32-bit words of a place in the tree of names."""
    digest = _hashed(path)
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")


def keras_seed(*path: str | int) -> int:
    """A seed for a Keras initialiser: 31 bits of the same tree."""
    return int.from_bytes(_hashed(path)[8:12], "little") >> 1


def _rotate(x: Any, places: int) -> Any:
    return tf.bitwise.bitwise_or(
        tf.bitwise.left_shift(x, tf.constant(places, tf.uint32)),
        tf.bitwise.right_shift(x, tf.constant(32 - places, tf.uint32)),
    )


def threefry(key0: Any, key1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    """Twenty rounds on a block of two words; all uint32, broadcasting."""
    with named(lambda: "threefry"):  # whichever function comes to it first
        first, second = _rounds(key0, key1, x0, x1)
    shape = functools.reduce(
        tf.broadcast_static_shape, [tf.convert_to_tensor(word).shape for word in (key0, key1, x0, x1)]
    )
    first.set_shape(shape)
    second.set_shape(shape)
    return first, second


_WORDS = tf.TensorSpec(None, tf.uint32)


# A function of its own, of words of any shape: its two hundred operations are traced once a process, not once a draw.
@tf.function(input_signature=[_WORDS] * 4, autograph=False)
def _rounds(key0: Any, key1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    parity = tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(key0, key1), tf.constant(PARITY, tf.uint32))
    keys = (key0, key1, parity)
    x0, x1 = x0 + key0, x1 + key1
    for group in range(5):
        for places in ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = tf.bitwise.bitwise_xor(_rotate(x1, places), x0)
        x0 = x0 + keys[(group + 1) % 3]
        x1 = x1 + keys[(group + 2) % 3] + tf.constant(group + 1, tf.uint32)
    return x0, x1


def words(keys: Any, index: Any, count: int, one_pass: bool = False, padding: int = 0) -> Any:
    """Random words [R, B, count]; in one pass so many more, of which nobody may make anything, as `padding`.

    keys: uint32 [R, 2]; index: the examples' numbers, below 2³², int [B] or [R, B]. The first half of an example's
    words comes from one lane of its blocks, the second half from the other: side by side, or in one pass over the words, each
    of which asks for its block. That is faster where XLA makes one loop of words and what becomes of them.
    """
    blocks = (count + 1) // 2
    place = tf.range(count + padding if one_pass else blocks, dtype=tf.int32)
    first = place < blocks
    number = tf.cast(index, tf.uint32)
    number = number[tf.newaxis, :, tf.newaxis] if number.shape.rank == 1 else number[:, :, tf.newaxis]
    block = tf.cast(tf.where(first, place, place - blocks), tf.uint32) if one_pass else tf.cast(place, tf.uint32)
    # Not `keys[:, 0, None, None]`: where the keys are a stack, TensorFlow's own rewriting of the graph drops the new axes.
    key0, key1 = (tf.reshape(keys[:, lane], [-1, 1, 1]) for lane in (0, 1))
    x0, x1 = threefry(key0, key1, number, block)
    if count == 1 and not padding:
        return x0
    return tf.where(first, x0, x1) if one_pass else tf.concat([x0, x1[..., : count - blocks]], axis=-1)


def folded(keys: Any, turn: int) -> Any:
    """Keys [R, 2] of the n-th use of a place: those of the place itself for the first, then blocks no word comes from."""
    if turn == 0:
        return keys
    last = tf.constant(2**32 - 1, tf.uint32)
    return tf.stack(threefry(keys[:, 0], keys[:, 1], tf.constant(turn, tf.uint32), last), axis=1)
