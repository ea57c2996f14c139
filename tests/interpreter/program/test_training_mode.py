"""Measures in training mode: batch normalisation and noise as in an update, in batches of the training's size."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower.threefry import folded, words
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.passes import memory

NORMALISED = """
dtype: float64
task: {example: {x: "normal([3])", y: "x[0]"}}
architecture:
  f:
    input: x
    layers: [dense: {units: 4, name: d}, batch_normalization: {name: n, momentum: 0.9}, activation: tanh, dense: {units: 1, name: o}]
loss: {l: (f - y)^2}
training: {optimizer: {sgd: {learning_rate: 0.1, use_ema: true}}, batch: 8, steps: 3, evaluate: {examples: 27}}
measures:
  plain: E((f - y)^2)
  trained: {of: E((f - y)^2), mode: training}
  there: {of: f, on: train, mode: training}
  middle: {of: "quantile(f, 0.5, where=y > 0)", mode: training}
  ratio: trained / plain
  both: {of: "plain + E(f)", mode: training}
replicates: 2
"""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_batch_normalisation_is_measured_as_keras_trains(
    compiled: Callable[..., Compiled], xla: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras' layers with `training=True` on each batch of 8, of which 27 examples hold three, at the weights that measures see.

    As a plain graph each batch is a chunk of its own, and nothing changes by that.
    """
    if not xla:
        monkeypatch.setattr(memory, "CHUNK_BYTES", 1)
    held = compiled(NORMALISED, 2, xla)
    held.train(3)
    moving = held.networks["f"].weights["n", "moving_mean"].numpy()
    found = held.evaluate()
    np.testing.assert_array_equal(held.networks["f"].weights["n", "moving_mean"].numpy(), moving)
    lowering = held.context.lowering(None, tf.zeros([1], tf.int64), 1, held.seeds.draws, step=tf.constant(3))
    weights = {place: held.networks["f"].value(place, lowering).tensor.numpy() for place in held.networks["f"].weights}
    values = {}
    for stream in ("test", "train"):
        lowering = held.context.lowering(held.seeds.keys[stream], tf.range(27, dtype=tf.int64), 27, held.seeds.draws)
        values[stream] = [lowering(held.context.bindings[name]).tensor.numpy() for name in ("x", "y")]
    for r in range(2):
        layers = {"d": keras.layers.Dense(4, dtype="float64"), "n": keras.layers.BatchNormalization(dtype="float64")}
        layers |= {
            "tanh": keras.layers.Activation("tanh", dtype="float64"),
            "o": keras.layers.Dense(1, dtype="float64"),
        }
        model = keras.Sequential(list(layers.values()))
        model.build((None, 3))

        def applied(
            stream: str, training: bool, model: keras.Model = model, r: int = r, own: dict = layers
        ) -> np.ndarray:
            x, outputs = values[stream][0][r], []
            for first in range(0, 24, 8) if training else (0,):
                for name in "dno":
                    for variable in own[name].weights:
                        variable.assign(weights[name, variable.path.rsplit("/", 1)[-1]][r])
                outputs.append(np.asarray(model(x[first : first + 8] if training else x, training=training))[:, 0])
            return np.concatenate(outputs)

        f, plain, there = applied("test", True), applied("test", False), applied("train", True)
        y = values["test"][1][r]
        error, known = ((f - y[:24]) ** 2).mean(), ((plain - y) ** 2).mean()
        expected = {
            "plain": known, "trained": error, "ratio": error / known, "both": known + f.mean(), "there": there.mean(),
            "middle": np.quantile(f[y[:24] > 0], 0.5),
        }  # fmt: skip
        assert abs(error / known - 1) > 1e-3
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][r], value, rtol=1e-9, atol=1e-12, err_msg=name)


NOISY = """
dtype: float64
constants: {n: 6}
task: {example: {x: "normal([n])"}}
architecture: {f: {input: x, layers: [dropout: {rate: 0.5, name: drop}, dense: {units: 1, name: d, bias_initializer: 2}]}}
loss: {l: f^2}
training: {optimizer: {sgd: 0.1}, batch: 10, steps: 3, evaluate: {examples: 40}}
measures:
  f: {of: E(f), mode: training}
  slopes: {of: "E(gradient(f, f.d.kernel))", mode: training}
  squares: {of: "E(f * gradient(f, f.d.kernel)[:, 0])", mode: training}
  inward: {of: "E(gradient(f, x) * x)", mode: training}
  again: {of: "E((f - f(x))^2 + sum((gradient(f, f.d.kernel)[:, 0] - x * gradient(f, x) / f.d.kernel[:, 0])^2))", mode: training}
  still: E(f)
replicates: 2
"""


def test_noise_is_that_of_the_example_in_each_value_and_gradient(compiled: Callable[..., Compiled]) -> None:
    """The mask by hand, from the words of the layer's key: every part of a measure sees the same, at every evaluation."""
    held = compiled(NOISY, 2)
    found = held.evaluate()
    keys = folded(held.context.noise(held.seeds.keys["test"])("f", "drop"), 0)
    kept = (words(keys, tf.range(40, dtype=tf.int64), 6).numpy() >= 2**31) / 0.5
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(40, dtype=tf.int64), 40, held.seeds.draws)
    x = lowering(held.context.bindings["x"]).tensor.numpy()
    kernel, dropped = held.networks["f"].weights["d", "kernel"].numpy()[..., 0], x * kept
    f = np.einsum("rbn,rn->rb", dropped, kernel) + 2
    expected = {
        "f": f.mean(axis=1), "slopes": dropped.mean(axis=1)[..., None], "squares": (f[..., None] * dropped).mean(axis=1),
        "inward": (kept * kernel[:, None] * x).mean(axis=1), "again": np.zeros(2),
        "still": (np.einsum("rbn,rn->rb", x, kernel) + 2).mean(axis=1),
    }  # fmt: skip
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    held.begin(held.batch, held.replicates)
    np.testing.assert_array_equal(held.evaluate()["f"], found["f"])


ATTENTION = """
dtype: float64
task: {example: {x: "normal([4, 3])"}}
architecture: {f: {input: x, layers: [multi_head_attention: {num_heads: 1, dropout: 0.4}, flatten, dense: 1]}}
loss: {l: "f^2 + 0.1 * squared_norm(gradient(f, f.weights))"}
training: {optimizer: {sgd: 0.1}, batch: 5, steps: 2, evaluate: {examples: 10}}
measures:
  each: {of: "E(1 * gradient(f, f.weights))", mode: training}
  whole: {of: "E(gradient(f, f.weights))", mode: training}
  still: "E(gradient(f, f.weights))"
replicates: 2
"""


def test_attention_drops_the_same_where_gradients_by_weights_are_told_apart(compiled: Callable[..., Compiled]) -> None:
    """The mean of each example's gradient is the gradient of the mean, in a measure; and an update may go down a loss of such."""
    held = compiled(ATTENTION, 2)
    assert held.train(2) == [None, None]
    found = held.evaluate()
    np.testing.assert_allclose(found["each"], found["whole"], rtol=1e-9, atol=1e-12)
    assert np.abs(found["whole"] - found["still"]).max() > 1e-3
