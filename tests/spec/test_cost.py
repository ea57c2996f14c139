"""Costs by hand: parameters, operations of a step, memory."""

from __future__ import annotations

from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.cost import cost, memory, shapes
from dlspec.spec.diagnostics import Source

BODY = """
dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: "normal([10])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: LAYERS}}
    loss: {l: "(f - y)^2"}
    gradient: GRADIENT
    training: {optimizer: OPTIMIZER, batch: 8, steps: 10}
    measures: {m: E(f)}
"""


def program(layers: str = "[dense: 20, dense: 1]", gradient: str = "{}", optimizer: str = "sgd") -> Any:
    text = BODY.replace("LAYERS", layers).replace("GRADIENT", gradient).replace("OPTIMIZER", optimizer)
    return spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs[0]


def test_a_dense_network_by_hand() -> None:
    found = cost(program())
    assert found.parameters == 10 * 20 + 20 + 20 + 1
    products, biases = 2 * 10 * 20 + 2 * 20, 20 + 1
    residual = 1 + 1  # a difference and a square
    assert found.forward == products + biases + residual
    first, second = 2 * 10 * 20, 2 * 20
    backward = first + 2 * second + biases + residual  # no message to the examples
    assert found.step == 8 * (found.forward + backward) + 2 * found.parameters
    assert shapes(program().networks[0]) == "[10] → 20 → 1"


def test_what_is_frozen_or_stopped_costs_less_backwards() -> None:
    whole = cost(program()).step
    frozen = cost(program(gradient="{f.dense_1: freeze}")).step
    assert whole - frozen == 8 * (2 * 10 * 20 + 20 + 2 * 20), "neither the first kernel and bias, nor the message to it"


def test_state_grows_with_what_the_optimiser_keeps() -> None:
    sgd, adam = cost(program()), cost(program(optimizer="adam"))
    assert adam.state_bytes == 2 * sgd.state_bytes == 4 * 4 * sgd.parameters
    assert cost(program(optimizer="{sgd: {momentum: 0.9}}")).state_bytes == 3 * 4 * sgd.parameters


def test_memory_grows_with_the_batch_and_the_replicates() -> None:
    one = program("[dense: 1000, dense: 1]")
    assert memory(one, batch=100_000) > 10 * memory(one, batch=5_000)
    assert memory(one, batch=100_000, replicates=3) == pytest.approx(3 * memory(one, batch=100_000))


def test_a_network_applied_again_costs_again() -> None:
    once = cost(program()).forward
    text = BODY.replace("LAYERS", "[dense: 20, dense: 1]").replace("GRADIENT", "{}").replace("OPTIMIZER", "sgd")
    again = spec.resolve(spec.parse(Source("s.yaml", text.replace("(f - y)^2", "(f - y)^2 + f(2 * x)"))))
    network = 2 * 10 * 20 + 2 * 20 + 20 + 1
    assert cost(again.experiments[0].programs[0]).forward == once + network + 10 + 1
