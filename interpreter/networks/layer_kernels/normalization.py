"""Normalisations within one example: over its last axis, or over groups of its channels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .registry import KERNELS, LayerCall, Tensors


def _wide(weight: Any, rank: int) -> Any:
    """A weight [L, n] beside [L, N, …, n] of so many axes."""
    return tf.reshape(weight, [weight.shape[0], *[1] * (rank - 2), weight.shape[-1]])


@KERNELS("rms_normalization")
def rms_normalization(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """scale · x / √(mean of x² + epsilon), on [L, N, …, n] with scales [L, n]."""
    epsilon = tf.constant(call.plan.config["epsilon"], x.dtype)
    over = tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) + epsilon)
    return x * over * _wide(weights["scale"], x.shape.rank)


@KERNELS("group_normalization")
def group_normalization(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """gamma · (x - mean) / √(variance + epsilon) + beta, on [L, N, …, n] with weights [L, n].

    Mean and variance are those of an example's group of channels, over all its places.
    """
    config, shape = call.plan.config, x.shape.as_list()
    groups = config["groups"]
    grouped = tf.reshape(x, [*shape[:2], -1, groups, shape[-1] // groups])
    mean = tf.reduce_mean(grouped, axis=[2, 4], keepdims=True)
    apart = grouped - mean
    variance = tf.reduce_mean(tf.square(apart), axis=[2, 4], keepdims=True)
    y = tf.reshape(apart * tf.math.rsqrt(variance + tf.constant(config["epsilon"], x.dtype)), shape)
    y = y * _wide(weights["gamma"], len(shape)) if "gamma" in weights else y
    return y + _wide(weights["beta"], len(shape)) if "beta" in weights else y
