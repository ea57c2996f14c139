"""Batch normalisation (Ioffe & Szegedy 2015), over each replicate's own batch."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .registry import KERNELS, LayerCall, Tensors


@KERNELS("batch_normalization")
def batch_normalization(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """gamma · (x - mean) / √(variance + epsilon) + beta, on [L, N, …, n] with weights [L, n].

    Outside training mean and variance are the moving averages, of which an update keeps `momentum` at each application.
    """
    shape, config = x.shape.as_list(), call.plan.config
    if call.batches > 1:  # each batch by itself: [L, batches, examples, …, n]
        x = tf.reshape(x, [shape[0], call.batches, -1, *shape[2:]])
    over = list(range(1 + x.shape.rank - len(shape), x.shape.rank - 1))

    def wide(weight: Any) -> Any:
        return tf.reshape(weight, [weight.shape[0], *[1] * (x.shape.rank - 2), weight.shape[-1]])

    if call.training is None:
        mean, variance = wide(weights["moving_mean"]), wide(weights["moving_variance"])
    else:
        mean = tf.reduce_mean(x, axis=over, keepdims=True)
        variance = tf.reduce_mean(tf.square(x - tf.stop_gradient(mean)), axis=over, keepdims=True)
        moments = (("moving_mean", mean), ("moving_variance", variance)) if call.training.in_loss else ()
        momentum, moving = tf.constant(config["momentum"], x.dtype), call.training.moving
        for name, batch in moments:
            place = (call.network, call.plan.key, name)
            old: Any = moving[place] if place in moving else weights[name]
            moving[place] = tf.stop_gradient(old * momentum + tf.reshape(batch, old.shape) * (1 - momentum))
    y = (x - mean) * tf.math.rsqrt(variance + tf.constant(config["epsilon"], x.dtype))
    y = y * wide(weights["gamma"]) if "gamma" in weights else y
    y = y + wide(weights["beta"]) if "beta" in weights else y
    return tf.reshape(y, shape) if call.batches > 1 else y
