"""Outputs of layers as values: those of the same layers written out, and what a loss on them trains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.passes.trained_weights import trained

STUDY = """
functions: {cubed(v): v^3}
task: {example: {x: "normal([3])", n: integer(3)}}
architecture:
  f:
    input: x
    layers:
      - dense: {units: 4, activation: tanh, name: hidden}
      - repeat: {name: block, times: 2, skip: true, layers: [dense: {units: 4, name: inner}, activation: {name: act, activation: relu}]}
      - dense: {units: 2, activation: cubed, name: cubes}
      - dense: 1
  g: {input: "one_hot(n, 3)", layers: [dense: {units: 2, name: first}, dense: 1]}
outputs: {twice: 2 * f.hidden}
loss: {l: sum(f.hidden^2) + sum(g.first^2)}
training: {optimizer: {adamw: {learning_rate: 0.1, weight_decay: 0.1}}, batch: 4, steps: 2}
measures:
  hidden: "E(max(abs(f.hidden - [tanh(dot(x, f.hidden.kernel[:, i]) + f.hidden.bias[i]) for i < 4])))"
  twice: "E(max(abs(twice - 2 * f.hidden)))"
  act: "E(max(abs(f.block[0].act - [relu(dot(f.hidden, f.block[0].inner.kernel[:, i]) + f.block[0].inner.bias[i]) for i < 4])))"
  next: "E(max(abs(f.block[1].inner - [dot(f.hidden + f.block[0].act, f.block[1].inner.kernel[:, i]) + f.block[1].inner.bias[i] for i < 4])))"
  cubes: "E(abs(f.cubes[1] - (dot(f.hidden + f.block[0].act + f.block[1].act, f.cubes.kernel[:, 1]) + f.cubes.bias[1])^3))"
  first: "E(max(abs(g.first - g.first.kernel[n] - g.first.bias)))"
  dead: "mean(E(f.block[1].act > 0) == 0)"
  rest: "norm(f.cubes.kernel - initial(f.cubes.kernel)) + norm(f.block[0].inner.kernel - initial(f.block[0].inner.kernel))"
  moved: "norm(f.hidden.kernel - initial(f.hidden.kernel))"
  start: "E(norm(initial(f.hidden) - f.hidden))"
"""

ELSEWHERE = """
dtype: float64
functions: {shown(v): "f(v).hidden", cubed(v): v^3}
task: {example: {x: "normal([3])", n: integer(3), z: "normal([3, 3])"}}
architecture:
  f:
    input: x
    layers:
      - dense: {units: 4, activation: tanh, name: hidden}
      - repeat: {name: block, times: 2, skip: true, layers: [dense: {units: 4, name: inner}, activation: {name: act, activation: relu}]}
      - dense: {units: 2, activation: cubed, name: cubes}
      - dense: 1
  g: {input: "one_hot(n, 3)", layers: [dense: {units: 2, name: first}, dense: 1]}
  s: {input: z, each: 3, layers: [dense: {units: 2, activation: tanh, name: first}, dense: 1]}
outputs:
  u: "2 * x + 1"
  before: "f.hidden + f.block[0].act + f.block[1].act"
  steep: "[3 * (dot(before, f.cubes.kernel[:, c]) + f.cubes.bias[c])^2 * f.dense.kernel[c, 0] for c < 2]"
  by_sum: "matmul(f.cubes.kernel, steep)"
  by_first: "by_sum + matmul(f.block[1].inner.kernel, [by_sum[i] if f.block[1].act[i] > 0 else 0.0 for i < 4])"
