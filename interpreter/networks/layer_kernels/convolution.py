"""Two-dimensional convolutions, alone and with the max-pooling that follows."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from .max_pooling import undefined_kept
from .registry import KERNELS, LayerCall, Tensors, fuses, keras_call

COMMUTING_WITH_MAX = frozenset({None, "linear", "relu"})
"""Activations f with f(max(a, b)) = max(f(a), f(b)) to the bit."""


@KERNELS("conv2d")
def conv2d(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """The convolution of [N, height, width, channels] with one replicate's kernel.

    The bias is a plain sum: of Keras' own, TensorFlow computes the gradient together with the kernel's, which takes
    longer on a CPU than one after the other.
    """
    if call.between != call.real:
        return keras_call(call, x, weights)
    y = call.keras.convolution_op(x, weights["kernel"])
    return call.keras.activation(y + weights["bias"] if "bias" in weights else y)


@KERNELS("depthwise_conv2d")
def depthwise_conv2d(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """A convolution of each channel for itself, [N, height, width, channels], with one replicate's kernel.

    Of a single channel it is a plain convolution, and computed as one: oneDNN takes a depthwise convolution with one weight for
    that of a convolution with a bias, of the same shapes, and then makes none.
    """
    if x.shape[-1] > 1 or call.between != call.real:
        return keras_call(call, x, weights)
    return _biased(call, _plain(call.keras, x, weights["kernel"]), weights)


@KERNELS("separable_conv2d")
def separable_conv2d(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """The same, followed by a convolution with one weight for each pair of channels."""
    if x.shape[-1] > 1 or call.between != call.real:
        return keras_call(call, x, weights)
    apart = _plain(call.keras, x, weights["depthwise_kernel"])
    return _biased(call, keras.ops.conv(apart, weights["pointwise_kernel"]), weights)


def _plain(layer: Any, x: Any, kernel: Any) -> Any:
    return keras.ops.conv(x, kernel, layer.strides, layer.padding, dilation_rate=layer.dilation_rate)


def _biased(call: LayerCall, y: Any, weights: Tensors) -> Any:
    return call.keras.activation(y + weights["bias"] if "bias" in weights else y)


def _activation_may_wait(call: LayerCall) -> bool:
    """Whether a convolution's activation may follow the pooling: it never changes which value is largest."""
    return call.between == call.real and call.plan.config.get("activation") in COMMUTING_WITH_MAX


@fuses("conv2d", "max_pool2d", _activation_may_wait)
def conv2d_max_pool2d(call: LayerCall, pooling: LayerCall, x: Any, weights: Tensors) -> Any:
    """A convolution that is pooled before its activation.

    The bias is added where oneDNN does so within the convolution, and its gradient is summed behind the pooling, where a
    quarter or less is left of what there is to sum.
    """
    y, bias = call.keras.convolution_op(x, weights["kernel"]), weights.get("bias")
    if bias is None:
        return call.keras.activation(undefined_kept(pooling.keras, y))
    return call.keras.activation(_with_bias_gradient(bias, undefined_kept(pooling.keras, y + tf.stop_gradient(bias))))


@tf.custom_gradient
def _with_bias_gradient(bias: Any, pooled: Any) -> Any:
    """Values of a max-pooling that hold a bias already, with the bias' gradient: what reaches any value reaches it."""
    return tf.identity(pooled), lambda dy: (tf.reduce_sum(dy, axis=list(range(dy.shape.rank - 1))), dy)
