"""Gradients as values: each example's own, the full one, through shared and convolutional layers, along every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program import stream_means
from dlspec.interpreter.program.context import ProgramContext
from dlspec.interpreter.program.example_gradients import full_gradient
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.quantiles import quantile
from dlspec.spec.ir import terms as t

FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])

DENSE = """
dtype: float64
functions: {u(r): "floor_to(r, [-1, -0.5, 0, 0.5, 1])"}
task:
  data: {test: 40}
  draw: {v: "normal([3])"}
  example: {x: "normal([3])", y: "dot(v, x)"}
architecture:
  f:
    input: x
    layers: [{dense: {units: 4, activation: relu, name: hidden}}, {dense: {units: 1, name: top}}]
GRADIENT
measures:
  whole: E(gradient((f - y)^2, f.weights))
  bare: gradient((f - y)^2, f.hidden.kernel)
  sizes: E(squared_norm(gradient((f - y)^2, f.weights)))
  loss_times: E(y * gradient(f, f.top.kernel)[:, 0])
  hard: E(gradient(u(f), f.top.bias))
replicates: 2
"""


def dense(gradient: str = "") -> str:
    return DENSE.replace("GRADIENT\n", f"gradient: {{{gradient}}}\n" if gradient else "")


def expected(held: Compiled) -> dict[str, Any]:
    """By hand: the chain rule for each example of each replicate."""
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(40, dtype=tf.int64), 40, held.seeds.draws)
    x, y = (
        lowering.broadcast_to_axes(lowering(item.term), ("replicate", "example"), len(item.type.shape)).numpy()
        for item in held.program.examples
    )
    w = {f"{layer}.{name}": variable.numpy() for (layer, name), variable in held.networks["f"].weights.items()}
    before = np.einsum("rbi,rij->rbj", x, w["hidden.kernel"]) + w["hidden.bias"][:, None]
    f = np.einsum("rbj,rj->rb", np.maximum(before, 0), w["top.kernel"][..., 0]) + w["top.bias"]
    below = w["top.kernel"][:, None, :, 0] * (before > 0)
    top = np.maximum(before, 0)
    slopes = [np.einsum("rbi,rbj->rbij", x, below).reshape(2, 40, -1), below, top, np.ones((2, 40, 1))]
    each = np.concatenate(slopes, axis=-1)
    loss = 2 * (f - y)[..., None] * each
    return {
        "whole": loss.mean(axis=1), "bare": loss[..., :12].mean(axis=1).reshape(2, 3, 4),
        "sizes": (loss**2).sum(axis=-1).mean(axis=1), "loss_times": (y[..., None] * top).mean(axis=1),
    }  # fmt: skip


@FORMS
def test_gradients_of_dense_layers_are_the_chain_rules(compiled: Callable[..., Compiled], xla: bool) -> None:
    held = compiled(dense(), 2, xla)
    found = held.evaluate()
    for name, value in expected(held).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    assert (found["hard"] == 0).all()


def test_they_follow_the_gradient_modes(compiled: Callable[..., Compiled]) -> None:
    exact, scaled = compiled(dense(), 2).evaluate(), compiled(dense("f: {scale: 3}"), 2).evaluate()
    np.testing.assert_allclose(scaled["whole"], 3 * exact["whole"], rtol=1e-12)
    np.testing.assert_allclose(scaled["sizes"], 9 * exact["sizes"], rtol=1e-12)
    assert (compiled(dense("u: forward_only"), 2).evaluate()["hard"] == 1).all()
    assert (compiled(dense("f.hidden: freeze"), 2).evaluate()["bare"] == 0).all()


def test_chunks_give_what_one_batch_gives(compiled: Callable[..., Compiled], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compiled(dense(), 2).evaluate()
    monkeypatch.setattr(ProgramContext, "chunk", lambda self, wanted, *more: min(wanted, 16))
    for name, value in compiled(dense(), 2).evaluate().items():
        np.testing.assert_allclose(value, whole[name], rtol=1e-10, atol=1e-14, err_msg=name)


SHARED = """
dtype: float64
constants: {k: 2}
task:
  data: {test: 6}
  example: {x: "normal([k, 6, 6, 1])"}
