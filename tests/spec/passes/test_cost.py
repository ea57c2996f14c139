"""Costs by hand: parameters, operations of a step, memory."""

from __future__ import annotations

from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import CHUNK_BYTES, chunk, memory
from dlspec.spec.passes.print_network import shapes

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
    residual = 1 + 1  # a difference and a power
    assert found.forward == products + biases + residual + 3  # the term's weight, its sum, whether it is finite
    first, second = 2 * 10 * 20, 2 * 20
    backward = (
        first + 2 * second + biases + 2 + 1
    )  # no gradient with respect to the examples; 2 (f - y), times the weight
    assert found.step == 8 * (found.forward + backward) + (1 + 2) * found.parameters  # the mean, the update
    assert shapes(program().networks[0]) == "[10] → 20 → 1"


def test_what_is_frozen_or_stopped_costs_less_backwards() -> None:
    whole = cost(program()).step
    frozen = cost(program(gradient="{f.dense_1: freeze}")).step
    update = 3 * (10 * 20 + 20)
    backward = 8 * (2 * 10 * 20 + 20 + 2 * 20)
    assert whole - frozen == backward + update, (
        "neither the first kernel and bias, nor the gradient with respect to its result, nor their updates"
    )


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


@pytest.mark.parametrize(
    ("loss", "once", "each"),
    [
        ("(f - y)^2 + v^2", 1, 1),  # of the replicate: squared once, added for each example
        ("(f - y)^2 + norm(f.dense_1.kernel)", 2 * 200 + 2 * 200, 1),  # of the weights: both ways, once
        (
            "(f - y)^2 + sum([exp(v) * y for i < 50])",
            1,
            1 + 50 + 1,
        ),  # the same for every i: one product, spread, summed
    ],
)
def test_what_does_not_vary_with_the_example_is_computed_once_a_step(loss: str, once: int, each: int) -> None:
    text = BODY.replace("LAYERS", "[dense: 20, dense: 1]").replace("GRADIENT", "{}").replace("OPTIMIZER", "sgd")
    text = text.replace("task: {", 'task: {draw: {v: "normal()"}, ').replace('"(f - y)^2"', f'"{loss}"')
    one = spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs[0]
    plain = cost(program())
    found = cost(one)
    assert found.forward == plain.forward + each
    spread = 1 if "kernel" in loss else 0  # the gradient of what is added to every example is summed over them
    assert found.step == plain.step + once + 8 * (each + spread)


def test_a_value_stopped_in_one_place_and_used_in_another_gets_its_upstream_gradient_once() -> None:
    text = BODY.replace("LAYERS", "[dense: 20, dense: 1]").replace("GRADIENT", "{}").replace("OPTIMIZER", "sgd")
    text = text.replace("(f - y)^2", "stop(f) * (f - y)^2")
    one = spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs[0]
    plain = cost(program())
    assert cost(one).forward == plain.forward + 1
    assert cost(one).step == plain.step + 8 * (1 + 1), "one product, and one upstream gradient to what is not stopped"


def test_a_whitening_takes_no_more_examples_than_there_are() -> None:
    """Where none are said; more than there are is an error (`tests/golden/errors/architecture_whiten_too_many.yaml`)."""
    for data, count in (("{train: 100, test: 10}", 100), ("{train: 30000, test: 10}", 10000), ("fresh", 10000)):
        text = BODY.replace("LAYERS", "[whiten, dense: 1]").replace("GRADIENT", "{}").replace("OPTIMIZER", "sgd")
        text = text.replace("task: {", f"task: {{data: {data}, ")
        one = spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs[0]
        assert one.networks[0].layers[0].examples == count


def test_memory_counts_every_image_that_a_network_is_shared_over() -> None:
    text = (
        BODY.replace("normal([10])", "normal([4, 10])")
        .replace("sum(x)", "sum(x[0])")
        .replace("f: {input: x,", "f: {input: x, each: 4,")
    )
    text = (
        text.replace("(f - y)^2", "(sum(f) - y)^2")
        .replace("LAYERS", "[dense: 100000, dense: 1]")
        .replace("GRADIENT", "{}")
    )
    one = spec.resolve(spec.parse(Source("s.yaml", text.replace("OPTIMIZER", "sgd")))).experiments[0].programs[0]
    assert chunk(one, 1000, 1) == CHUNK_BYTES // (4 * 100000 * 4)
