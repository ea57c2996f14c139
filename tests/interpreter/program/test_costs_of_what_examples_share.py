"""What the gradient of something that all examples share takes in a plan, where it meets what each example has: beside what TensorFlow's profiler counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dlspec.interpreter.lower import loops
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import memory

BODY = """
functions:
  "cell(h, u)": "tanh(matmul(W, h) + matmul(U, u))"
  up(h): "tanh(matmul(W, h))"
  deep(h): "tanh(f(h))"
task: {{draw: {{A: "normal([16, 16])"}}, example: {{x: "normal([12, 7])", z: "normal([16])", k: integer(9)}}}}
architecture:
  W: {{parameter: [16, 16], initializer: "normal(0, 0.1)"}}
  U: {{parameter: [16, 7], initializer: "normal(0, 0.1)"}}
  w: {{parameter: [16], initializer: ones}}
  f: {{input: z, layers: [dense: {{units: 16, activation: tanh}}, dense: 16]}}
loss: {{l: "{loss} + 0 * (sum(w) + z[0])"}}
training: {{optimizer: {{sgd: 0.1}}, batch: {batch}, steps: 1}}
measures: {{m: "E(z[0] + x[0, 0] + A[0, 0])"}}
"""
CASES = {
    "a matrix and a vector": "squared_norm(matmul(W, z))",
    "a vector and a matrix": "squared_norm(matmul(z, W))",
    "a matrix twice": "squared_norm(matmul(W, matmul(W, z)))",
    "matrices": "squared_norm(matmul(x, transpose(U)))",
    "a matrix that is drawn": "squared_norm(matmul(A, f))",
    "a matrix beside each of several": "sum([squared_norm(matmul(W, i * z)) for i < 3])",
    "a vector and a vector": "dot(w, z)^2 + dot(f, w)",
    "entries of a matrix and a vector": "sum([dot(W[i], z)^2 for i < 16])",
    "an exponent that is learnt": "sum(power(abs(z) + 1, w) + power(abs(w) + 1, z))",
    "side by side": "sum([w, z]^2) + sum(concat(w, z)^2)",
    "whole numbers": "sum(w * z) + 0 * sum([(k + i) * (k - i) for i < 300])",
    "a recurrence": "squared_norm(scan(cell, zeros([16]), x)[11])",
    "all states of a recurrence": "sum(scan(cell, zeros([16]), x))^2",
    "a recurrence beside each of several": "sum([squared_norm(scan(cell, zeros([16]), i * x)[11]) for i < 3])",
    "turns": "squared_norm(iterate(up, z, 5))",
    "turns of turns": "squared_norm(iterate(up, iterate(up, z, 4), 4))",
    "a network in each turn": "squared_norm(iterate(deep, z, 12))",
    "the gradient of a recurrence": "squared_norm(gradient(sum(scan(cell, zeros([16]), x)), x))",
}


@pytest.mark.parametrize("case", CASES)
def test_a_step_takes_what_the_plan_says(
    case: str, program: Callable[[str], Program], executed: Callable[[Program], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All turns are written out, as the profiler counts one of a loop."""
    monkeypatch.setattr(loops, "UNROLLED", 100)
    one = program(BODY.format(loss=CASES[case], batch=16))
    counted = executed(one)
    assert cost(one).step == pytest.approx(counted, rel=0.05), cost(one).step / counted


@pytest.mark.parametrize(
    ("loss", "copies"),
    [
        ("squared_norm(matmul(W, z))", 16 * 16),  # of its gradient, before it is summed
        ("squared_norm(matmul(A, f))", 16 * 16),  # without the rows to which nothing is sent
        ("sum([squared_norm(matmul(i * W, z)) for i < 3])", 3 * 16 * 16),
        ("squared_norm(iterate(up, z, 5))", 16 * 16),  # one turn after the other
        ("squared_norm(matmul(A, stop(f))) + squared_norm(w * z)", 0),  # no gradient goes through it
    ],
)
def test_each_example_has_a_copy_of_a_matrix_while_its_gradient_is_made(
    loss: str, copies: int, program: Callable[[str], Program]
) -> None:
    """Alone in a process, of a matrix of 1,000 x 1,000 in batches of 256, it was seen to take 1,000 MiB more than without it."""
    few, many = (memory(program(BODY.format(loss=loss, batch=batch))) for batch in (10_000, 20_000))
    without = (
        loss.replace("matmul(W, z)", "(w * z)").replace("matmul(A, f)", "f").replace("iterate(up, z, 5)", "(w * z)")
    )
    without = without.replace("matmul(i * W, z)", "(i * w * z)")
    less, more = (memory(program(BODY.format(loss=without, batch=batch))) for batch in (10_000, 20_000))
    grown = ((many - few) - (more - less)) / 10_000
    assert 4 * copies <= grown <= 4 * copies + 1_200
