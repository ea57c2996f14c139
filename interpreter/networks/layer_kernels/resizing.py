"""Images made larger: exactly in every number type, where TensorFlow's own resizing is float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.tables.layers.windows import sizes

from .registry import KERNELS, LayerCall, Tensors, keras_call


@KERNELS("up_sampling2d")
def up_sampling2d(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """Keras' own on [N, height, width, channels]; between values by a product with a matrix along each axis."""
    if call.plan.config["interpolation"] == "nearest":
        return keras_call(call, x, weights)
    height, width = sizes(call.plan.config["size"], 2)
    rows = tf.constant(between(x.shape[1], height), x.dtype)
    columns = tf.constant(between(x.shape[2], width), x.dtype)
    x = tf.tensordot(columns, tf.tensordot(rows, x, [[1], [1]]), [[1], [2]])  # [columns, rows, N, channels]
    return tf.transpose(x, [2, 1, 0, 3])


def between(length: int, factor: int) -> np.ndarray[Any, Any]:
    """The matrix [factor · length, length] of linear interpolation between the values' centres; the outermost go on beyond."""
    places = np.clip((np.arange(length * factor) + 0.5) / factor - 0.5, 0, length - 1)
    share: np.ndarray[Any, Any] = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(length)))
    return share
