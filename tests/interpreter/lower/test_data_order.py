"""The order in which finite data are walked: each epoch a permutation, every place computed by itself."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower.data_order import chosen
from dlspec.interpreter.lower.threefry import key


@pytest.fixture(scope="module")
def keys() -> tf.Tensor:
    """Those of two replicates."""
    return tf.constant([key("a"), key("b")], tf.uint32)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 100, 1000, 4097])
def test_an_epoch_holds_every_example_once(keys: tf.Tensor, count: int) -> None:
    walk = chosen(keys, tf.range(3 * count, dtype=tf.int64), count, "shuffle").numpy().reshape(2, 3, count)
    assert (np.sort(walk, axis=-1) == np.arange(count)).all()
    if count >= 64:
        assert len({tuple(epoch) for replicate in walk for epoch in replicate}) == 6


def test_both_compiled_forms_and_any_stretch_give_the_same_walk(keys: tf.Tensor) -> None:
    for order in ("shuffle", "with_replacement"):
        whole = chosen(keys, tf.range(500, dtype=tf.int64), 77, order).numpy()
        compiled = tf.function(
            lambda place, order=order: chosen(keys, place, 77, order), jit_compile=True, autograph=False
        )
        assert (compiled(tf.range(500, dtype=tf.int64)).numpy() == whole).all()
        assert (chosen(keys, tf.range(200, 300, dtype=tf.int64), 77, order).numpy() == whole[:, 200:300]).all()


def test_places_and_examples_are_independent(keys: tf.Tensor) -> None:
    """Chi-square of which of 10 examples comes first, and which of them follows which, over 4000 epochs."""
    walk = chosen(keys[:1], tf.range(40_000, dtype=tf.int64), 10, "shuffle").numpy().reshape(4000, 10)
    first = np.bincount(walk[:, 0], minlength=10)
    assert np.sum((first - 400) ** 2 / 400) < 27.9  # the 99.9 % quantile with 9 degrees of freedom
    pairs = np.zeros((10, 10))
    np.add.at(pairs, (walk[:, 3], walk[:, 4]), 1)
    off = pairs[~np.eye(10, dtype=bool)]
    assert np.sum((off - 4000 / 90) ** 2 / (4000 / 90)) < 135.9  # with 89


def test_with_replacement_every_example_is_as_likely(keys: tf.Tensor) -> None:
    drawn = chosen(keys, tf.range(20_000, dtype=tf.int64), 10, "with_replacement").numpy()
    for row in drawn:
        assert np.sum((np.bincount(row, minlength=10) - 2000) ** 2 / 2000) < 27.9
    assert np.mean(drawn[0] == drawn[1]) < 0.2
