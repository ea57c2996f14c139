"""Self-attention (Vaswani et al. 2017) on all replicates at once, and learnt positions."""

from __future__ import annotations

from functools import reduce
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.ir.plan import LayerPlan
from dlspec.spec.tables.layers.row import above_zero

from .noise import dropped
from .registry import KERAS_FORMS, KERNELS, KerasForm, LayerCall, Tensors

PARTS = ("query", "key", "value")


@KERNELS("multi_head_attention")
def multi_head_attention(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """Each place's mean of all places' values, weighed by softmax(query · key / √key_dim), on [L, N, T, c].

    Kernels are [L, c, heads, size], and [L, heads, size, c] at the output. Queries, keys and values are one product.
    """
    config, dtype = call.plan.config, call.between
    heads, sizes = config["num_heads"], [config["key_dim"], config["key_dim"], config["value_dim"]]
    rows, count, length, channels = x.shape.as_list()
    own = {name: tf.cast(weight, dtype) for name, weight in weights.items()}
    kernels = [tf.reshape(own[f"{part}_kernel"], [rows, channels, -1]) for part in PARTS]
    flat = tf.matmul(tf.reshape(tf.cast(x, dtype), [rows, -1, channels]), tf.concat(kernels, axis=-1))
    if config["use_bias"]:
        flat += tf.concat([tf.reshape(own[f"{part}_bias"], [rows, 1, -1]) for part in PARTS], axis=-1)
    query, key, value = (
        tf.transpose(tf.reshape(part, [rows * count, length, heads, size]), [0, 2, 1, 3])
        for part, size in zip(tf.split(flat, [heads * size for size in sizes], axis=-1), sizes, strict=True)
    )
    scores = tf.matmul(query * tf.constant(1 / np.sqrt(sizes[0]), dtype), key, transpose_b=True)
    mask = _mask(call, length, rows * count)
    if mask is not None:
        scores = tf.where(mask, scores, tf.constant(_lowest(dtype), dtype))
    attention = tf.exp(scores - tf.stop_gradient(tf.reduce_max(scores, axis=-1, keepdims=True)))
    if mask is not None:
        attention *= tf.cast(mask, dtype)
    total = tf.reduce_sum(tf.cast(attention, call.real), axis=-1, keepdims=True)
    if mask is not None:  # where all keys are left out there is nothing to take a mean of, and it is 0
        total = tf.where(tf.equal(total, 0), tf.ones_like(total), total)
    if above_zero(config["dropout"]) and call.training is not None:
        shape = [rows, count, *attention.shape.as_list()[1:]]
        attention = tf.reshape(dropped(call, tf.reshape(attention, shape), config["dropout"]), attention.shape)
    mean = tf.matmul(attention, value) / tf.cast(total, dtype)  # there are fewer values than scores to divide
    mean = tf.transpose(mean, [0, 2, 1, 3])
    kernel = tf.reshape(own["attention_output_kernel"], [rows, heads * sizes[2], -1])
    y = tf.matmul(tf.reshape(mean, [rows, count * length, heads * sizes[2]]), kernel)
    if config["use_bias"]:
        y += own["attention_output_bias"][:, tf.newaxis]
    return tf.reshape(y, [rows, count, length, -1])


def _mask(call: LayerCall, length: int, batch: int) -> Any:
    """Which keys each place attends to, broadcast over [batch, heads, T, T]; None where to all."""
    config, masks = call.plan.config, []
    if config["causal"]:
        masks.append(tf.constant(np.tri(length, dtype=bool)[np.newaxis, np.newaxis]))
    for name in ("length", "mask"):
        if (value := config.get(name)) is not None:
            given = tf.constant(np.asarray(value)[np.newaxis])
        elif name in call.parts:
            part = call.parts[name]
            given = tf.reshape(part, [batch, *part.shape[2:]])
        else:
            continue
        if name == "length":
            within = tf.range(length, dtype=given.dtype) < given[:, tf.newaxis]
            masks.append(within[:, tf.newaxis, tf.newaxis])
        else:
            kept = (
                given
                if given.dtype == tf.bool
                else given > tf.constant(0.5, given.dtype)
                if given.dtype.is_floating
                else given > 0
            )
            masks.append(kept[:, tf.newaxis] if kept.shape.rank == 3 else kept[:, tf.newaxis, tf.newaxis])
    return reduce(tf.logical_and, masks) if masks else None


def _lowest(dtype: tf.DType) -> float:
    """A score of what is not attended to: its share is 0."""
    return float(dtype.min) / 2


@KERAS_FORMS("multi_head_attention")
def attention_of_keras(plan: LayerPlan) -> KerasForm:
    """Keras' own, asked by and of the same sequence."""
    config = dict(plan.config)
    causal = config.pop("causal")
    length, mask = config.pop("length", None), config.pop("mask", None)
    size = plan.input.shape[0]
    keys = np.ones((1, size, size), bool) if mask is None else np.broadcast_to(mask, (1, size, size))
    keys = keys & (np.arange(size) < (size if length is None else length))
    return KerasForm(
        keras.layers.MultiHeadAttention,
        config,
        {},
        rounds=True,
        build=lambda layer, shape: layer.build(shape, shape),
        call=lambda layer, x: layer(
            x, x, use_causal_mask=causal, attention_mask=None if keys.all() else tf.constant(keys)
        ),
    )


@KERNELS("positional_embedding")
def positional_embedding(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """x and a vector for each place, on [L, N, T, c] with vectors [L, T, c]."""
    return x + weights["embeddings"][:, tf.newaxis]


@KERAS_FORMS("positional_embedding")
def bias_of_keras(plan: LayerPlan) -> KerasForm:
    """Keras has no such layer: the identity with a bias for each place."""
    length, channels = plan.weights["embeddings"]
    arguments = {
        "equation": "abc,cd->abd",
        "output_shape": (length, channels),
        "bias_axes": "bd",
        "kernel_initializer": "identity",
    }
    return KerasForm(keras.layers.EinsumDense, arguments, {"bias": "embeddings"})
