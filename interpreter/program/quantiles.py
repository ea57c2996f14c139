"""Quantiles along the examples: undefined where one of the values is."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..lower.undefined_kept import is_nan


def quantile_of_chosen(values: Any, chosen: Any, q: float) -> Any:
    """The q-quantile along axis 1 of the values that are chosen, [R, N, …]; undefined where none is."""
    chosen = tf.broadcast_to(chosen, tf.shape(values))
    count = tf.reduce_sum(tf.cast(chosen, tf.int32), axis=1)
    ordered = tf.sort(tf.where(chosen, values, tf.constant(np.inf, values.dtype)), axis=1)
    place = q * tf.cast(count - 1, values.dtype)
    low = tf.cast(tf.floor(place), tf.int32)
    share = place - tf.cast(low, values.dtype)
    places = tf.reshape(tf.range(values.shape[1]), [1, -1] + [1] * (values.shape.rank - 2))

    def at(index: Any) -> Any:
        return tf.reduce_sum(tf.where(places == index[:, tf.newaxis], ordered, tf.zeros([], values.dtype)), axis=1)

    below = at(low)
    found = tf.where(share > 0, below + share * (at(tf.minimum(low + 1, count - 1)) - below), below)
    undefined = tf.reduce_any(chosen & is_nan(values), axis=1) | (count == 0)
    return tf.where(undefined, tf.constant(np.nan, values.dtype), found)


def quantile(values: Any, q: float) -> Any:
    """The q-quantile along axis 1, linear between neighbours (NumPy's default)."""
    ordered = tf.sort(values, axis=1)
    place = q * (values.shape[1] - 1)
    low = int(np.floor(place))
    high = min(low + 1, values.shape[1] - 1)
    found = ordered[:, low]
    if place > low:
        found += (place - low) * (ordered[:, high] - found)
    # Whatever is undefined, wherever it is sorted to.
    undefined = tf.reduce_any(is_nan(values), axis=1)
    return tf.where(undefined, tf.constant(np.nan, values.dtype), found)
