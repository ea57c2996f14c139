"""Max-pooling keeps what is undefined, in both forms; elsewhere values and gradients are those of the pooling alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.networks.layer_kernels import KERNELS
from dlspec.interpreter.networks.layer_kernels.max_pooling import max_pooling, undefined_kept
from dlspec.spec.tables.layers import LAYERS

POOLINGS = [row.keras for row in LAYERS.values() if KERNELS.get(row.name) is max_pooling]


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("kind", POOLINGS)
def test_a_window_with_nan_gives_nan(kind: str, xla: bool) -> None:
    over = (6,) if kind.endswith("1D") else (6, 6)
    windows = {} if kind.startswith("Global") else {"pool_size": 2}
    pool = getattr(keras.layers, kind)(**windows)
    x = np.random.default_rng(0).normal(size=(3, *over, 2)).astype(np.float32)
    x[0][(1,) * len(over) + (0,)], x[1][(0,) * len(over) + (1,)] = np.nan, -np.nan
    x[2] = np.inf  # no entry undefined

    @tf.function(jit_compile=xla, autograph=False)
    def both(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = undefined_kept(pool, x)
        return y, tape.gradient(y, x), pool(x)

    y, _, plain = (found.numpy() for found in both(tf.constant(x)))
    size = 6 if kind.startswith("Global") else 2
    for axis in range(1, 1 + len(over)):
        x = np.maximum.reduceat(x, range(0, 6, size), axis=axis)
    np.testing.assert_array_equal(y, x.reshape(y.shape))
    assert not np.isnan(plain).all() and np.isnan(y).sum() == 2
    clean = np.random.default_rng(1).normal(size=(2, *over, 2)).astype(np.float32)
    y, gradient, plain = (found.numpy() for found in both(tf.constant(clean)))
    np.testing.assert_array_equal(y, plain)
    assert (np.sort(np.unique(gradient)) == [0, 1]).all() and gradient.sum() == y.size
