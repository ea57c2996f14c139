"""What derivatives hold: gradients by weights of each example in a loss, which a plan warns of."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.jacobians import told_apart

BODY = """
dlspec: 1
study: t
experiments:
  e:
    task: {{example: {{x: "normal([3])", y: "x[0]"}}}}
    architecture: {{f: {{input: x, layers: [dense: {{units: 4, name: a}}, dense: {{units: 2, name: b}}]}}}}
    outputs: {{l: "sum((f - y)^2)"}}
    loss: {{all: "l + {more}"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 8, steps: 5}}
    measures: {{m: E(l)}}
"""
CASES = {
    "squared_norm(gradient(l, f.weights))": [("all", "f.weights", 8 * 26 * 4 * 3)],
    "squared_norm(gradient(l, f.b.weights))": [("all", "f.b.weights", 8 * 10 * 4 * 3)],
    "sum(jacobian(f, f.a.kernel)^2)": [("all", "f.a.kernel", 8 * 12 * 4 * 4)],
    "directional(l, f.a.kernel, f.a.kernel)": [("all", "f.a.kernel", 8 * 12 * 4 * 3)],
    "squared_norm(B(gradient(l, f.weights)))": [],
    "squared_norm(B(2 * gradient(l, f.a.bias)))": [("all", "f.a.bias", 8 * 4 * 4 * 3)],
    "squared_norm(gradient(l, x))": [],
}


def program(more: str) -> Program:
    return spec.resolve(spec.parse(Source("t.yaml", BODY.format(more=more)))).experiments[0].programs[0]


@pytest.mark.parametrize("more", CASES)
def test_gradients_of_each_example_by_weights_are_told(more: str) -> None:
    assert list(told_apart(program(more))) == CASES[more]


def test_they_are_in_the_memory_of_an_example() -> None:
    each, batch = (
        cost(program(f"squared_norm({text})")).example_bytes
        for text in ("gradient(l, f.weights)", "B(gradient(l, f.weights))")
    )
    assert each - batch == 2 * 26 * 4 * 3 + 2 * 4  # and the norm of each
