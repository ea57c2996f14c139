"""Attention is Keras' own with the same weights, forwards and backwards; positions and bilinear images are NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.networks.layer_kernels.resizing import between
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program

FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
HEADS = {
    "plain": ("num_heads: 2, bias_initializer: normal()", {"num_heads": 2, "key_dim": 4}),
    "causal": ("num_heads: 8, causal: true", {"num_heads": 8, "key_dim": 1}),
    "sized": (
        "num_heads: 2, key_dim: 4, value_dim: 5, use_bias: false",
        {"num_heads": 2, "key_dim": 4, "value_dim": 5, "use_bias": False},
    ),
    "dropped": ("num_heads: 1, key_dim: 4, dropout: 0.5", {"num_heads": 1, "key_dim": 4}),
}
"""Layers by the network that has them: as written, and Keras' arguments. Keras rounds 1 / √key_dim to float32: here it is exact."""


def body(layers: dict[str, str], example: str = "normal([5, 8])", more: str = "") -> str:
    networks = ", ".join(f'{name}: {{input: "3 * x", layers: [{text}]}}' for name, text in layers.items())
    measures = ", ".join(f"{name}: E({name})" for name in layers)
    return f"dtype: float64\ntask: {{data: {{test: 8}}, example: {{x: '{example}'}}}}\narchitecture: {{{networks}}}\nmeasures: {{{measures}}}\n{more}"


def inputs(held: Compiled) -> Any:
    """Test examples as the networks get them: [R, B, …]."""
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(8, dtype=tf.int64), 8, held.seeds.draws)
    return 3 * lowering(held.context.bindings["x"]).tensor.numpy()


def own(held: Compiled, network: str, replicate: int) -> dict[str, Any]:
    return {name: variable.numpy()[replicate] for (_, name), variable in held.networks[network].weights.items()}


def keras_attention(arguments: dict[str, Any], weights: dict[str, Any]) -> Any:
    layer = keras.layers.MultiHeadAttention(**arguments, dtype="float64")
    layer.build((None, 5, 8), (None, 5, 8))
    for variable in layer.weights:
        variable.assign(weights["_".join(variable.path.split("/")[-2:])])
    assert len(layer.weights) == len(weights)
    return layer


