"""A dense layer on one-hot vectors: no product, but rows of its kernel."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .registry import ROW_LOOKUPS, LayerCall, Tensors


@ROW_LOOKUPS("dense")
def rows(call: LayerCall, index: Any, weights: Tensors) -> Any:
    """The layer on the one-hot vectors of an index [R, N]: [R, N, units]."""
    y = call.rounded(tf.gather(weights["kernel"], index, batch_dims=1))
    if "bias" in weights:
        y += call.rounded(weights["bias"])[:, tf.newaxis]
    return call.keras.activation(y)
