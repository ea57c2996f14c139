"""Layers with functions of a study's own as activations, beside the same written out in expressions of free parameters: they train alike.

The one is computed by kernels of layers, the other by operations: with one start, on the same examples, all weights stay together.
"""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source

BODIES = (
    "v if v > 0 else 0.1 * v", "v if v > 0 else 1.0", "tanh(v) if v > 0 else stop(v)", "clip(v, -0.5, 1.5)", "v * (1 if v > 0 else 0)",
    "iterate(half, v, 3)", "v - stop(v) + sign(v)", "maximum(v, 0.2 * v)", "(v^2 if v > 0 else -v) + c", "relu(v) + 0.3 * binary(v)",
    "tanh(v) * step / 10", "1.0 if v > 0 else -1.0",
)  # fmt: skip
MODES = (
    None, "forward_only", {"surrogate": "v if abs(v) < 1 else 0.2 * v"}, {"scale": 0.5}, {"clip": 0.3}, {"scale": "1 - step / 20"},
)  # fmt: skip
OPTIMIZERS: tuple[Any, ...] = (
    {"sgd": 0.05}, {"adam": 0.01}, {"sgd": {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}},
    {"adamw": {"learning_rate": 0.01, "weight_decay": 0.1}}, {"rmsprop": 0.01}, {"lion": 0.003},
)  # fmt: skip


def written(seed: int) -> dict[str, Any]:
    """A study with a random network, said in both ways."""
    random = Random(seed)
    hidden = random.randint(1, 3)
    widths = [3, *(random.randint(2, 4) for _ in range(hidden)), 1]
    functions = {"half(v)": "0.5 * v + 0.1 * v^2", "binary(v)": "1 if v > 0 else -1"}
    draws, layers, modes = dict[str, str](), list[Any](), dict[str, Any]()
    parameters, outputs, before = dict[str, Any](), dict[str, str](), "x"
    for place, (given, units) in enumerate(pairwise(widths)):
        draws[f"k{place}"], draws[f"b{place}"] = f"normal(0, 1, [{given}, {units}])", f"normal(0, 0.5, [{units}])"
        layer = {
            "units": units,
            "name": f"l{place}",
            "kernel_initializer": f"k{place}",
            "bias_initializer": f"b{place}",
        }
        parameters[f"p{place}"] = {"parameter": [given, units], "initializer": f"k{place}"}
        parameters[f"q{place}"] = {"parameter": [units], "initializer": f"b{place}"}
        text = f"matmul(transpose(p{place}), {before}) + q{place}"
        if place < hidden:
            body, name, mode = random.choice(BODIES), f"g{place}", random.choice(MODES)
            functions[f"{name}(v)"], layer["activation"], text = body, name, f"{name}({text})"
            mode = mode or ("forward_only" if body == BODIES[-1] else None)
            modes.update({name: mode} if mode else {})
        layers.append({"dense": layer})
        outputs[f"h{place}"], before = text, f"h{place}"
    apart = {f"w{place}": f"max(abs(f.l{place}.kernel - p{place}))" for place in range(hidden + 1)}
    return {
        "dtype": "float64", "constants": {"c": 0.2}, "functions": functions, "gradient": modes,
        "task": {"draw": draws, "example": {"x": "normal(0, 1, [3])", "y": "sin(x[0]) + x[1]"}},
        "architecture": {"f": {"input": "x", "layers": layers}, **parameters},
        "outputs": {**outputs, "o": f"{before}[0]"},
        "loss": {"layers": "(f - y)^2", "written": "(o - y)^2"},
        "training": {"optimizer": random.choice(OPTIMIZERS), "batch": 8, "steps": 12, "evaluate": {"every": 12, "examples": 64}},
        "measures": {
            "apart": "E(abs(f - o))", "by_input": "max(abs(E(gradient(f, x)) - E(gradient(o, x))))", **apart,
            "size": "E(abs(f))", "moved": f"norm(p{hidden} - initial(p{hidden}))",
        },
        "replicates": 2,
    }  # fmt: skip


@pytest.mark.parametrize("seed", [0, 12, 26, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (4, 8, 19))])
def test_layers_train_as_what_they_are_written_out_to(seed: int) -> None:
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": written(seed)}})
    made = Compiled(spec.resolve(spec.parse(Source("test.yaml", text))).experiments[0].programs[0], (0, 1), seed == 12)
    made.train(12)
    found = made.evaluate()
    size = 1 + float(np.max(found.pop("size")))
    assert np.min(found.pop("moved")) > 1e-4
    for name, value in found.items():
        np.testing.assert_allclose(value / size, 0, atol=1e-10, err_msg=name)
