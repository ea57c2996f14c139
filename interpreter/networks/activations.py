"""Activations of Keras' layers in plain graphs, where TensorFlow's kernels would lose NaN. XLA's do not."""

from __future__ import annotations

from typing import Any

import keras

from ..lower.undefined_kept import spread, unfused

HELD = ("activation", "recurrent_activation")
"""The attributes in which Keras' layers hold activations."""


def keep_undefined(layer: Any) -> None:
    """Lets a layer's activations keep NaN. Its `config` is no longer Keras' own: `keras_files` takes the plan's."""
    both = [getattr(layer, way) for way in ("forward_layer", "backward_layer") if hasattr(layer, way)]
    for part in both:
        keep_undefined(part)
    part = getattr(layer, "cell", layer)  # a recurrent layer shows those of its cell
    for name in HELD if not both else ():
        function: Any = getattr(part, name, None)
        if function in (keras.activations.relu, keras.activations.relu6):
            setattr(part, name, lambda x, function=function: function(unfused(x)))
        elif function is keras.activations.softmax:
            setattr(part, name, lambda x: spread(keras.activations.softmax(x)))
