"""Max-pooling that keeps what is undefined: TensorFlow's own drops NaN in both forms."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...lower.undefined_kept import is_nan
from .registry import KERNELS, LayerCall, Tensors


@KERNELS("max_pool1d")
@KERNELS("max_pool2d")
@KERNELS("global_max_pool1d")
@KERNELS("global_max_pool2d")
def max_pooling(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """Keras' own on [N, …, channels], but NaN where a window holds one."""
    return undefined_kept(call.keras, x)


def undefined_kept(pool: Any, x: Any) -> Any:
    """What a max-pooling makes of x [N, ...]: NaN where a window holds one. The gradient is the pooling's own.

    One sum tells whether there is any, and only then the windows are looked through: it is NaN if an entry is, and where it is so for
    infinities of both signs alone nothing is found.
    """
    y = pool(x)

    def marked() -> Any:
        undefined = pool(tf.cast(is_nan(x), x.dtype))
        return tf.where(undefined > 0, tf.constant(float("nan"), y.dtype), y)

    return _same(y, tf.cond(is_nan(tf.reduce_sum(x)), marked, lambda: tf.identity(y)))


@tf.custom_gradient
def _same(y: Any, value: Any) -> Any:
    """The value, with the gradient of y."""
    return tf.identity(value), lambda upstream: (upstream, None)
