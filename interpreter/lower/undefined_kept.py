"""What TensorFlow's kernels on a CPU make of NaN where they work on several operations at once: they lose it. Here it stays."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.ops.parallel_for import pfor


def is_nan(x: Any) -> Any:
    """Where a number is NaN: it alone does not equal itself.

    XLA is given the same for `tf.math.is_nan`, but TensorFlow takes 8 ms to translate each one.
    """
    return tf.not_equal(x, x)


@tf.custom_gradient
def unfused(x: Any) -> Any:
    """The same values, which TensorFlow computes before what follows: a product, its bias and a relu in one kernel have 0 for NaN."""
    return tf.raw_ops.Snapshot(input=x), lambda upstream: upstream


@pfor.RegisterPFor("Snapshot")
def _unfused_of_all(pfor_input: Any) -> Any:
    """The same for all replicates of a layer that TensorFlow batches, which knows no such operation."""
    return pfor.wrap(unfused(pfor_input.stacked_input(0)), True)


def spread(y: Any) -> Any:
    """A softmax along the last axis in which one NaN makes all NaN: oneDNN leaves the other entries 0."""
    return tf.where(is_nan(tf.reduce_sum(y, axis=-1, keepdims=True)), tf.constant(float("nan"), y.dtype), y)