architecture:
  score:
    input: x
    each: k
    layers: [{conv2d: {filters: 2, kernel_size: 3, name: conv}}, {layer_normalization: {name: norm}}, flatten, {dense: 1}]
functions: {loss(s): sum(s ^ 2) + 0.1 * squared_norm(score.conv.kernel)}
measures:
  full: E(gradient(loss(score), score.conv.kernel))
  squares: E(gradient(loss(score), score.conv.kernel) ^ 2)
  scales: E(gradient(loss(score), score.norm.gamma) ^ 2)
replicates: 2
"""


@FORMS
def test_gradients_of_shared_convolutions_are_finite_differences(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Of one example at a time: the expectation over the first n examples for n = 1, 2, … gives each example's own."""
    held = compiled(SHARED, 2, xla)
    found, step = held.evaluate(), 1e-5
    losses, each = tf.function(lambda: values(held), autograph=False), {}
    for layer, name in (("conv", "kernel"), ("norm", "gamma")):
        variable = held.networks["score"].weights[layer, name]
        start = variable.numpy()
        slopes = []
        for place in np.ndindex(start.shape[1:]):
            sides = []
            for sign in (1, -1):
                moved = start.copy()
                moved[(slice(None), *place)] += sign * step
                variable.assign(moved)
                sides.append(losses().numpy())
            slopes.append((sides[0] - sides[1]) / (2 * step))
        variable.assign(start)
        each[name] = np.stack(slopes, axis=-1).reshape(2, 6, *start.shape[1:])
    np.testing.assert_allclose(found["full"], each["kernel"].mean(axis=1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found["squares"], (each["kernel"] ** 2).mean(axis=1), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found["scales"], (each["gamma"] ** 2).mean(axis=1), rtol=1e-6, atol=1e-7)


def values(held: Compiled) -> Any:
    """The loss of each test example: [R, B]."""
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(6, dtype=tf.int64), 6, held.seeds.draws)
    term = next(item for item in t.walk(held.program.measures[0].term) if isinstance(item, t.Gradient))
    return lowering(term.of).tensor


