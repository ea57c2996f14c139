"""The standard errors of expectations over test examples: NumPy's of the same examples, and closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.context import ProgramContext
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.sampled_means import sampled_examples

FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])

STUDY = """
dtype: float64
functions: {"bend(z)": z^2}
gradient: {bend: {surrogate: "3 * z"}}
task:
  data: {test: COUNT}
  example: {x: "normal([2])", u: "uniform(0, 1)"}
measures:
  mean: E(x[0])
  square: E(x[0]^2)
  uniform: E(u)
  far: E(1e8 + u)
  pair: E(x * [1, 3])
  root: sqrt(E(x[0]^2))
  ratio: E(x[0]^2) / E(u)
  close: E(x[0] + 0.1 * x[1]) - E(x[0])
  rate: E(x[0] > 0)
  of_rates: E(x[0] > 0) / E(x[1] > 0)
  middle: quantile(u, 0.5)
  alone: 2 * pi
  choice: E(x[0]) if E(u) > 0.5 else E(x[1])
  step: 1 if E(u) > 0.4 else 0
  floored: floor(10 * E(u))
  signed: sign(E(x[0])) * E(u)
  stopped: stop(E(u))
  bent: bend(E(u))
  bounded: clip(E(u), 0, 0.1)
  whole: log(E(u) - 2)
replicates: 2
"""
CLOSED = {
    "mean": 1, "square": math.sqrt(2), "uniform": math.sqrt(1 / 12), "far": math.sqrt(1 / 12), "root": math.sqrt(2) / 2,
    "ratio": math.sqrt(2 * 4 + (1 / 12) * 16), "close": 0.1, "of_rates": math.sqrt(2),
}  # fmt: skip
"""The deviations of one example: of the ratio 1 / 0.5, (2 · 2² + 1/12 · 4²)^½ to first order; of that of two rates of a half, (1 + 1)^½."""


def examples(held: Compiled, count: int) -> tuple[Any, Any]:
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(count, dtype=tf.int64), count, held.seeds.draws)
    x, u = (
        lowering.broadcast_to_axes(lowering(item.term), ("replicate", "example"), len(item.type.shape)).numpy()
        for item in held.program.examples
    )
    return x, u


def expected(x: Any, u: Any) -> dict[str, Any]:
    """From the examples, [R, …]: the unbiased variance of each example's part to first order."""

    def error(each: Any) -> Any:
        return each.std(axis=1, ddof=1) / math.sqrt(each.shape[1])

    first, second = x[..., 0], x[..., 1]
    square, above = (first**2, first > 0)
    m = {"square": square.mean(1, keepdims=True), "u": u.mean(1, keepdims=True)}
    p, q = above.mean(1, keepdims=True), (second > 0).mean(1, keepdims=True)
    return {
        "mean": error(first), "square": error(square), "uniform": error(u), "far": error(u), "pair": error(x * [1, 3]),
        "root": error(square / (2 * np.sqrt(m["square"]))), "ratio": error(square / m["u"] - m["square"] / m["u"] ** 2 * u),
        "bounded": np.full(len(u), np.nan), "whole": np.full(len(u), np.nan), "close": error(0.1 * second), "of_rates": error(above / q - p / q**2 * (second > 0)),
    }  # fmt: skip


@pytest.mark.parametrize(("count", "xla"), [(100, True), (10_000, False)])
def test_errors_are_those_of_the_examples_and_near_the_closed_forms(
    compiled: Callable[..., Compiled], monkeypatch: pytest.MonkeyPatch, xla: bool, count: int
) -> None:
    """In chunks of 999, the last of which is smaller."""
    monkeypatch.setattr(ProgramContext, "chunk", lambda self, wanted, *more: min(wanted, 999))
    study = STUDY if count == 100 else STUDY.replace("  middle: quantile(u, 0.5)\n", "")  # one pass over all examples
    held = compiled(study.replace("COUNT", str(count)), 2, xla)
    values, errors = held.evaluate_with_errors()
    right = expected(*examples(held, count))
    assert errors.keys() == right.keys()
    for name, error in errors.items():
        np.testing.assert_allclose(error, right[name], rtol=2e-7 if name == "far" else 1e-9, err_msg=name)
        assert error.shape == values[name].shape
    for name, deviation in CLOSED.items():
        np.testing.assert_allclose(errors[name], deviation / math.sqrt(count), rtol=4 / math.sqrt(count), err_msg=name)
    np.testing.assert_array_equal(values["rate"], held.evaluate()["rate"])


