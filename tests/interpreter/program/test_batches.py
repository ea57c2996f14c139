"""Finite and enumerated data: what is looked up is what would be made, and every example counts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.backend.vectors import lanes
from dlspec.interpreter.lower import terms
from dlspec.interpreter.program import batches as held_examples
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program

BODY = """
dtype: float64
task:
  data: DATA
  draw: {v: "normal([3])"}
  example: {x: "normal([3])", k: integer(2), y: "dot(v, x) + k"}
architecture:
  f: {input: "concat(x, [k])", layers: [{dense: {units: 1, name: top}}]}
outputs: {guess: f}
loss: {squared: "(guess - y)^2"}
training: {optimizer: {sgd: 0.05}, batch: 8, steps: 30, evaluate: {every: 30}}
measures: {fit: {of: "E((guess - y)^2)", on: train}, error: "E((guess - y)^2)", mean: {of: E(y), on: train}}
replicates: 2
"""


def body(data: str) -> str:
    return BODY.replace("DATA", data)


@pytest.mark.parametrize(("order", "xla"), [("shuffle", True), ("with_replacement", False)])
def test_looking_up_is_making_anew(
    compiled: Callable[..., Compiled], monkeypatch: pytest.MonkeyPatch, order: str, xla: bool
) -> None:
    text = body(f"{{train: 20, test: 12, order: {order}}}")
    held = compiled(text, 2, xla)
    assert held.train_inputs.dataset.keys() == {"input of f", "y"}
    held.train(30)
    monkeypatch.setattr(held_examples, "MAX_BYTES", 0)
    anew = compiled(text, 2, xla)
    assert not anew.train_inputs.dataset
    anew.train(30)
    for place, variable in held.networks["f"].weights.items():
        np.testing.assert_allclose(variable.numpy(), anew.networks["f"].weights[place].numpy(), rtol=1e-12)


def test_measures_range_over_all_of_the_sets(compiled: Callable[..., Compiled]) -> None:
    held = compiled(body("{train: 20, test: 12}"), 2)
    found = held.evaluate()
    for stream, count, name in (("train", 20, "mean"), ("test", 12, None)):
        lowering = held.context.lowering(
            held.seeds.keys[stream], tf.range(count, dtype=tf.int64), count, held.seeds.draws
        )
        y = lowering(held.context.bindings["y"]).tensor.numpy()
        if name:
            np.testing.assert_allclose(found[name], y.mean(axis=1), rtol=1e-12)
        else:
            guess = lowering(held.context.bindings["guess"]).tensor.numpy()
            np.testing.assert_allclose(found["error"], ((guess - y) ** 2).mean(axis=1), rtol=1e-12)


def test_a_small_set_is_fitted_and_fresh_data_are_not(compiled: Callable[..., Compiled]) -> None:
    """Labels that are coin tosses: only what is seen again can be remembered."""
    text = body("{train: 4, test: 100}").replace('y: "dot(v, x) + k"', "y: rademacher()")
    held = compiled(text, 2)
    held.train(3000)
    found = held.evaluate()
    assert (found["fit"] < 0.01).all() and (found["error"] > 0.5).all()


ENUMERATED = """
dtype: float64
task:
  data: {enumerate: x}
  draw: {s: "bernoulli(0.5, [3])"}
  example: {x: "X", y: "prod(1 - 2 * s * x)"}
architecture: {f: {input: x, layers: [{dense: {units: 1, name: top}}]}}
loss: {squared: "(f - y)^2"}
training: {optimizer: {sgd: 0.125}, steps: 3}
measures: {seen: E(x), covariance: "E(outer(x, x))", error: E((f - y)^2)}
replicates: 2
"""


@pytest.mark.parametrize(("draw", "xla"), [("bernoulli(0.5, [3])", False), ("rademacher([3])", True)])
def test_every_value_is_there_once_and_a_step_takes_them_all(
    compiled: Callable[..., Compiled], draw: str, xla: bool
) -> None:
    held = compiled(ENUMERATED.replace("X", draw), 2, xla)
    values = np.asarray([[(i >> j) & 1 for j in range(3)] for i in range(8)])
    values = 1 - 2 * values if draw.startswith("r") else values
    found = held.evaluate()
    np.testing.assert_allclose(found["seen"], np.broadcast_to(values.mean(axis=0), (2, 3)), atol=1e-15)
    np.testing.assert_allclose(found["covariance"][0], values.T @ values / 8, atol=1e-15)
    y = np.prod(1 - 2 * held.seeds.draws["s"].numpy()[:, None] * values, axis=-1)
    w = {name: variable.numpy() for (_, name), variable in held.networks["f"].weights.items()}
    kernel, bias = w["kernel"][..., 0], w["bias"][:, 0]
    for _ in range(3):
        upstream = 2 * (kernel @ values.T + bias[:, None] - y) / 8
        kernel, bias = kernel - 0.125 * upstream @ values, bias - 0.125 * upstream.sum(axis=1)
    held.train(3)
    after: Any = held.networks["f"].weights
    np.testing.assert_allclose(after["top", "kernel"].numpy()[..., 0], kernel, rtol=1e-10)
    np.testing.assert_allclose(after["top", "bias"].numpy()[:, 0], bias, rtol=1e-10, atol=1e-14)


REALS = """
task:
  draw: {v: "normal([20])", s: "exponential(1)"}
  example: {scale: "exponential(s)", x: "scale * normal([20])", few: "normal([3])", r: "dot(v, x)", unused: "normal([30])"}
