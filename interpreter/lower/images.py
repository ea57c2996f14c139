"""The lowering of the tasks' primitives."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .elementwise import undefined
from .registry import lowers
from .undefined_kept import is_nan


@lowers("line_image")
def _line_image(theta: Any, length: Any, centre: Any, size: int) -> Any:
    """The pixels [..., size, size] whose squares the line meets.

    A line and a square are apart when some axis separates them (Gottschalk et al. 1996, "OBBTree", section 5): x, y, or
    the line's normal.
    """
    cosine, sine, half = tf.cos(theta), tf.sin(theta), length / 2
    places = tf.constant(np.arange(size), theta.dtype)
    x = places - centre[..., :1]
    y = tf.reverse(places, [0]) - centre[..., 1:]
    near_x = tf.abs(x) <= (half * tf.abs(cosine))[..., tf.newaxis] + 0.5
    near_y = tf.abs(y) <= (half * tf.abs(sine))[..., tf.newaxis] + 0.5
    off = (
        x[..., tf.newaxis, :] * sine[..., tf.newaxis, tf.newaxis]
        - y[..., tf.newaxis] * cosine[..., tf.newaxis, tf.newaxis]
    )
    reach = (tf.abs(sine) + tf.abs(cosine)) / 2
    near = near_x[..., tf.newaxis, :] & near_y[..., tf.newaxis] & (tf.abs(off) <= reach[..., tf.newaxis, tf.newaxis])
    # A line of negative length enters no pixel; what is undefined gives no picture.
    unknown = is_nan(cosine + half - tf.reduce_sum(tf.abs(centre), axis=-1))
    nothing = tf.where(unknown, undefined(theta.dtype), tf.zeros([], theta.dtype))
    one = tf.where(half >= 0, nothing + 1, nothing)
    return tf.where(near, one[..., tf.newaxis, tf.newaxis], nothing[..., tf.newaxis, tf.newaxis])