NESTED = """
dtype: float64
functions: {"leap(z)": z + floor(10 * z), "held(z)": z + stop(z), "cov(a, b)": E((a - E(a)) * (b - E(b)))}
task:
  data: {test: COUNT}
  draw: {w: "normal([2, 1])"}
  example: {x: "normal([2])", u: "uniform(0, 1)"}
architecture: {f: {input: x, layers: [dense: {units: 1, kernel_initializer: w}]}}
measures:
  variance: E((u - E(u))^2)
  covariance: cov(x[0], x[0] + u)
  correlation: cov(x[0], x[0] + 3 * u) / sqrt(cov(x[0], x[0]) * cov(u, u))
  distance: E(abs(u - E(u))) + E(u)
  relative: sqrt(E((u - E(u))^2)) / E(u)
  deep: E((u - E((u - E(u))^2))^2)
  network: E((f - E(f))^2)
  no_change: E(u - E(u))
  above_mean: E(u > E(u))
  jump_inside: E(u * floor(10 * E(u)))
  through: E(f(x - E(u)))
  arrays: E((x - E(x))^2)
  leaps: leap(E(u))
  holds: held(E(u))
  middle: E(u) - quantile(u, 0.5)
replicates: 2
"""


def nested(x: Any, u: Any, f: Any) -> dict[str, Any]:
    """The same of means within means: what an example adds to each, and through the means that stand in it."""

    def mean(each: Any) -> Any:
        return each.mean(axis=1, keepdims=True)

    def error(each: Any) -> Any:
        return each.std(axis=1, ddof=1) / math.sqrt(each.shape[1])

    first = x[..., 0]
    a, b, off = (each - mean(each) for each in (first, first + 3 * u, u))
    c, v, w, m = mean(a * b), mean(a**2), mean(off**2), mean(u)
    return {
        "variance": error(off**2), "covariance": error(a * (a + off)),
        "correlation": error((a * b - c * (a**2 / v + off**2 / w) / 2) / np.sqrt(v * w)),
        "distance": error(np.abs(off) + (1 - mean(np.sign(off))) * u), "relative": error(off**2 / (2 * np.sqrt(w) * m) - np.sqrt(w) / m**2 * u),
        "deep": error((u - w) ** 2 - 2 * mean(u - w) * off**2), "network": error((f - mean(f)) ** 2), "no_change": np.zeros(len(u)),
    }  # fmt: skip


@FORMS
def test_means_within_means_have_the_error_of_what_each_example_adds(
    compiled: Callable[..., Compiled], monkeypatch: pytest.MonkeyPatch, xla: bool
) -> None:
    """In chunks of 33, the last of which is smaller. What jumps with a mean, in a function or a body, is an array or a quantile has none."""
    study = NESTED if xla else NESTED.replace("  middle: E(u) - quantile(u, 0.5)\n", "")
    monkeypatch.setattr(ProgramContext, "chunk", lambda self, wanted, *more: min(wanted, 100 if xla else 33))
    held = compiled(study.replace("COUNT", "100"), 2, xla)
    values, errors = held.evaluate_with_errors()
    x, u = examples(held, 100)
    lowering = held.context.lowering(held.seeds.keys["test"], tf.range(100, dtype=tf.int64), 100, held.seeds.draws)
    f = lowering.broadcast_to_axes(held.context.apply(lowering, "f", None), ("replicate", "example"), 0).numpy()
    right = nested(x, u, f)
    assert errors.keys() == right.keys()
    for name, error in errors.items():
        np.testing.assert_allclose(error, right[name], 1e-9, 1e-8 if name == "no_change" else 0, err_msg=name)
        assert error.shape == values[name].shape
    np.testing.assert_allclose(values["variance"], u.var(axis=1))


