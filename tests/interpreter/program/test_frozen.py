"""Frozen is frozen: what no gradient reaches by construction is not touched, by any optimiser or what it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.passes.trained_weights import trained_parameters
from dlspec.spec.tables.optimizers import OPTIMIZERS

BODY = """
task: {{example: {{x: "normal([2])"}}}}
architecture:
  g: {{input: x, layers: [{{dense: {{units: 2, kernel_initializer: ones, kernel_constraint: {{unit_norm: {{}}}}, bias_initializer: ones}}}}]}}
  f: {{input: g, layers: [{{dense: {{units: 1, kernel_initializer: ones}}}}]}}
loss: {{l: "(f - x[0])^2"}}
gradient: {gradient}
training: {{optimizer: {{{name}: {{weight_decay: 0.5, use_ema: true, learning_rate: 0.1}}}}, batch: 4, steps: 3}}
measures: {{kernel: g.dense_1.kernel, bias: g.dense_1.bias}}
"""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_optimiser_moves_what_is_frozen(compiled: Callable[..., Compiled], name: str) -> None:
    held = compiled(BODY.format(gradient="{g: freeze}", name=name))
    held.train(3)
    found = held.evaluate()
    assert (found["kernel"] == 1).all() and (found["bias"] == 1).all()
    assert (held.networks["f"].weights["dense_1", "kernel"].numpy() != 1).any()
    assert sum(trained_parameters(held.program, plan) for plan in held.program.networks) == 3


@pytest.mark.parametrize("mode", ["{g: stop}", "{g.dense_1: freeze}", "{g: forward_only}", "{g.dense_1: stop}"])
def test_nor_what_no_gradient_reaches(compiled: Callable[..., Compiled], mode: str) -> None:
    held = compiled(BODY.format(gradient=mode, name="adamw"))
    held.train(3)
    assert (held.evaluate()["kernel"] == 1).all()
    everything = compiled(BODY.format(gradient=mode, name="adamw").replace("input: g", "input: stop(g)"))
    everything.train(3)
    assert (everything.evaluate()["kernel"] == 1).all()


def test_a_weight_that_a_term_names_is_reached_alone(compiled: Callable[..., Compiled]) -> None:
    text = BODY.format(gradient="{g: stop}", name="adamw").replace("(f - x[0])^2", "f^2 + squared_norm(g.dense_1.bias)")
    held = compiled(text)
    held.train(3)
    found = held.evaluate()
    assert (found["kernel"] == 1).all()
    assert (found["bias"] != 1).all()


def test_averages_obey_the_constraint(compiled: Callable[..., Compiled]) -> None:
    held = compiled("""
task: {example: {x: "0 * normal([1]) + 1"}}
architecture: {f: {input: x, layers: [{dense: {units: 1, use_bias: false, kernel_initializer: ones, kernel_constraint: non_neg}}]}}
loss: {plain: f}
training: {optimizer: {sgd: {learning_rate: 10, use_ema: true}}, batch: 2, steps: 3}
measures: {w: f.dense_1.kernel}
""")  # fmt: skip
    for _ in range(3):
        held.train(1)
        np.testing.assert_array_equal(held.evaluate()["w"], [[[0.0]]])


CLIPPED = """
dtype: float64
task: {{example: {{x: "0 * normal([2]) + [3, 4]"}}}}
architecture:
  f: {{input: x, layers: [{{dense: {{units: 1, kernel_initializer: ones}}}}]}}
  half: {{input: x, layers: [{{dense: {{units: 1, use_bias: false, kernel_initializer: ones}}}}, {{dense: {{units: 1, use_bias: false, kernel_initializer: ones}}}}]}}
  frozen: {{input: x, layers: [{{dense: {{units: 1, kernel_initializer: ones}}}}]}}
  stopped: {{input: x, layers: [{{dense: {{units: 1, kernel_initializer: ones}}}}]}}
  past: {{input: x, layers: [{{dense: {{units: 2, kernel_initializer: ones}}}}]}}
  unused: {{input: x, layers: [{{dense: {{units: 1, kernel_initializer: ones}}}}]}}
loss:
  l: f + half + 12 * frozen + 12 * stopped + 12 * sum(past) + 12 * stop(unused)
  decay: 6 * squared_norm(half.dense_1.kernel) + 6 * squared_norm(frozen.weights)
gradient: {{half.dense_1: freeze, frozen: freeze, stopped: stop, past: forward_only}}
training: {{optimizer: {{sgd: {{learning_rate: 1, {clip}: 2}}}}, batch: 2, steps: 1}}
measures:
  kernel: f.dense_1.kernel
  bias: f.dense_1.bias
  top: half.dense_2.kernel
  frozen_layer: half.dense_1.kernel
  frozen_network: frozen.weights
  stopped: stopped.weights
  past: past.weights
  unused: unused.weights
"""


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm"])
def test_a_clipped_norm_is_that_of_the_trained_weights_alone(compiled: Callable[..., Compiled], clip: str) -> None:
    """The gradients are (3, 4) and 1 of f, and 3 + 4 of the other trained weight; what is frozen would add 12 times as much,
    and has a gradient of its own from the term that names its weights."""
    program = compiled(CLIPPED.format(clip=clip))
    program.train(1)
    measured = program.evaluate()
    together = np.sqrt(3**2 + 4**2 + 1**2 + 7**2)
    scales = [2 / 5, 1, 2 / 7] if clip == "clipnorm" else [2 / together] * 3
    np.testing.assert_allclose(measured["kernel"][0, :, 0], 1 - scales[0] * np.asarray([3, 4]), rtol=1e-12)
    np.testing.assert_allclose(measured["bias"], [[-scales[1]]], rtol=1e-12)
    np.testing.assert_allclose(measured["top"], [[[1 - scales[2] * 7]]], rtol=1e-12)
    np.testing.assert_array_equal(measured["frozen_layer"], [[[1], [1]]])
    for network in ("frozen_network", "stopped", "unused"):
        np.testing.assert_array_equal(measured[network], [[1, 1, 0]])
    np.testing.assert_array_equal(measured["past"], [[1, 1, 1, 1, 0, 0]])
