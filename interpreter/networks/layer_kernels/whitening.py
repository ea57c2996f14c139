"""Whitening: a fixed linear map of the last axis. Its matrices are estimated in `interpreter/program/whitening.py`."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from dlspec.spec.ir.plan import LayerPlan

from .registry import KERAS_FORMS, KERNELS, KerasForm, LayerCall, Tensors


@KERNELS("whiten")
def whiten(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """x · matrix, on [L, N, …, n] with matrices [L, n, n]."""
    if call.watch is not None:
        call.watch(call.place, x)
    lead = x.shape.as_list()
    return tf.reshape(tf.matmul(tf.reshape(x, [lead[0], -1, lead[-1]]), weights["matrix"]), lead)


@KERAS_FORMS("whiten")
def dense(plan: LayerPlan) -> KerasForm:
    """A dense layer without a bias."""
    units = plan.weights["matrix"][1]
    return KerasForm(keras.layers.Dense, {"units": units, "use_bias": False}, {"kernel": "matrix"})
