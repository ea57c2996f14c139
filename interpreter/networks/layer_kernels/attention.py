"""Self-attention (Vaswani et al. 2017) on all replicates at once, and learnt positions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.ir.plan import LayerPlan

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
    if config["causal"]:
        scores = tf.where(np.tri(length, dtype=bool), scores, tf.constant(_lowest(dtype), dtype))
    attention = tf.exp(scores - tf.stop_gradient(tf.reduce_max(scores, axis=-1, keepdims=True)))
    total = tf.reduce_sum(tf.cast(attention, call.real), axis=-1, keepdims=True)
    if config["dropout"] > 0 and call.training is not None:
        shape = [rows, count, *attention.shape.as_list()[1:]]
        attention = tf.reshape(dropped(call, tf.reshape(attention, shape), config["dropout"]), attention.shape)
    mean = tf.matmul(attention, value) / tf.cast(total, dtype)  # there are fewer values than scores to divide
    mean = tf.transpose(mean, [0, 2, 1, 3])
    kernel = tf.reshape(own["attention_output_kernel"], [rows, heads * sizes[2], -1])
    y = tf.matmul(tf.reshape(mean, [rows, count * length, heads * sizes[2]]), kernel)
    if config["use_bias"]:
        y += own["attention_output_bias"][:, tf.newaxis]
    return tf.reshape(y, [rows, count, length, -1])


def _lowest(dtype: tf.DType) -> float:
    """A score of what is not attended to: its share is 0."""
    return float(dtype.min) / 2


@KERAS_FORMS("multi_head_attention")
def attention_of_keras(plan: LayerPlan) -> KerasForm:
    """Keras' own, asked by and of the same sequence."""
    config = dict(plan.config)
    causal = config.pop("causal")
    return KerasForm(
        keras.layers.MultiHeadAttention,
        config,
        {},
        rounds=True,
        build=lambda layer, shape: layer.build(shape, shape),
        call=lambda layer, x: layer(x, x, use_causal_mask=causal),
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
