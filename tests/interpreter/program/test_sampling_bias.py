"""What chance adds to measures that are curved in means: NumPy's of the same examples by quarters, and closed forms over many replicates."""

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

STUDY = """
dtype: float64
task:
  data: {test: COUNT}
  example: {x: "normal([SIZE])", u: "normal()", v: "exponential()", g: "integer(2)"}
architecture: {f: {input: x, layers: [dense: {units: 1, kernel_initializer: zeros, name: only}]}}
measures:
  length: norm(E(x))
  far: norm(E(x) - 2)
  size: abs(E(u))
  square: E(u)^2
  log: log(E(v))
  largest: max(E(x))
  spread: "E((u - E(u))^2)"
  top: max(singular_values(E(outer(x, x))))
  slope: norm(E(gradient(f * u, f.only.kernel)))
  mixed: E(u) * E(v, on=train) + E(u)^2
  chosen: abs(E(u, where=g == 1))
  each: "E(x)^2"
  linear: E(u)
"""
SIZE, COUNT = 3, 1001
"""The last example is in no quarter."""


def study(count: int = COUNT) -> str:
    return STUDY.replace("COUNT", str(count)).replace("SIZE", str(SIZE))


def examples(held: Compiled, stream: str, count: int) -> dict[str, Any]:
    lowering = held.context.lowering(held.seeds.keys[stream], tf.range(count, dtype=tf.int64), count, held.seeds.draws)
    return {
        item.name: lowering.broadcast_to_axes(
            lowering(item.term), ("replicate", "example"), len(item.type.shape)
        ).numpy()
        for item in held.program.examples
    }


def measured(test: dict[str, Any], train: dict[str, Any]) -> dict[str, Any]:
    """The measures in NumPy, of examples [R, n, …]."""
    x, u, v, g = (test[name] for name in ("x", "u", "v", "g"))
    mean, outer = x.mean(1), np.einsum("rni,rnj->rij", x, x) / x.shape[1]
    return {
        "length": np.linalg.norm(mean, axis=-1), "far": np.linalg.norm(mean - 2, axis=-1), "size": abs(u.mean(1)), "square": u.mean(1) ** 2,
        "log": np.log(v.mean(1)), "largest": mean.max(-1), "spread": u.var(1), "top": np.linalg.norm(outer, 2, axis=(-2, -1)),
        "slope": np.linalg.norm((x * u[..., None]).mean(1), axis=-1), "mixed": u.mean(1) * train["v"].mean(1) + u.mean(1) ** 2,
        "chosen": abs((u * (g == 1)).sum(1) / (g == 1).sum(1)), "each": mean**2,
    }  # fmt: skip


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_they_are_numpys_of_the_quarters(
    compiled: Callable[..., Compiled], monkeypatch: pytest.MonkeyPatch, xla: bool
) -> None:
    """In chunks of 99, so that a quarter has three, the last of which is smaller."""
    monkeypatch.setattr(ProgramContext, "chunk", lambda self, wanted, *more: min(wanted, 99))
    text = (
        study() if not xla else study().replace("  top: max(singular_values(E(outer(x, x))))\n", "")
    )  # XLA takes long for it
    held = compiled(text, 3, xla)
    values = held.evaluate()
    biases = held.biases(values)
    test, train = (examples(held, stream, COUNT) for stream in ("test", "train"))
    quarter = COUNT // 4
    parts = [
        measured(*({name: x[:, k * quarter : (k + 1) * quarter] for name, x in own.items()} for own in (test, train)))
        for k in range(4)
    ]
    assert biases.keys() == values.keys() - {"linear"} == measured(test, train).keys() - ({"top"} if xla else set())
    for name, whole in measured(test, train).items():
        if name not in values:
            continue
        np.testing.assert_allclose(values[name], whole, rtol=1e-9, err_msg=name)
        right = np.mean([part[name] for part in parts], axis=0) - whole
        np.testing.assert_allclose(biases[name], right, rtol=1e-6, atol=1e-10, err_msg=name)


CONVEX = ("length", "far", "size", "square", "largest", "top", "slope", "each")
TRUE = {
    "length": 0.0, "far": 2 * math.sqrt(SIZE), "size": 0.0, "square": 0.0, "log": 0.0, "largest": 0.0, "spread": 1.0, "top": 1.0, "slope": 0.0,
    "mixed": 0.0, "chosen": 0.0, "each": 0.0,
}  # fmt: skip
n = 400
ADDED = {
    "length": math.sqrt(2 / n) * math.gamma((SIZE + 1) / 2) / math.gamma(SIZE / 2), "far": (SIZE - 1) / (2 * 2 * math.sqrt(SIZE) * n),
    "size": math.sqrt(2 / math.pi / n), "square": 1 / n, "log": -1 / (2 * n), "largest": 0.8463 / math.sqrt(n), "spread": -1 / n,
    "mixed": 1 / n, "chosen": math.sqrt(2 / math.pi / (n / 2)), "each": 1 / n,
}  # fmt: skip
"""What chance adds on average: the mean of a chi of three degrees of freedom; ½ tr(H Σ) / n; the half-normal's mean; the mean of the largest of three normals."""


def test_on_average_chance_adds_a_third_of_it_to_all_of_it(compiled: Callable[..., Compiled]) -> None:
    """Over 2,000 replicates: what closed forms say is added lies between the two, and so what each measure is above its true value."""
    held = compiled(study(n), 2000)
    values = held.evaluate()
    biases = held.biases(values)
    for name in CONVEX:  # Jensen's inequality holds of each sample
        assert (biases[name] > -1e-12).all(), name
    for name, true in TRUE.items():
        apart = values[name] - true
        error = 4 * np.std(apart) / math.sqrt(apart.size)
        if name in ADDED:
            assert abs(apart.mean() - ADDED[name]) < error, name
        told, noise = biases[name].mean(), 4 * np.std(biases[name]) / math.sqrt(apart.size)
        added = ADDED.get(name, apart.mean())
        low, high = sorted((told / 3, told))
        assert low - noise - (0 if name in ADDED else error) < added < high + noise + (0 if name in ADDED else error), (
            name
        )


def test_what_has_none_is_left_as_it_was(compiled: Callable[..., Compiled], program: Callable[[str], Program]) -> None:
    exact = """
task: {data: {enumerate: s}, example: {s: "rademacher([3])", y: "s[0] * s[1]"}}
measures: {square: "E(y)^2", length: norm(E(s))}
"""
    held = compiled(exact, 2)
    assert held.biases(held.evaluate()) == {}


def test_of_fewer_than_four_examples_it_is_undefined(compiled: Callable[..., Compiled]) -> None:
    held = compiled('task: {data: {test: 3}, example: {u: "normal([2])"}}\nmeasures: {each: "E(u)^2", mean: E(u)}', 2)
    (found,) = held.biases(held.evaluate()).values()
    assert found.shape == (2, 2) and np.isnan(found).all()


def test_the_own_rows_of_a_wider_program(program: Callable[[str], Program]) -> None:
    """A part of replicates that shares a program with more has the biases that it has alone."""
    one = program(study(100))
    wide, alone = Compiled(one, (1, 2), False, wide=3), Compiled(one, (1, 2), False)
    found, right = (held.biases(held.evaluate()) for held in (wide, alone))
    for name, bias in right.items():
        assert bias.shape[0] == 2
        np.testing.assert_allclose(found[name], bias, rtol=1e-6, atol=1e-9)