loss: {l: "sum(f(u).hidden^2) + g", s: sum(s^2)}
training: {optimizer: {adamw: {learning_rate: 0.1, weight_decay: 0.1}}, batch: 4, steps: 2}
measures:
  by_hidden: "E(max(abs(gradient(f, f.hidden) - (by_first + matmul(f.block[0].inner.kernel, [by_first[i] if f.block[0].act[i] > 0 else 0.0 for i < 4])))))"
  by_act: "E(max(abs(gradient(f, f.block[1].act) - by_sum)))"
  by_inner: "E(max(abs(gradient(f, f.block[1].inner) - [by_sum[i] if f.block[1].act[i] > 0 else 0.0 for i < 4])))"
  by_row: "E(max(abs(gradient(g, g.first) - g.dense.kernel[:, 0])))"
  by_each: "E(max(abs(gradient(dot(s, [1.0, 2.0, 3.0]), s.first) - [(j + 1) * s.dense.kernel[i, 0] for j < 3, i < 2])))"
  hidden: "E(max(abs(f(u).hidden - [tanh(dot(u, f.hidden.kernel[:, i]) + f.hidden.bias[i]) for i < 4])))"
  own: "E(max(abs(f(x).hidden - f.hidden)))"
  act: "E(max(abs(f(u).block[0].act - [relu(dot(f(u).hidden, f.block[0].inner.kernel[:, i]) + f.block[0].inner.bias[i]) for i < 4])))"
  cubes: "E(abs(f(u).cubes[1] - (dot(f(u).hidden + f(u).block[0].act + f(u).block[1].act, f.cubes.kernel[:, 1]) + f.cubes.bias[1])^3))"
  first: "E(max(abs(g(x).first - matmul(x, g.first.kernel) - g.first.bias)))"
  each: "E(max(abs(s(2 * z).first - tanh(matmul(2 * z, s.first.kernel) + [s.first.bias[j] for i < 3, j < 2]))))"
  within: "E(max(abs(shown(u) - f(u).hidden)))"
  indices: "E(max(abs([f(k * x).hidden[0] for k < 3] - [tanh(k * dot(x, f.hidden.kernel[:, 0]) + f.hidden.bias[0]) for k < 3])))"
  then: "E(max(abs(initial(f(u)).hidden - initial(f(u).hidden))))"
  bare: "E(max(abs(initial(f).block[1].act - initial(f.block[1].act))))"
  kernel: "max(abs(initial(f).hidden.kernel - initial(f.hidden.kernel)))"
  slope: "E(max(abs(jacobian(f(u).hidden, u) - [(1 - f(u).hidden[i]^2) * f.hidden.kernel[j, i] for i < 4, j < 3])))"
  rest: "norm(f.cubes.kernel - initial(f).cubes.kernel) + norm(f.block[0].inner.kernel - initial(f).block[0].inner.kernel)"
  moved: "norm(f.hidden.kernel - initial(f).hidden.kernel)"
  start: "E(norm(initial(f(u)).hidden - f(u).hidden))"
"""
ZERO = (
    "hidden",
    "own",
    "act",
    "cubes",
    "first",
    "each",
    "within",
    "indices",
    "then",
    "bare",
    "kernel",
    "slope",
    "rest",
)


@pytest.mark.parametrize("xla", [False, True])
def test_outputs_of_layers_on_another_input_are_those_of_the_layers_written_out(
    compiled: Callable[..., Compiled], xla: bool
) -> None:
    """In functions, index notation and blocks, at the weights of another time, and differentiated. A loss on one trains what lies before it."""
    made = compiled(ELSEWHERE, replicates=2, xla=xla)
    made.train(2)
    found = made.evaluate()
    for name in ZERO:
        np.testing.assert_allclose(found[name], 0, atol=1e-12, err_msg=name)
    assert (found["moved"] > 0.05).all()
    assert (found["start"] > 0.01).all()
    assert {place[:2] for place in trained(made.program) if place[0] == "f"} == {("f", "hidden")}


@pytest.mark.parametrize("xla", [False, True])
def test_outputs_of_layers_are_those_of_the_layers_written_out(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Behind their activation, a function's, too; in blocks, and of a network that looks up rows. A loss on one trains what lies before it."""
    made = compiled(STUDY, replicates=2, xla=xla)
    made.train(2)
    found = made.evaluate()
    for name in ("hidden", "twice", "act", "next", "cubes", "first"):
        np.testing.assert_allclose(found[name], 0, atol=2e-6, err_msg=name)
    np.testing.assert_array_equal(found["rest"], 0)
    assert (found["moved"] > 0.05).all()
    assert (found["start"] > 0.01).all()
    assert ((found["dead"] >= 0) & (found["dead"] < 1)).all()
    assert {place[:2] for place in trained(made.program)} == {("f", "hidden"), ("g", "first")}
