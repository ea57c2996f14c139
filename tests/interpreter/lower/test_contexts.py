"""A context never changes: what is computed once has the same value wherever it is used first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled

COUNT = 40
BODY = """
dtype: float64
constants: {d: 3}
functions:
  g(a): "a * a if a > 0 else -1.0"
  soft(a): tanh(a)
  hard(a): sign(a)
gradient: {hard: {surrogate: soft(a)}}
task: {data: {test: 40}, example: {x: "normal([d])", y: "[g(x[k]) * x[0] for k < d]"}}
architecture:
  inner: {input: x, layers: [dense: 2]}
  outer: {input: inner(2 * x), layers: [dense: {units: 1, activation: tanh}]}
outputs:
  branch: "outer if x[0] > 0 else 0.0"
  indexed: "sum([outer * y[k] for k < d])"
measures:
  before: "E(branch) + E(outer)"
  along: "E(sum([hard(outer * y[k]) for k < d]))"
  after: E(outer)
"""


def test_a_networks_value_is_the_same_when_a_branch_uses_it_first(compiled: Callable[..., Compiled]) -> None:
    program = compiled(BODY, 1, False)
    context = program.context.lowering(
        program.seeds.keys["test"], tf.range(COUNT, dtype=tf.int64), COUNT, program.seeds.draws
    )
    x = context(program.context.bindings["x"]).tensor.numpy()[0]
    (a, b), (c, d) = ([w.numpy()[0] for w in program.networks[n].weights.values()] for n in ("inner", "outer"))
    outer = np.tanh(((2 * x) @ a + b) @ c + d)[:, 0]
    values = program.evaluate()
    np.testing.assert_allclose(values["after"], [outer.mean()])
    np.testing.assert_allclose(values["before"], [(outer * (x[:, 0] > 0)).mean() + outer.mean()])
    y = np.where(x > 0, x * x, -1.0) * x[:, :1]
    np.testing.assert_allclose(values["along"], [np.sign(outer[:, None] * y).sum(1).mean()])


def test_lowering_a_term_changes_nothing_but_the_memo(compiled: Callable[..., Compiled]) -> None:
    program = compiled(BODY, 1, False)
    context = program.context.lowering(
        program.seeds.keys["test"], tf.range(COUNT, dtype=tf.int64), COUNT, program.seeds.draws
    )
    names = [field.name for field in fields(context)]
    before = {name: getattr(context, name) for name in names}
    for name, term in program.context.bindings.items():
        context(term)
        assert {key for key in names if getattr(context, key) is not before[key]} == set(), name
    assert not context.arguments and set(context.values) == {"x", "y", "network outer", *program.seeds.draws}
    with pytest.raises(FrozenInstanceError):
        context.step = 1  # type: ignore[misc]
