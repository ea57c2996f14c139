"""Free parameters: the same as a dense layer without bias on a constant, and as the recursion by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled

pytestmark = pytest.mark.usefixtures("traced_once")
BESIDE = """
dtype: float64
constants: {d: 3}
functions: {scaled(x): x * s}
task:
  draw: {start: "normal([d])"}
  example: {x: "normal([d])", y: "x[0] - 2 * x[1] + 0.3"}
architecture:
  w: {parameter: [d], initializer: start}
  trick: {input: "[1.0]", layers: [dense: {units: d, use_bias: false, kernel_initializer: start}]}
  s: {parameter: [], initializer: 0.5, constraint: non_neg}
  slow: {parameter: d, initializer: "normal(0, 1)"}
  f: {input: "x * w", layers: [dense: {units: 2, use_bias: false, kernel_initializer: ones}, scaled]}
loss:
  own: {of: "(dot(w, x) - y)^2", trains: w}
  same: {of: "(dot(trick, x) - y)^2", trains: trick}
  inner: {of: "(sum(f) - y)^2", trains: [f, s]}
  through: {of: "(dot(initial(slow), x) + sum(f))^2 / 10 + dot(slow, x)", trains: s}
gradient: {slow: freeze}
training:
  optimizer: {adam: {learning_rate: 0.03, use_ema: true}}
  batch: 4
  phases: {a: {steps: 5}, b: {steps: 4, restart: [w, trick]}}
measures:
  apart: "E(max(abs(current(w) - current(trick))))"
  averages: "E(max(abs(average(w) - average(trick))))"
  kept: "E(max(abs(after(a, w) - after(a, trick))))"
  frozen: sum(abs(slow - initial(slow)))
  slope: "E(gradient(dot(w, x) - y, w)[0] - x[0])"
  moved: sum(abs(current(w) - initial(w)))
  kept_moved: sum(abs(after(a, w) - initial(w)))
  scale: current(s)
  scaled: "E(sum(initial(f)) - sum(x * initial(w)))"
replicates: 2
"""
BY_HAND = """
dtype: float64
functions: {scaled(x): x * s}
task: {example: {x: "[1.0]", y: 3}}
architecture:
  s: {parameter: [], initializer: 0.5}
  w: {parameter: 2, initializer: "[1, 2]", constraint: {max_norm: 2.5}}
  f: {input: "x * w[1]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: ones}, scaled]}
outputs: {fit: "(f[0] + w[0] - y)^2 / 2"}
loss: {l: fit}
training: {optimizer: {sgd: {learning_rate: 0.05}}, batch: 1, steps: 20}
measures: {s: s, a: "w[0]", b: "w[1]", k: "f.dense.kernel[0, 0]", total: fit, first: "E(initial(f)[0])"}
"""


@pytest.mark.parametrize("xla", [False, True])
def test_is_what_a_layer_on_a_constant_is(compiled: Callable[..., Compiled], xla: bool) -> None:
    """The same weights, averages, weights of other times and restarts, to rounding; a frozen one stays."""
    made = compiled(BESIDE, replicates=2, xla=xla)
    made.train(5)
    before = made.saved()
    made.train(4)
    found = made.evaluate()
    for name in ("apart", "averages", "kept", "frozen", "slope", "scaled"):
        np.testing.assert_allclose(found[name], 0, atol=1e-12, err_msg=name)
    assert (
        (found["moved"] > 0.01).all()
        and (found["kept_moved"] > 0.01).all()
        and (abs(found["scale"] - 0.5) > 0.001).all()
    )
    if xla:
        return
    again = compiled(BESIDE, replicates=2)
    again.restore(5, before)
    again.train(4)
    for name, value in again.evaluate().items():
        np.testing.assert_array_equal(value, found[name], err_msg=name)


@pytest.mark.parametrize("xla", [False, True])
def test_is_trained_wherever_it_stands(compiled: Callable[..., Compiled], xla: bool, tmp_path: Path) -> None:
    """In a loss, in a network's input, and in a function among its layers, which the weights of another time are, too."""
    made = compiled(BY_HAND, xla=xla)
    made.train(5)
    found = {name: value[0] for name, value in made.evaluate().items()}
    s, w, kernel = 0.5, np.array([1.0, 2.0]), 1.0
    for _ in range(5):
        error = w[1] * kernel * s + w[0] - 3
        step = error * w[1] * kernel, error * np.array([1, kernel * s]), error * w[1] * s
        s, w, kernel = s - 0.05 * step[0], w - 0.05 * step[1], kernel - 0.05 * step[2]
        w = w * min(1.0, 2.5 / np.linalg.norm(w))
    wanted = {"s": s, "a": w[0], "b": w[1], "k": kernel, "total": (w[1] * kernel * s + w[0] - 3) ** 2 / 2, "first": 1.0}
    np.testing.assert_allclose([found[name] for name in wanted], list(wanted.values()), rtol=1e-5)
    write(made, 0, tmp_path / "cell")
    np.testing.assert_allclose(np.load(tmp_path / "cell" / "w.npy"), w, rtol=1e-5)
