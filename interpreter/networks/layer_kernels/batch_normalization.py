"""Batch normalisation (Ioffe & Szegedy 2015), over each replicate's own batch."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .registry import KERNELS, LayerCall, Tensors


@KERNELS("batch_normalization")
def batch_normalization(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """gamma · (x - mean) / √(variance + epsilon) + beta, on [L, N, …, n] with weights [L, n].

    Outside training mean and variance are the moving averages, of which training keeps `momentum` at each application.
    """
    over, config = list(range(1, x.shape.rank - 1)), call.plan.config

    def wide(weight: Any) -> Any:
        return tf.reshape(weight, [weight.shape[0], *[1] * len(over), weight.shape[-1]])

    if call.training is None:
        mean, variance = wide(weights["moving_mean"]), wide(weights["moving_variance"])
    else:
        mean = tf.reduce_mean(x, axis=over, keepdims=True)
        variance = tf.reduce_mean(tf.square(x - tf.stop_gradient(mean)), axis=over, keepdims=True)
        momentum, moving = tf.constant(config["momentum"], x.dtype), call.training.moving
        for name, batch in (("moving_mean", mean), ("moving_variance", variance)):
            place = (call.network, call.plan.key, name)
            old: Any = moving[place] if place in moving else weights[name]
            moving[place] = tf.stop_gradient(old * momentum + tf.reshape(batch, old.shape) * (1 - momentum))
    y = (x - mean) * tf.math.rsqrt(variance + tf.constant(config["epsilon"], x.dtype))
    y = y * wide(weights["gamma"]) if "gamma" in weights else y
    return y + wide(weights["beta"]) if "beta" in weights else y
