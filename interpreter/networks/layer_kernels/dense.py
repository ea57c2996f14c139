"""A dense layer on one-hot vectors: no product, but rows of its kernel. On an input that cells share: one product for all of them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .registry import BATCHED, ROW_LOOKUPS, SHARED_INPUTS, LayerCall, Tensors


@ROW_LOOKUPS("dense")
def rows(call: LayerCall, index: Any, weights: Tensors) -> Any:
    """The layer on the one-hot vectors of an index [R, N]: [R, N, units]."""
    y = call.rounded(tf.gather(weights["kernel"], index, batch_dims=1))
    if "bias" in weights:
        y += call.rounded(weights["bias"])[:, tf.newaxis]
    return call.keras.activation(y)


@BATCHED("dense")
def batched(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """The layer on [L, N, …, n] with kernels [L, n, units]: what TensorFlow makes of Keras' own on each, traced in a tenth of the time."""
    flat = tf.reshape(x, [x.shape[0], -1, x.shape[-1]])
    y = tf.reshape(tf.matmul(flat, weights["kernel"]), [*x.shape[:-1], -1])
    if "bias" in weights:
        y += tf.reshape(weights["bias"], [-1, *[1] * (y.shape.rank - 2), y.shape[-1]])
    return call.keras.activation(y)


@SHARED_INPUTS("dense")
def of_shared_input(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """The layer on [R, N, …, n] with kernels [cells · R, n, units]: each replicate's input is read once for all cells.

    The kernels of a replicate stand side by side, as one of n times cells · units.
    """
    kernel, replicates = weights["kernel"], x.shape[0]
    cells, (inputs, units) = kernel.shape[0] // replicates, kernel.shape[1:]
    wide = tf.transpose(tf.reshape(kernel, [cells, replicates, inputs, units]), [1, 2, 0, 3])
    flat = tf.reshape(x, [replicates, -1, inputs])
    y = tf.reshape(tf.matmul(flat, tf.reshape(wide, [replicates, inputs, -1])), [replicates, -1, cells, units])
    y = tf.reshape(tf.transpose(y, [2, 0, 1, 3]), [cells * replicates, *x.shape[1:-1], units])
    if "bias" in weights:
        y += tf.reshape(weights["bias"], [-1, *[1] * (y.shape.rank - 2), units])
    return call.keras.activation(y)