architecture: {f: {input: x, layers: [{dense: {units: 4, activation: tanh}}, dense: 1]}}
loss: {squared: "(f - r - sum(few))^2"}
training: {optimizer: {adam: {learning_rate: 0.01}}, batch: 16, steps: 20, evaluate: {every: 20}}
measures: {error: "E((f - r)^2)"}
replicates: 2
"""


def branches(compiled: Compiled) -> int:
    return sum(count for kind, count in compiled.operations().items() if "Case" in kind)


@pytest.mark.parametrize(
    ("drawn", "filled"),
    [
        ("normal([21])", True), ("normal([21]) / 3", True), ("transpose(normal(0, 2, [3, 7]))", False), ("exponential(s, [21])", True),
        ("s * truncated_normal([3, 7])", True), ("normal(1, 2, [21])", True), ("normal(1, 1, [21])", False), ("s + normal([21])", False),
        ("normal([24])", False), ("normal([101])", False), ("[normal([21]), normal([21])]", False), ("normal(0, 3, [21]) / 7 * 0.3", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_that_fill_no_vectors_are_made_with_more_beside_them_and_have_the_same_bits(
    program: Callable[[str], Program], monkeypatch: pytest.MonkeyPatch, drawn: str, filled: bool, dtype: str
) -> None:
    """Elsewhere a draw's last product and a sum are one operation, which rounds once; in float64 constants of products are joined."""
    text = f"dtype: {dtype}\n" + (
        REALS.replace("scale * normal([20])", drawn)
        .replace('r: "dot(v, x)"', 'r: "sum(x)"')
        .replace("input: x", "input: few")
    )
    found = []
    for lanes_of_one in (8, 1):
        monkeypatch.setattr(terms, "lanes", lambda lanes_of_one=lanes_of_one: lanes_of_one)
        made = Compiled(program(text), [0, 1], True)
        assert branches(made) == 1 + (filled and lanes_of_one == 8 and dtype == "float32")
        made.train(20)
        found.append(made.saved()[0])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_many_reals_come_out_of_a_branch_and_are_the_same(program: Callable[[str], Program]) -> None:
    made = [Compiled(program(REALS), [0, 1], True, portable=portable) for portable in (False, True)]
    assert ["Case" in "".join(one.operations()) for one in made] == [True, False]
    assert branches(made[0]) == 1 + bool(
        -20 % lanes()
    )  # x, and its draws where they fill no vectors; not few, not unused
    for one in made:
        one.train(20)
    for place, variable in made[0].networks["f"].weights.items():
        np.testing.assert_allclose(variable.numpy(), made[1].networks["f"].weights[place].numpy(), rtol=1e-4, atol=1e-6)


def test_what_the_loss_itself_asks_for_comes_out_of_a_branch(program: Callable[[str], Program]) -> None:
    text = REALS.replace('r: "dot(v, x)"', 'r: "sum(few)"')  # no other name of the example speaks of x
    assert branches(Compiled(program(text), [0], True)) == 1 + bool(-20 % lanes())


@pytest.mark.parametrize("data", ["{train: 20}", "stream"])
def test_no_branch_where_nothing_is_drawn_in_it(program: Callable[[str], Program], data: str) -> None:
    few = REALS.replace("scale * normal([20])", "scale * rademacher([20])")
    text = few if data == "stream" else REALS.replace("task:", f"task:\n  data: {data}")
    assert not any("Case" in kind for kind in Compiled(program(text), [0], True).operations())
