"""Activations of Keras' layers where TensorFlow's kernels, or what XLA makes of several operations, would lose NaN."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import keras
import tensorflow as tf

from ..lower.undefined_kept import is_nan, spread, unfused

HELD = ("activation", "recurrent_activation")
"""The attributes in which Keras' layers hold activations."""
CLAMPED = (keras.activations.relu6, keras.activations.hard_sigmoid)
"""What XLA puts between two bounds: where a product comes next, both in one loop, it has the lower bound for NaN."""


def keep_undefined(layer: Any, xla: bool) -> None:
    """Lets a layer's activations keep NaN. Its `config` is no longer Keras' own: `keras_files` takes the plan's."""
    both = [getattr(layer, way) for way in ("forward_layer", "backward_layer") if hasattr(layer, way)]
    for part in both:
        keep_undefined(part, xla)
    part = getattr(layer, "cell", layer)  # a recurrent layer shows those of its cell
    for name in HELD if not both else ():
        function: Any = getattr(part, name, None)
        if xla and function in CLAMPED:
            setattr(part, name, lambda x, function=function: tf.where(is_nan(x), x, function(x)))
        elif not xla and function in (keras.activations.relu, keras.activations.relu6):
            setattr(part, name, lambda x, function=function: function(unfused(x)))
        elif not xla and function is keras.activations.softmax:
            setattr(part, name, lambda x: spread(keras.activations.softmax(x)))


def _of_the_derivative_of_softsign(op: Any, upstream: Any) -> tuple[Any, Any]:
    """TensorFlow has no derivative of u / (1 + |x|)² by u and x."""
    gradient, x = op.inputs
    bent = -2 * tf.sign(x) * gradient / (1 + tf.abs(x)) ** 3
    return tf.raw_ops.SoftsignGrad(gradients=upstream, features=x), upstream * bent


with suppress(KeyError):  # a later version may have one
    tf.RegisterGradient("SoftsignGrad")(_of_the_derivative_of_softsign)
