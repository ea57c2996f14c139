"""Arguments that do nothing where another one is off are warned of, unless one cell needs them."""

from __future__ import annotations

from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.types import ShapeProblem
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.layers.row import Layer
from dlspec.spec.tables.optimizers import OPTIMIZERS

STUDY = """
dlspec: 1
study: idle
experiments:
  e:
    constants: {{m: 0, other: 0.5}}
    task: {{example: {{x: "normal([4, 3])", y: "sum(sum(x))"}}}}
    architecture: {{f: {{input: x, layers: [{layer}, flatten, dense: {{name: last, units: 1, bias_initializer: ones}}]}}}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{{optimizer}}}, batch: 4, {course}}}
    measures: {{k: E(norm(f))}}
    {more}
"""


def warned(layer: str = "dense: 3", optimizer: str = "sgd: 0.1", course: str = "steps: 2", more: str = "") -> list[str]:
    text = STUDY.format(layer=layer, optimizer=optimizer, course=course, more=more)
    return [problem.message for problem in spec.validate(spec.parse(Source("idle.yaml", text)))]


@pytest.mark.parametrize(
    ("layer", "idle"),
    [
        ("dense: {units: 3, use_bias: false, bias_initializer: ones}", ["bias_initializer"]),
        ("dense: {units: 3, use_bias: false, bias_constraint: non_neg}", ["bias_constraint"]),
        ("dense: {units: 3, use_bias: false, bias_constraint: null}", []),
        ("dense: {units: 3, bias_initializer: ones}", []),
        ("repeat: {times: 2, layers: [dense: {units: 3, use_bias: false, bias_initializer: ones}]}", ["bias_initializer"]),
        ("lstm: {units: 2, use_bias: false, return_sequences: true, unit_forget_bias: true}", ["unit_forget_bias"]),
        ("lstm: {units: 2, use_bias: false, return_sequences: true, unit_forget_bias: false}", []),
        ("bidirectional: {layer: {gru: {units: 2, use_bias: false, return_sequences: true, bias_initializer: ones}}}", ["bias_initializer"]),
    ],
)  # fmt: skip
def test_of_layers(layer: str, idle: list[str]) -> None:
    assert warned(layer) == [f"'{name}' does nothing with `use_bias: false`" for name in idle]


@pytest.mark.parametrize(
    ("optimizer", "course", "idle"),
    [
        ("adam: {ema_momentum: 0.5}", "steps: 2", ["'ema_momentum' does nothing with `use_ema: false`"]),
        ("adam: {ema_momentum: 0.5, use_ema: true}", "steps: 2", []),
        ("sgd: {nesterov: true}", "steps: 2", ["'nesterov' does nothing with `momentum` 0"]),
        ("sgd: {nesterov: true, momentum: m}", "steps: 2", ["'nesterov' does nothing with `momentum` 0"]),
        ("sgd: {nesterov: true, momentum: other}", "steps: 2", []),
        ("sgd: {nesterov: false}", "steps: 2", []),
        ("f: {sgd: {nesterov: true}}", "steps: 2", ["'nesterov' does nothing with `momentum` 0"]),
        ("sgd: {nesterov: true}", "phases: {a: {steps: 2, optimizer: {sgd: {momentum: 0.5}}}}", []),
        ("sgd: {momentum: 0.5}", "phases: {a: {steps: 2}, b: {steps: 2, optimizer: {sgd: {nesterov: true}}}}", []),
        ("sgd: 0.1", "phases: {a: {steps: 2}, b: {steps: 2, optimizer: {sgd: {nesterov: true}}}}", ["'nesterov' does nothing with `momentum` 0"]),
        ("sgd: 0.1", "steps: 2, updates: {u: {networks: [f], loss: [l], optimizer: {sgd: {nesterov: true}}}}", ["'nesterov' does nothing with `momentum` 0"]),
    ],
)  # fmt: skip
def test_of_optimizers(optimizer: str, course: str, idle: list[str]) -> None:
    assert warned(optimizer=optimizer, course=course) == idle


def test_one_cell_that_needs_it_is_enough() -> None:
    variants = "variants: {a: {}, b: {training: {optimizer: {sgd: {momentum: 0.5}}}}}"
    assert warned(optimizer="sgd: {nesterov: true}", more=variants) == []
    sweep = "sweep: {m: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]}"
    assert warned(optimizer="sgd: {nesterov: true, momentum: m}", more=sweep) == []
    without = "variants: {a: {}, b: {architecture: {f: {layers: {last: {dense: {use_bias: false}}}}}}}"
    assert warned(more=without) == []


SIZES = {"kernel_size": 2, "strides": 1, "dilation_rate": 1, "depth_multiplier": 1}
SHAPES = ((6,), (6, 4), (6, 6, 4), (6, 6, 6, 4))


def _weights(row: Layer, given: dict[str, Any]) -> set[str] | None:
    """The weights on the first shape that the layer takes; none where it takes none of them."""
    config = {
        name: SIZES.get(name, 2) if parameter.required or name in SIZES else parameter.default
        for name, parameter in row.parameters.items()
    }
    for shape in SHAPES:
        try:
            return set(row.weights(shape, {**config, **given}))
        except (ShapeProblem, TypeError, KeyError):
            continue
    return None


def test_every_argument_of_a_weight_says_without_which_one_the_layer_does_not_have_it() -> None:
    """Over the table: each layer, with each argument that is true turned off."""
    seen = set()
    for row in LAYERS.values():
        weights = _weights(row, {})
        for name, parameter in row.parameters.items():
            if weights is None or parameter.kind != "bool" or not parameter.default:
                continue
            for weight in weights - (_weights(row, {name: False}) or weights):
                for kind in ("initializer", "constraint"):
                    argument = row.parameters.get(f"{row.argument_of(weight)}_{kind}")
                    if argument is not None:
                        assert argument.needs == name, f"{row.name}.{argument.name}"
                        seen.add(f"{row.name}.{argument.name}")
    rows = {
        row.name for row in LAYERS.values() if "bias_initializer" in row.parameters and "use_bias" in row.parameters
    }
    assert {one.partition(".")[0] for one in seen} == rows and len(rows) > 8


def test_what_an_argument_needs_is_an_argument() -> None:
    for row in (*LAYERS.values(), *OPTIMIZERS.values()):
        for parameter in row.parameters.values():
            assert not parameter.needs or parameter.needs in row.parameters, f"{row.name}.{parameter.name}"