@FORMS
def test_attention_is_keras_own_forwards_and_backwards(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Values, and a step of SGD on the sum of squares; where attention is dropped, measures have all of it."""
    layers = {name: f"multi_head_attention: {{{text}}}" for name, (text, _) in HEADS.items()}
    losses = ", ".join(f'{name}: "sum({name}^2)"' for name in HEADS if name != "dropped")
    more = f"loss: {{{losses}}}\ntraining: {{optimizer: {{sgd: 0.01}}, batch: 4, steps: 1}}\n"
    held = compiled(body(layers, more=more), 2, xla)
    x, found = inputs(held), held.evaluate()
    before = {(name, r): own(held, name, r) for name in HEADS for r in range(2)}
    lowering = held.context.lowering(held.seeds.keys["train"], tf.range(4, dtype=tf.int64), 4, held.seeds.draws)
    batch = 3 * lowering(held.context.bindings["x"]).tensor.numpy()
    assert held.train(1) == [None, None]
    for (name, r), weights in before.items():
        layer, causal = keras_attention(HEADS[name][1], weights), name == "causal"
        np.testing.assert_allclose(
            found[name][r], np.mean(layer(x[r], x[r], use_causal_mask=causal), axis=0), rtol=1e-9, atol=1e-12
        )
        if name == "dropped":
            continue
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(batch[r], batch[r], use_causal_mask=causal))) / 4
        after = own(held, name, r)
        for variable, slope in zip(layer.weights, tape.gradient(loss, [v.value for v in layer.weights]), strict=True):
            weight = "_".join(variable.path.split("/")[-2:])
            moved = after[weight] - weights[weight]
            np.testing.assert_allclose(moved, -0.01 * np.asarray(slope), rtol=1e-7, atol=1e-12, err_msg=weight)


def test_each_examples_gradient_is_its_own(compiled: Callable[..., Compiled]) -> None:
    """The mean of squared norms of single examples' gradients, beside Keras' on one example after the other."""
    measure = 'measures: {g: "E(squared_norm(gradient(sum(plain^2), plain.weights)))"}\n'
    text = (
        body({"plain": "multi_head_attention: {num_heads: 2, bias_initializer: normal()}"}).split("measures")[0]
        + measure
    )
    held = compiled(text, 2)
    found, x = held.evaluate()["g"], inputs(held)
    for r in range(2):
        layer, norms = keras_attention(HEADS["plain"][1], own(held, "plain", r)), []
        for example in x[r]:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.square(layer(example[None], example[None])))
            norms.append(sum(np.sum(np.square(g)) for g in tape.gradient(loss, [v.value for v in layer.weights])))
        np.testing.assert_allclose(found[r], np.mean(norms), rtol=1e-9)


def test_dropped_attention_is_drawn_anew_and_means_what_it_was(compiled: Callable[..., Compiled]) -> None:
    """With values of 1 each place's output is the sum of its attention: kept shares over 1 - rate, 1 on average."""
    layer = (
        "multi_head_attention: {num_heads: 1, key_dim: 2, value_dim: 6, dropout: 0.25, use_bias: true, kernel_initializer: zeros, "
        "bias_initializer: ones}"
    )
    more = "loss: {l: sum(f)}\ntraining: {optimizer: {sgd: 1}, batch: 200, steps: 2}\n"
    held = compiled(body({"f": layer}, more=more), 2)
    ends = []
    for _ in range(2):
        before = own(held, "f", 0)["attention_output_kernel"].copy()
        held.networks["f"].weights[held.program.networks[0].layers[0].key, "value_bias"].assign(np.ones((2, 1, 6)))
        held.train(1)
        ends.append(
            before - own(held, "f", 0)["attention_output_kernel"]
        )  # the mean over examples of 5 places' kept sums
    assert np.ptp(ends[0]) < 1e-9
    assert abs(ends[0].mean() / 5 - 1) < 5 * np.sqrt(0.25 / 0.75 / 5 / 1000)
    assert ends[0].mean() != ends[1].mean()


def test_positions_are_added_and_learnt(compiled: Callable[..., Compiled], tmp_path: Path) -> None:
    layers = {
        "f": "{positional_embedding: {embeddings_constraint: non_neg}}, {multi_head_attention: {num_heads: 2, name: a}}"
    }
    more = 'loss: {l: "sum((f - 2)^2)"}\ntraining: {optimizer: {sgd: 0.01}, batch: 4, steps: 1}\n'
    held = compiled(body(layers, more=more), 2)
    start = own(held, "f", 1)["embeddings"]
    assert start.shape == (5, 8) and np.abs(start).max() <= 0.05 and len(np.unique(start)) == 40
    held.train(1)
    positions = own(held, "f", 1)["embeddings"]
    assert (positions >= 0).all() and not np.allclose(positions, np.maximum(start, 0))
    x = inputs(held)[1] + positions
    layer = keras_attention(
        HEADS["plain"][1], {name: w for name, w in own(held, "f", 1).items() if name != "embeddings"}
    )
    np.testing.assert_allclose(held.evaluate()["f"][1], np.mean(layer(x, x), axis=0), rtol=1e-9, atol=1e-12)
    write(held, 1, tmp_path / "kept")
    model = keras.saving.load_model(tmp_path / "kept" / "f.keras")
    np.testing.assert_allclose(model(inputs(held)[1]), layer(x, x), rtol=1e-9, atol=1e-12)


def test_sizes_that_are_left_out_are_the_same_meaning(programs: Callable[[str], dict[str, Program]]) -> None:
    text = body(
        {"f": "multi_head_attention: {num_heads: 2}"},
        more='loss: {l: "sum(f)"}\ntraining: {optimizer: sgd, batch: 2, steps: 1}\n',
    )
    more = "variants: {short: {}, long: {architecture: {f: {layers: {multi_head_attention_1: {key_dim: 4, value_dim: 4}}}}}}\n"
    short, long = programs(text + more).values()
    assert short.digest == long.digest


@FORMS
def test_images_grow_evenly_between_their_values(compiled: Callable[..., Compiled], xla: bool) -> None:
    held = compiled(body({"f": "up_sampling2d: {size: [3, 2], interpolation: bilinear}"}, "normal([3, 4, 2])"), 2, xla)
    x, found = inputs(held), held.evaluate()["f"]
    rows, columns = (np.clip((np.arange(n * k) + 0.5) / k - 0.5, 0, n - 1) for n, k in ((3, 3), (4, 2)))
    down = np.stack([[np.interp(rows, range(3), x[0, :, :, j, c].mean(0)) for j in range(4)] for c in range(2)])
    across = np.stack([[np.interp(columns, range(4), down[c, :, i]) for i in range(9)] for c in range(2)])
    np.testing.assert_allclose(found[0], across.transpose(1, 2, 0), rtol=1e-10, atol=1e-12)
    image = x[0].astype(np.float32)
    own_of_keras = keras.layers.UpSampling2D((3, 2), interpolation="bilinear")(image)
    np.testing.assert_allclose(found[0], np.mean(own_of_keras, axis=0), rtol=1e-4, atol=1e-6)
    assert between(1, 4).tolist() == [[1]] * 4


MASKED = """
dtype: float64
constants: {T: 5}
task: {data: {test: 8}, example: {n: 1 + integer(T), m: 1 + integer(2), x: "normal([T, 8])", z: "normal([T, 8])"}}
architecture:
  f: {input: x, layers: [{multi_head_attention: {num_heads: 2, length: n, name: a}}]}
  g: {input: x, layers: [{multi_head_attention: {num_heads: 2, causal: true, mask: "[abs(i - j) < m for i < T, j < T]", name: a}}]}
  h: {input: x, layers: [{multi_head_attention: {num_heads: 2, length: 3, mask: "[t != 1 for t < T]", name: a}}]}
  k: {input: x, layers: [{multi_head_attention: {num_heads: 2, length: m, mask: "[t >= n - 1 for t < T]", name: a}}]}
loss: {f: "sum(f^2)", g: "sum(g^2)", h: "sum(h^2)", k: "sum(k^2)"}
training: {optimizer: {sgd: 0.125}, batch: 4, steps: 1}
measures:
  f: E(f)
  g: E(g)
  h: E(h)
  k: E(k)
  other: "E(f(z, length=m))"
  own: "E(squared_norm(gradient(sum(f^2), f.weights)))"
"""


def keys_seen(x: Any, n: Any, m: Any) -> dict[str, Any]:
    """Which keys each place attends to, [B, T, T], by network."""
    place, row, column = np.arange(5), np.arange(5)[:, None], np.arange(5)[None]
    whole = np.ones((len(n), 5, 5), bool)
    near = np.stack([(abs(row - column) < size) & (column <= row) for size in m])
    behind = whole & (place < m[:, None, None]) & (place >= n[:, None, None] - 1)
    return {
        "f": whole & (place < n[:, None, None]), "g": near, "h": whole & (place < 3) & (place != 1), "k": behind,
        "other": whole & (place < m[:, None, None]),
    }  # fmt: skip


def by_hand(weights: dict[str, Any], x: Any, seen: Any) -> Any:
    """Attention in NumPy; where no key is seen the mean is 0."""
    query, key, value = (
        np.einsum("btc,chd->bhtd", x, weights[f"{part}_kernel"]) + weights[f"{part}_bias"][:, None]
        for part in ("query", "key", "value")
    )
    share = np.where(seen[:, None], np.exp(query @ key.swapaxes(-1, -2) / np.sqrt(key.shape[-1])), 0)
    total = share.sum(axis=-1, keepdims=True)
    mean = (share / np.where(total > 0, total, 1)) @ value
    return np.einsum("bhtd,hdc->btc", mean, weights["attention_output_kernel"]) + weights["attention_output_bias"]


@FORMS
def test_lengths_and_masks_are_those_of_the_example(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Forwards in NumPy and, where every place sees a key, in Keras; a step in Keras; another input has a length of its own."""
    held = compiled(MASKED, 2, xla)
    found = held.evaluate()

    def examples(stream: str, count: int) -> list[Any]:
        lowering = held.context.lowering(
            held.seeds.keys[stream], tf.range(count, dtype=tf.int64), count, held.seeds.draws
        )
        return [lowering(held.context.bindings[name]).tensor.numpy() for name in ("x", "z", "n", "m")]

    before = {(name, r): own(held, name, r) for name in "fghk" for r in range(2)}
    x, z, n, m = examples("test", 8)
    assert held.train(1) == [None, None]
    batch, _, *sizes = examples("train", 4)
    for (name, r), weights in before.items():
        seen = keys_seen(x[r], n[r], m[r])
        np.testing.assert_allclose(
            found[name][r], by_hand(weights, x[r], seen[name]).mean(axis=0), rtol=1e-9, atol=1e-12
        )
        if name == "k":
            assert not seen[name].any(axis=-1).all() and all(
                np.isfinite(value).all() for value in own(held, name, r).values()
            )
            continue
        layer = keras_attention({"num_heads": 2, "key_dim": 4}, weights)
        expected = layer(x[r], x[r], attention_mask=tf.constant(seen[name]))
        np.testing.assert_allclose(found[name][r], np.mean(expected, axis=0), rtol=1e-9, atol=1e-12)
        mask = tf.constant(keys_seen(batch[r], *(size[r] for size in sizes))[name])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(batch[r], batch[r], attention_mask=mask))) / 4
        after = own(held, name, r)
        for variable, slope in zip(layer.weights, tape.gradient(loss, [v.value for v in layer.weights]), strict=True):
            weight = "_".join(variable.path.split("/")[-2:])
            np.testing.assert_allclose(
                weights[weight] - after[weight], 0.125 * np.asarray(slope), rtol=1e-7, atol=1e-12
            )
    for r in range(2):
        layer, seen = keras_attention({"num_heads": 2, "key_dim": 4}, before["f", r]), keys_seen(x[r], n[r], m[r])
        np.testing.assert_allclose(
            found["other"][r],
            np.mean(layer(z[r], z[r], attention_mask=tf.constant(seen["other"])), axis=0),
            rtol=1e-9,
            atol=1e-12,
        )
        norms = []
        for example, mask in zip(x[r], seen["f"], strict=True):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(
                    tf.square(layer(example[None], example[None], attention_mask=tf.constant(mask[None])))
                )
            norms.append(sum(np.sum(np.square(g)) for g in tape.gradient(loss, [v.value for v in layer.weights])))
        np.testing.assert_allclose(found["own"][r], np.mean(norms), rtol=1e-9)


def test_a_length_is_a_part_of_what_a_network_means(programs: Callable[[str], dict[str, Program]]) -> None:
    """In digests, and in what `h(x2, …)` is asked for; layers that take the same share it."""
    more = "variants: {same: {}, other: {architecture: {f: {layers: {a: {length: m}}}}}, whole: {architecture: {f: {layers: {a: {length: null}}}}}}\n"
    text = MASKED.replace('  other: "E(f(z, length=m))"\n', "") + more
    found = programs(text)
    assert len({one.digest for one in found.values()}) == 3
    (f, *_), (plain, *_) = found["same"].networks, found["whole"].networks
    assert (
        [part.name for part in f.parts] == ["length"] and not plain.parts and f.given == plain.given == plain.input.type
    )
    assert f.flops == plain.flops and f.parameters == plain.parameters
