"""Weights start at the scale that Keras' own layer gives them: fans are counted as the layer multiplies, whatever shape its kernel has."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.tables.layers import LAYERS

SEEDS = tuple(range(12))
LAYERS_OF_KERAS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "multi_head_attention": ((5, 32), {"num_heads": 8, "key_dim": 4}),
    "dense": ((48,), {"units": 12}),
    "conv1d": ((9, 8), {"filters": 12, "kernel_size": 3}),
    "conv2d": ((6, 6, 8), {"filters": 12, "kernel_size": 3}),
    "conv1d_transpose": ((9, 8), {"filters": 24, "kernel_size": 3}),
    "conv2d_transpose": ((6, 6, 8), {"filters": 24, "kernel_size": 3}),
    "depthwise_conv2d": ((6, 6, 16), {"kernel_size": 3, "depth_multiplier": 2}),
    "separable_conv2d": ((6, 6, 16), {"filters": 12, "kernel_size": 3}),
    "lstm": ((4, 12), {"units": 10}),
    "gru": ((4, 12), {"units": 10}),
    "simple_rnn": ((4, 24), {"units": 16}),
}


def started(layer: str, shape: tuple[int, ...], arguments: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The weights of a layer in each replicate, by name."""
    experiment = {
        "task": {"example": {"x": f"normal({list(shape)})", "y": "normal()"}},
        "architecture": {"f": {"input": "x", "layers": [{layer: arguments}, "flatten", {"dense": 1}]}},
        "loss": {"squared": "(f - y)^2"},
        "training": {"optimizer": "sgd", "batch": 2, "steps": 1},
        "measures": {"m": "E(f)"},
        "replicates": len(SEEDS),
    }
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": experiment}})
    (program,) = spec.resolve(spec.parse(Source("s", text))).experiments[0].programs
    weights = Compiled(program, SEEDS, False).networks["f"].weights
    key = program.networks[0].layers[0].key
    return {name: np.asarray(value) for (own, name), value in weights.items() if own == key}


def by_keras(layer: str, shape: tuple[int, ...], arguments: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The weights of Keras' layer, one for each seed, by dlspec's names."""
    row = LAYERS[layer]
    found: dict[str, list[Any]] = {}
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        made = getattr(keras.layers, row.class_name)(**arguments)
        whole = (None, *shape)
        made.build(whole, whole) if layer == "multi_head_attention" else made.build(whole)
        for weight in made.weights:
            found.setdefault(row.weight_at(weight.path), []).append(np.asarray(weight))
    return {name: np.stack(values) for name, values in found.items()}


@pytest.mark.parametrize("layer", LAYERS_OF_KERAS)
@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal"])
def test_weights_start_at_keras_scale(layer: str, initializer: str) -> None:
    shape, arguments = LAYERS_OF_KERAS[layer]
    parameter = next(
        name
        for name in LAYERS[layer].parameters
        if name.endswith("kernel_initializer") or name == "depthwise_initializer"
    )
    own = {**arguments, parameter: initializer}
    expected, found = by_keras(layer, shape, own), started(layer, shape, own)
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        assert found[name].shape == values.shape, name
        assert found[name].std() == pytest.approx(values.std(), rel=0.08), name


def test_a_distribution_knows_the_fans_of_attention() -> None:
    shape, arguments = LAYERS_OF_KERAS["multi_head_attention"]
    found = started("multi_head_attention", shape, {**arguments, "kernel_initializer": "normal(0, fan_in / fan_out)"})
    assert found["query_kernel"].std() == pytest.approx(32 / 32, rel=0.08)
    other = started(
        "multi_head_attention",
        shape,
        {**arguments, "value_dim": 2, "kernel_initializer": "normal(0, fan_in / fan_out)"},
    )
    assert other["value_kernel"].std() == pytest.approx(32 / 16, rel=0.08)
    assert other["attention_output_kernel"].std() == pytest.approx(16 / 32, rel=0.08)
