"""Backward passes: what a gradient mode does to the message. The forward values never depend on it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from dlspec.spec.ir.plan import Mode


@tf.custom_gradient
def straight_through(carrier: Any, value: Any) -> Any:
    """The value forwards; backwards the message goes to the carrier as it is. Both of one shape.

    With the carrier the function's own argument this is the identity message (equation 5 of arXiv:1703.07950); with
    the carrier another function of it, a surrogate gradient.
    """

    def backward(message: Any) -> Any:
        return message, None

    return tf.identity(value), backward


def scale_or_clip_cotangent(mode: Mode, value: Any) -> Any:
    """A value whose incoming message is scaled, clipped or stopped."""
    if mode.name == "stop":
        return tf.stop_gradient(value)
    if mode.name == "scale":
        return _changed(value, lambda message: message * tf.constant(mode.value, message.dtype))
    if mode.name == "clip":
        limit = mode.value
        return _changed(value, lambda message: tf.clip_by_value(message, -limit, limit))  # type: ignore[operator]
    return value


def _changed(value: Any, change: Any) -> Any:
    @tf.custom_gradient
    def same(x: Any) -> Any:
        return tf.identity(x), change

    return same(value)
