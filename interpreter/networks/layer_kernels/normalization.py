"""Normalisations within one example: over its last axis, or over groups of its channels.

The mean is no constant in the variance: TensorFlow's `moments` take it for one, which is right for the first derivative alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from .registry import KERNELS, LayerCall, Tensors


def _wide(weight: Any, rank: int) -> Any:
    """A weight [L, n] beside [L, N, …, n] of so many axes."""
    return tf.reshape(weight, [weight.shape[0], *[1] * (rank - 2), weight.shape[-1]])


def _normalized(call: LayerCall, x: Any, axes: Sequence[int]) -> Any:
    """(x - mean) / √(variance + epsilon), both along some axes."""
    apart = x - tf.reduce_mean(x, axis=axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(apart), axis=axes, keepdims=True)
    return apart * tf.math.rsqrt(variance + tf.constant(call.plan.config["epsilon"], x.dtype))


def _scaled(y: Any, weights: Tensors) -> Any:
    """gamma · y + beta, as far as there are any."""
    y = y * _wide(weights["gamma"], y.shape.rank) if "gamma" in weights else y
    return y + _wide(weights["beta"], y.shape.rank) if "beta" in weights else y


@KERNELS("layer_normalization")
def layer_normalization(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """Over the last axis, on [L, N, …, n] with weights [L, n]."""
    return _scaled(_normalized(call, x, [-1]), weights)


@KERNELS("rms_normalization")
def rms_normalization(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """scale · x / √(mean of x² + epsilon), on [L, N, …, n] with scales [L, n]."""
    epsilon = tf.constant(call.plan.config["epsilon"], x.dtype)
    over = tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) + epsilon)
    return x * over * _wide(weights["scale"], x.shape.rank)


@KERNELS("group_normalization")
def group_normalization(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """Over an example's group of channels, at all its places, on [L, N, …, n] with weights [L, n]."""
    shape, groups = x.shape.as_list(), call.plan.config["groups"]
    grouped = tf.reshape(x, [*shape[:2], -1, groups, shape[-1] // groups])
    return _scaled(tf.reshape(_normalized(call, grouped, [2, 4]), shape), weights)
