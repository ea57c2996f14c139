"""Frozen is frozen: what no gradient reaches by construction is not touched, by any optimiser or what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
ARGUMENTS = "{weight_decay: 0.5, use_ema: true, learning_rate: 0.1}"
LAYER = "{dense: {units: 2, kernel_initializer: ones, kernel_constraint: {unit_norm: {}}, bias_initializer: ones}}"
LAST = "{dense: {units: 1, kernel_initializer: ones}}"
SIDE_BY_SIDE = """
task: {example: {x: "normal([2])"}}
architecture: {NETWORKS}
loss: {LOSSES}
gradient: {MODES}
training: {optimizer: {OPTIMIZERS}, batch: 4, steps: 3}
measures: {MEASURES}
"""


def side_by_side(**parts: Iterable[str]) -> str:
    """One program of many networks: what stands in each of its lists."""
    text = SIDE_BY_SIDE
    for name, items in parts.items():
        text = text.replace(name, ", ".join(items))
    return text


def test_no_optimiser_moves_what_is_frozen(compiled: Callable[..., Compiled]) -> None:
    """A network for each, whose first layer is frozen and whose second is not."""
    text = side_by_side(
        NETWORKS=(f"f_{name}: {{input: x, layers: [{LAYER}, {LAST}]}}" for name in OPTIMIZERS),
        LOSSES=(f'{name}: "(f_{name} - x[0])^2"' for name in OPTIMIZERS),
        MODES=(f"f_{name}.dense_1: freeze" for name in OPTIMIZERS),
        OPTIMIZERS=(f"f_{name}: {{{name}: {ARGUMENTS}}}" for name in OPTIMIZERS),
        MEASURES=(f"{part}_{name}: f_{name}.dense_1.{part}" for name in OPTIMIZERS for part in ("kernel", "bias")),
    )
    held = compiled(text)
    held.train(3)
    found = held.evaluate()
    for name in OPTIMIZERS:
        assert (found[f"kernel_{name}"] == 1).all() and (found[f"bias_{name}"] == 1).all(), name
        assert (held.networks[f"f_{name}"].weights["dense_2", "kernel"].numpy() != 1).any(), name
    assert sum(trained_parameters(held.program, plan) for plan in held.program.networks) == 3 * len(OPTIMIZERS)


def test_nor_what_no_gradient_reaches(compiled: Callable[..., Compiled]) -> None:
    """One optimiser for all: a network each that the mode of a gradient is set on, and one that reads it, stopped or not."""
    modes = {
        "network": "g_{}: freeze", "stopped": "g_{}: stop", "layer": "g_{}.dense_1: freeze", "past": "g_{}: forward_only",
        "stopped_layer": "g_{}.dense_1: stop",
    }  # fmt: skip
    pairs = {f"{name}_{given}": (modes[name], given) for name in modes for given in ("read", "stop")}
    read = {name: f"g_{name}" if given == "read" else f"stop(g_{name})" for name, (_, given) in pairs.items()}
    text = side_by_side(
        NETWORKS=(
            f"g_{name}: {{input: x, layers: [{LAYER}]}}, f_{name}: {{input: {given}, layers: [{LAST}]}}"
            for name, given in read.items()
        ),
        LOSSES=(f'{name}: "(f_{name} - x[0])^2"' for name in pairs),
        MODES=(mode.format(name) for name, (mode, _) in pairs.items()),
        OPTIMIZERS=(f"adamw: {ARGUMENTS}",),
        MEASURES=(f"{part}_{name}: g_{name}.dense_1.{part}" for name in pairs for part in ("kernel", "bias")),
    )
    held = compiled(text)
    held.train(3)
    found = held.evaluate()
    for name in pairs:
        assert (found[f"kernel_{name}"] == 1).all(), name
        assert (found[f"bias_{name}"] == 1).all(), name
        assert (held.networks[f"f_{name}"].weights["dense_1", "kernel"].numpy() != 1).any(), name


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
