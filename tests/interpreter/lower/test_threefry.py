"""The generator: its published vectors, an implementation of its own in NumPy, and the same bits in every compiled form."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower.threefry import folded, keras_seed, key, threefry, words

# Random123 1.14, tests/kat_vectors: threefry2x32, 20 rounds. Counter, key, output.
PUBLISHED = [
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


def oracle(key0: int, key1: int, x0: int, x1: int) -> tuple[int, int]:
    """Threefry-2x32-20 from section 4.2 of the paper, in Python's own whole numbers."""
    rotations = [13, 15, 26, 6, 17, 29, 16, 24]
    keys = [key0, key1, 0x1BD11BDA ^ key0 ^ key1]
    x = [(x0 + key0) % 2**32, (x1 + key1) % 2**32]
    for turn in range(20):
        x[0] = (x[0] + x[1]) % 2**32
        places = rotations[turn % 8]
        x[1] = ((x[1] << places) | (x[1] >> (32 - places))) % 2**32 ^ x[0]
        if turn % 4 == 3:
            n = turn // 4 + 1
            x[0] = (x[0] + keys[n % 3]) % 2**32
            x[1] = (x[1] + keys[(n + 1) % 3] + n) % 2**32
    return x[0], x[1]


def run(xla: bool, *arrays: Any) -> tuple[Any, Any]:
    """The generator in one compiled form."""
    made = tf.function(threefry, jit_compile=xla, autograph=False)(
        *(tf.constant(np.asarray(array, np.uint32)) for array in arrays)
    )
    return made[0].numpy(), made[1].numpy()


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_the_published_vectors(xla: bool) -> None:
    counters, keys, outputs = (np.asarray([row[place] for row in PUBLISHED], np.uint32) for place in range(3))
    assert [oracle(*map(int, key), *map(int, counter)) for counter, key, _ in PUBLISHED] == [
        row[2] for row in PUBLISHED
    ]
    found = run(xla, keys[:, 0], keys[:, 1], counters[:, 0], counters[:, 1])
    np.testing.assert_array_equal(np.stack(found, axis=1), outputs)


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_random_blocks_are_those_of_another_implementation(xla: bool) -> None:
    blocks = np.random.default_rng(0).integers(0, 2**32, size=(200, 4), dtype=np.uint64)
    expected = np.asarray([oracle(*map(int, row)) for row in blocks])
    np.testing.assert_array_equal(np.stack(run(xla, *blocks.T), axis=1), expected)


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_words_are_pure_in_replicate_example_and_place(count: int) -> None:
    keys = np.asarray([[1, 2], [3, 4], [5, 2**32 - 1]], np.uint32)
    index = np.asarray([0, 7, 2**31, 2**32 - 1], np.int64)
    forms = [
        tf.function(words, jit_compile=xla, autograph=False)(tf.constant(keys), tf.constant(index), count).numpy()
        for xla in (False, True)
    ]
    np.testing.assert_array_equal(*forms)
    blocks = (count + 1) // 2
    for r, i in np.ndindex(3, 4):
        pairs = [oracle(*map(int, keys[r]), int(index[i]), block) for block in range(blocks)]
        lanes = [pair[0] for pair in pairs] + [pair[1] for pair in pairs]
        np.testing.assert_array_equal(forms[0][r, i], lanes[:count])
    for xla in (False, True):
        in_one = tf.function(words, jit_compile=xla, autograph=False)(
            tf.constant(keys), tf.constant(index), count, one_pass=True
        )
        np.testing.assert_array_equal(in_one.numpy(), forms[0])
        filled = tf.function(words, jit_compile=xla, autograph=False)(
            tf.constant(keys), tf.constant(index), count, one_pass=True, padding=3
        )
        assert filled.shape == (3, 4, count + 3)
        np.testing.assert_array_equal(filled[..., :count].numpy(), forms[0])
    alone = words(tf.constant(keys[1:2]), tf.constant(index[2:3]), count).numpy()
    np.testing.assert_array_equal(alone[0, 0], forms[0][1, 2])
    own = words(tf.constant(keys), tf.constant(np.stack([index, index + 1, index])), count).numpy()
    np.testing.assert_array_equal(own[0], forms[0][0])
    np.testing.assert_array_equal(own[1, 0], words(tf.constant(keys), tf.constant([1], tf.int64), count).numpy()[1, 0])


def test_keys_are_the_hash_of_names_and_lengths() -> None:
    digest = hashlib.sha256(b"1:7;5:stair;1:0;").digest()
    assert key(7, "stair", 0) == (int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little"))
    assert 0 <= keras_seed(7, "stair", 0) < 2**31
    assert keras_seed(7, "stair", 0) == int.from_bytes(digest[8:12], "little") // 2


def test_paths_never_run_together() -> None:
    paths: list[tuple[str | int, ...]] = [
        ("a", "bc"),
        ("ab", "c"),
        ("abc",),
        ("a", "b", "c"),
        ("a", "bc", ""),
        (1, 23),
        (12, 3),
        ("1:2;", ""),
    ]
    assert len({key(*path) for path in paths}) == len(paths)
    assert len({keras_seed(*path) for path in paths}) == len(paths)


def test_the_uses_of_a_place_have_keys_of_their_own() -> None:
    keys = tf.constant([[1, 2], [3, 4]], tf.uint32)
    found = [folded(keys, turn).numpy() for turn in range(4)]
    np.testing.assert_array_equal(found[0], keys.numpy())
    np.testing.assert_array_equal(found[2][1], oracle(3, 4, 2, 2**32 - 1))
    assert len({tuple(row) for turn in found for row in turn.tolist()}) == 8


def test_words_are_even_and_unrelated() -> None:
    bits = np.unpackbits(
        words(tf.constant([[1, 2], [1, 3]], tf.uint32), tf.range(500, dtype=tf.int64), 8).numpy().view(np.uint8)
    )
    rows = bits.reshape(2, 500, 256).astype(float) - 0.5
    assert abs(rows.mean()) < 4 * 0.5 / np.sqrt(rows.size)
    for a, b in ((rows[0], rows[1]), (rows[0, :-1], rows[0, 1:]), (rows[..., :-32], rows[..., 32:])):
        assert abs(4 * (a * b).mean()) < 4 / np.sqrt(a.size)
