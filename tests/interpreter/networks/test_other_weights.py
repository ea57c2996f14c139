"""Networks of all kinds at other weights: at their own they give what they give, at those of a network of the same layers what that gives."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

pytestmark = pytest.mark.usefixtures("traced_once")

NETWORKS = {
    "dense": ("normal([4])", "layers: [dense: {units: 3, activation: tanh}, layer_normalization, dense: 1]"),
    "convolutions": ("normal([6, 6, 2])", "layers: [conv2d: {filters: 3, kernel_size: 3}, relu, flatten, dense: 2]"),
    "recurrence": ("normal([5, 2])", "layers: [gru: {units: 3}, dense: 2]"),
    "attention": ("normal([5, 4])", "layers: [multi_head_attention: {num_heads: 2, key_dim: 2}, flatten, dense: 1]"),
    "rows": ("one_hot(integer(5), 5)", "layers: [dense: {units: 3, activation: relu}, dense: 1]"),
    "embedding": ("integer(5, [3])", "layers: [embedding: {input_dim: 5, output_dim: 2}, flatten, dense: 1]"),
    "each": ("normal([3, 4])", "each: 3, layers: [dense: {units: 3, activation: tanh}, dense: 1]"),
    "blocks": ("normal([4])", "layers: [repeat: {times: 5, layers: [dense: {units: 4}]}, dense: 1]"),
    "shortcuts": (
        "normal([4])",
        "layers: [repeat: {times: 2, skip: add, layers: [dense: {units: 4, activation: tanh}]}, dense: 1]",
    ),
    "statistics": ("normal([4])", "layers: [dense: 3, batch_normalization, relu, dense: 1]"),
    "noise": ("normal([4])", "layers: [dense: 8, dropout: 0.5, dense: 1]"),
}
STUDY = """
constants: {{scale: 3}}
task: {{example: {{x: "{input}", u: "{input}"}}}}
architecture: {{f: {{input: x, {layers}}}, g: {{input: x, {layers}}}}}
loss: {{l: "squared_norm(f - 1) + squared_norm(g) + sum(with_weights(f, f.weights, stop(scale * g.weights)))"}}
training: {{optimizer: {{sgd: 0.01}}, batch: 6, steps: 3, evaluate: {{examples: 12}}}}
measures:
  f: "E(f)"
  own: "E(with_weights(f, f.weights, f.weights))"
  g: "E(g(u))"
  other: "E(with_weights(f(u), f.weights, g.weights))"
  scaled: "E(max(abs(f(u) - with_weights(f(u), f.weights, scale * f.weights))))"
replicates: 2
"""


@pytest.mark.parametrize(("kind", "xla"), list(zip(NETWORKS, itertools.cycle((True, False)), strict=False)))
def test_a_network_of_any_kind_has_the_weights_that_it_is_given(
    compiled: Callable[..., Compiled], kind: str, xla: bool
) -> None:
    given, layers = NETWORKS[kind]
    made = compiled(STUDY.format(input=given, layers=layers), replicates=2, xla=xla)
    made.train(3)
    found = made.evaluate()
    np.testing.assert_allclose(found["own"], found["f"], rtol=1e-5, atol=1e-6)
    if kind != "statistics":  # moving averages are a network's own
        np.testing.assert_allclose(found["other"], found["g"], rtol=1e-5, atol=1e-6)
    assert (np.abs(found["f"] - found["g"]) > 1e-3).any()
    assert (found["scaled"] > 1e-3).all()


STATE = """
task: {example: {x: "normal([4])", y: "x[0]"}}
architecture:
  f: {input: x, layers: [dense: {units: 6, name: hidden}, batch_normalization: {name: norm}, relu, dropout: {rate: 0.5, name: drop}, dense: {units: 1, name: head}]}
outputs: {there: "with_weights(f, f.weights, 2 * f.weights)", own: "with_weights(f, f.head.kernel, 1 * f.head.kernel)"}
loss: {l: "(f - y)^2MORE"}
training: {optimizer: {sgd: 0.05}, batch: 8, steps: 4, evaluate: {examples: 16}}
measures:
  w: f.weights
  mean: f.norm.moving_mean
  variance: f.norm.moving_variance
  same: {of: "E(abs(own - f))", mode: training}
  apart: {of: "E(abs(there - f))", mode: training}
  moved: "E(abs(with_weights(f, f.norm.moving_mean, f.norm.moving_mean + 1) - f))"
"""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_what_layers_keep_is_moved_by_the_networks_own_weights_alone(
    compiled: Callable[..., Compiled], xla: bool
) -> None:
    """A term of weight 0 at other weights changes nothing; applications at one input share their mask, whatever the weights."""
    found = {}
    for more in ("", " + 0 * sum(with_weights(f, f.weights, stop(2 * f.weights)))"):
        made = compiled(STATE.replace("MORE", more), xla=xla)
        made.train(4)
        found[more] = made.evaluate()
    one, other = found.values()
    for name in ("w", "mean", "variance"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(other["same"], 0)
    assert (other["apart"] > 0.1).all() and (other["moved"] > 0.1).all()
    assert np.abs(other["mean"]).max() > 1e-3