def test_the_error_of_a_variance_covers_it_in_95_percent_of_replicates(compiled: Callable[..., Compiled]) -> None:
    """400 replicates of 400 uniform numbers each: of the variance, 1/12, and of its root over the mean, 1/√3."""
    names = (
        "middle",
        "deep",
        "network",
        "correlation",
        "covariance",
        "distance",
        "arrays",
        "above_mean",
        "through",
        "jump_inside",
    )
    lines = [line for line in NESTED.splitlines() if not line.strip().startswith(names)]
    study = "\n".join(lines).replace("COUNT", "400").replace("replicates: 2", "replicates: 400")
    values, errors = compiled(study, 400, True).evaluate_with_errors()
    for name, truth in (("variance", 1 / 12), ("relative", 1 / math.sqrt(3))):
        covered = np.mean(np.abs(values[name] - truth) < 1.96 * errors[name])
        assert abs(covered - 0.95) < 0.035, (name, covered)


@FORMS
def test_errors_are_the_same_in_two_batches_to_the_bit(program: Callable[[str], Program], xla: bool) -> None:
    """The two batches go through one compiled program."""
    own = program(STUDY.replace("COUNT", "1000").replace("replicates: 2", "replicates: 4"))
    together, halves = Compiled(own, (0, 1, 2, 3), xla).evaluate_with_errors()[1], Compiled(own, (0, 1), xla)
    first = halves.evaluate_with_errors()[1]
    halves.begin(own, (2, 3))
    last = halves.evaluate_with_errors()[1]
    for name, error in together.items():
        np.testing.assert_array_equal(error, np.concatenate([first[name], last[name]]), err_msg=name)
    assert not np.array_equal(first["mean"], last["mean"])


WITHOUT = """
task:
  data: DATA
  example: {x: "rademacher([3])"}
architecture: {f: {input: x, layers: [dense: 1]}}
measures: {m: E(f^2)}
"""


@pytest.mark.parametrize("data", ["{enumerate: x}", "{train: 8, test: 1}"])
def test_what_is_complete_or_a_single_example_has_no_error(compiled: Callable[..., Compiled], data: str) -> None:
    assert compiled(WITHOUT.replace("DATA", data)).evaluate_with_errors()[1] == {}


def test_a_finite_training_set_is_complete_and_its_test_set_is_not(compiled: Callable[..., Compiled]) -> None:
    study = WITHOUT.replace("DATA", "{train: 8, test: 9}").replace(
        "{m: E(f^2)}", "{m: E(f^2), fit: {of: E(f^2), on: train}}"
    )
    assert compiled(study).evaluate_with_errors()[1].keys() == {"m"}


SEVERAL = """
dtype: float64
task:
  data: DATA
  example: {x: "normal([2])"}
  tests: {wide: {x: "3 * normal([2])"}}
measures:
  test: E(x[0]^2)
  seen: {of: "E(x[0]^2)", "on": train}
  wide: {of: "E(x[0]^2)", "on": wide}
  gap: "E(x[0]^2, on=train) - E(x[0]^2)"
  ratio: "E(x[0]^2) / E(x[0]^2, on=train)"
  beside: "E(x[0]^2, on=wide) + 2 * E(x[0]^2, on=train)"
  only: "E(x[0]^2, on=train)"
  paired: "E(x[0]^2, on=wide) - E(x[0]^2)"
replicates: 2
"""


@pytest.mark.parametrize("data", ["{test: 200}", "{train: 50, test: 200}"])
def test_means_over_streams_of_other_examples_have_errors_of_their_own(
    compiled: Callable[..., Compiled], data: str
) -> None:
    """Their squares add up; a finite training set has none; test streams are one example said in several ways, and have no error together."""
    made = compiled(SEVERAL.replace("DATA", data), xla=False)
    values, errors = made.evaluate_with_errors()
    fresh = "train" not in data
    counts = {measure.name: sampled_examples(made.program, measure) for measure in made.program.measures}
    assert counts["only"] == counts["seen"] == (200 if fresh else 0) and counts["gap"] == 200
    assert set(errors) == {"test", "wide", "gap", "ratio", "beside", *(["seen", "only"] if fresh else [])}
    seen = errors["seen"] if fresh else np.zeros(1)
    np.testing.assert_allclose(errors["gap"] ** 2, errors["test"] ** 2 + seen**2, rtol=1e-10)
    np.testing.assert_allclose(errors["beside"] ** 2, errors["wide"] ** 2 + 4 * seen**2, rtol=1e-10)
    share = errors["test"] ** 2 / values["seen"] ** 2 + (values["test"] / values["seen"] ** 2) ** 2 * seen**2
    np.testing.assert_allclose(errors["ratio"] ** 2, share, rtol=1e-10)
