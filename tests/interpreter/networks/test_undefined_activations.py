"""An undefined number stays undefined behind every activation, in both forms, which lose it where several operations are one."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.tables.keras_parameters import ACTIVATIONS

ACTIVATED = [
    *((f"{{dense: {{units: 3, activation: {name}}}}}", (4,)) for name in ACTIVATIONS),
    ("{activation: softmax}", (4,)),
]
LAYERS = [
    *ACTIVATED, *((f"{layers}, {{dense: 1}}", shape) for layers, shape in ACTIVATED),
    *((f"{{conv2d: {{filters: 2, kernel_size: 2, activation: {name}}}}}", (3, 3, 2)) for name in ("relu", "relu6")),
    ("{conv1d: {filters: 2, kernel_size: 2, activation: relu}}", (4, 2)), ("{dense: 2}, {activation: relu}", (4,)),
    ("{conv2d: {filters: 2, kernel_size: 2}}, {activation: relu}", (4, 4, 2)),
    ("{simple_rnn: {units: 2, activation: relu}}", (4, 2)), ("{simple_rnn: {units: 2, activation: relu6}}, {dense: 1}", (4, 2)),
    ("{conv2d: {filters: 2, kernel_size: 2, activation: relu6}}, flatten, {dense: 1}", (3, 3, 2)),
    ("{lstm: {units: 2, recurrent_activation: hard_sigmoid}}, {dense: 1}", (4, 2)),
]  # fmt: skip
"""Each activation behind a product, and between two, and what may be one kernel with a product or a convolution."""
PLACE = 0
"""Which entry of a layer's input is undefined."""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_what_is_undefined_goes_through_every_activation(xla: bool, compiled: Callable[..., Compiled]) -> None:
    """As a plain graph `relu` of NaN was 0; under XLA `relu6` and `hard_sigmoid` before a product were."""
    example = ['undefined: "sqrt(-1 - abs(normal()))"']
    networks, measures = [], ["rectified: E(relu(n0))", 'likely: "E(softmax([undefined, 1, 2]))"']
    for place, (layers, shape) in enumerate(LAYERS):
        bad = f"[undefined if i == {PLACE} else 0.0 for i < {prod(shape)}]"
        example += [f'x{place}: "normal({list(shape)})"', f'y{place}: "x{place} + reshape({bad}, {list(shape)})"']
        networks.append(f"n{place}: {{input: y{place}, layers: [{layers}]}}")
        measures.append(f"m{place}: E(n{place})")
    held = compiled(f"""
task: {{data: {{test: 3}}, example: {{{", ".join(example)}}}}}
architecture: {{{", ".join(networks)}}}
measures: {{{", ".join(measures)}}}
""", xla=xla)  # fmt: skip
    found = held.evaluate()
    lost = [layers for place, (layers, _) in enumerate(LAYERS) if not np.isnan(found[f"m{place}"]).any()]
    assert not lost, lost
    assert np.isnan(found["rectified"]).all() and np.isnan(found["likely"]).all()
    softmax = [place for place, (layers, _) in enumerate(ACTIVATED) if layers == "{activation: softmax}"]
    assert softmax and np.isnan(found[f"m{softmax[0]}"]).all()