@FORMS
def test_a_quantile_of_something_undefined_is_undefined(xla: bool) -> None:
    """With a NaN of either sign; elsewhere NumPy's, of infinities too where the place is one entry's."""
    values = np.random.default_rng(2).normal(size=(4, 7))
    values[0, 3], values[1, 5], values[2, 2] = np.nan, -np.nan, np.inf
    for q in (0.0, 0.3, 0.5, 1.0):
        found = tf.function(lambda x, q=q: quantile(x, q), jit_compile=xla, autograph=False)(
            tf.constant(values)
        ).numpy()
        expected = np.quantile(values, q, axis=1)
        if q in (0.0, 0.5, 1.0):  # NumPy's own of these is undefined beside an infinite entry
            expected[2] = np.sort(values[2])[int(q * 6)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


LONG = """
task: {data: {test: 60000}, example: {x: "uniform(0.5, 1)"}}
architecture: {f: {input: "[x]", layers: [{dense: {units: 1, use_bias: false, kernel_initializer: 1, name: top}}]}}
measures:
  full: E(gradient(f, f.top.kernel))
  inputs: E(x)
  median: quantile(x, 0.5)
"""


def test_gradients_of_many_examples_are_summed_in_float64(
    compiled: Callable[..., Compiled], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the experiment's dtype at most 1,024 are, in a pass of their own beside a quantile that needs all at once."""
    taken: list[int] = []

    def noted(*given: Any) -> Any:
        taken.append(given[-1].shape[0])
        return full_gradient(*given)

    monkeypatch.setattr(stream_means, "full_gradient", noted)
    held = compiled(LONG, 1)
    found = held.evaluate()
    assert taken and max(taken) <= 1024
    np.testing.assert_allclose(np.ravel(found["full"]), found["inputs"], rtol=5e-7)
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(60000, dtype=tf.int64), 60000, held.seeds.draws)
    x = lowering(held.context.bindings["x"]).tensor.numpy().astype(np.float64)
    np.testing.assert_allclose(found["median"], np.quantile(x, 0.5, axis=1), rtol=1e-7)
    np.testing.assert_allclose(found["inputs"], x.mean(axis=1), rtol=1e-12)


@FORMS
def test_what_is_undefined_lies_below_no_bound(compiled: Callable[..., Compiled], xla: bool) -> None:
    """The root of what may be negative: the largest is undefined where one is, of 4 normal numbers in 15 of 16 examples."""
    study = """
dtype: float64
task: {data: {test: 4000}, example: {u: "normal([4])"}}
measures: {below: E(max(sqrt(u)) < 2), least: E(min(sqrt(u)) < 2), all: E(min(u) >= 0), root: E(max(sqrt(u)))}
"""
    held = compiled(study, 1, xla)
    found = held.evaluate()
    index = tf.range(4000, dtype=tf.int64)
    lowering = held.context.lowering(held.seeds.keys["test"], index, 4000, held.seeds.draws)
    (drawn,) = (lowering(item.term).tensor.numpy() for item in held.program.examples)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(drawn.reshape(4000, 4))
        assert found["below"][0] == np.mean(np.max(root, axis=1) < 2) == found["least"][0]
    assert found["below"][0] == found["all"][0] and abs(found["all"][0] - 1 / 16) < 3 * (15 / 256 / 4000) ** 0.5
    assert np.isnan(found["root"][0])


RATES = """
task:
  data: {test: 49}
  example: {x: "normal([2])", k: integer(8)}
measures:
  all: E(x[0] < 100)
  some: E(x[0] > 0)
  whole: E(k)
  chosen: E(3.5, where=x[1] > 0)
  rate_of_some: E(x[0] > 0, where=k > 2)
  mean_of_some: 1 + E(k, where=x[1] > 0)
replicates: 8
"""


@pytest.mark.parametrize(("xla", "size"), [(True, 49), (False, 10)])
def test_means_are_one_quotient_of_sums(
    compiled: Callable[..., Compiled], xla: bool, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit those of NumPy: under XLA a constant divisor is a product, 49 · (1 / 49) is not 1, and neither are ten times 0.1."""
    monkeypatch.setattr(ProgramContext, "chunk", lambda self, wanted, *more: min(wanted, size))
    held = compiled(RATES, 8, xla)
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(49, dtype=tf.int64), 49, held.seeds.draws)
    x, k = (lowering(item.term).tensor.numpy() for item in held.program.examples)
    found = {name: values.tolist() for name, values in held.evaluate().items()}
    assert found["all"] == [1.0] * 8 and found["chosen"] == [3.5] * 8
    assert found["some"] == [(one > 0).sum() / 49 for one in x[..., 0]]
    assert found["whole"] == [one.sum() / 49 for one in k]
    assert found["rate_of_some"] == [np.mean(one[of > 2, 0] > 0) for one, of in zip(x, k, strict=True)]
    assert found["mean_of_some"] == [1 + np.mean(of[one[:, 1] > 0]) for one, of in zip(x, k, strict=True)]


QUOTIENTS = """
dtype: DTYPE
task:
  data: {test: 4000}
  example: {k: integer(8200), z: "normal([2])", y: "floor(k / 41)"}
measures:
  label: E(y == k // 41)
  quotient: E(floor((1.0 * k + 1) / 97) == (k + 1) // 97)
  whole: E(k / 49 == k // 49, where=k % 49 == 0)
  hits: E(mean([k + i >= 0 for i < 41]) == 1)
"""


@pytest.mark.parametrize(("dtype", "xla"), [("float32", True), ("float32", False), ("float64", True)])
def test_quotients_of_whole_numbers_are_whole(compiled: Callable[..., Compiled], dtype: str, xla: bool) -> None:
    """As in NumPy: by the reciprocal of 41 in float32, 41 / 41 is 0.99999994, and its floor 0."""
    found = compiled(QUOTIENTS.replace("DTYPE", dtype), 1, xla).evaluate()
    assert {name: values.tolist() for name, values in found.items()} == {name: [1.0] for name in found}
