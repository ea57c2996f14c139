"""Dropout and noise: pure functions of the seed tree, the layer, the example, and which of the inputs it is applied to."""

from __future__ import annotations

from math import prod
from typing import Any

import tensorflow as tf

from ...lower.elementwise import as_number
from ...lower.samplers import SAMPLERS, standard, unit
from ...lower.threefry import folded, words
from ..copies import keys_of
from .registry import KERNELS, LayerCall, Tensors


def random_bits(call: LayerCall, shape: tf.TensorShape) -> Any:
    """Random words [L, N, …] for an application of a layer in training, the same for each at one input.

    Where weights differ from example to example L counts the rows' examples, one after the other, and each has the words that it has else.
    """
    training = call.training
    assert training is not None, "layers draw in training alone"
    keys = keys_of(training.noise(*call.place), call.plan.copies)
    keys = folded(keys, training.turn(call.place, call.application))
    each = prod(shape.as_list()) // (keys.shape[0] * call.examples)
    bits = words(keys, training.index[: call.examples], each)
    return tf.reshape(bits, shape)


def dropped(call: LayerCall, x: Any, rate: Any) -> Any:
    """x [L, N, …] with a share of its values set to 0 and the others divided by 1 - rate (Srivastava et al. 2014).

    The rate is a number of Python, or a tensor [] below 1.
    """
    uniform, none = unit(random_bits(call, x.shape), tf.float64), tf.zeros([], x.dtype)
    if tf.is_tensor(rate):
        share = tf.cast(rate, tf.float64)
        return tf.where(uniform >= share, x / tf.cast(1 - share, x.dtype), none)
    return tf.where(
        uniform >= tf.constant(rate, tf.float64), x / tf.constant(1 - rate, x.dtype) if rate < 1 else x, none
    )


@KERNELS("dropout")
def dropout(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """x with a share `rate` of its values dropped."""
    return dropped(call, x, call.plan.config["rate"])


@KERNELS("gaussian_noise")
def gaussian_noise(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """x with normal noise of a deviation `stddev`."""
    bits = random_bits(call, x.shape)
    zero, deviation = (as_number(value, x.dtype) for value in (0.0, call.plan.config["stddev"]))
    return x + SAMPLERS["normal"](standard(bits, x.dtype), mean=zero, deviation=deviation, dtype=x.dtype)
