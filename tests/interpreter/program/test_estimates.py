"""What is taken at the end of a phase of training, beside NumPy on the same examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled

ALL = """
dtype: float64
constants: {k: 3}
task:
  data: {enumerate: s}
  example: {s: "rademacher([2])", y: "s[0] + 2 * s[1] + s[0] * s[1]"}
architecture: {f: {input: s, layers: [dense: {units: 1, name: head, use_bias: false}]}}
loss: {l: (f - y)^2}
training:
  optimizer: {sgd: {learning_rate: 0.05}}
  phases:
    a: {steps: 3}
    b: {steps: 2, times: 2, loss: {stay: "k * sum(fisher * (f.head.kernel - after(a, f.head.kernel))^2)", l: f^2}}
    c: {steps: 1, loss: {l: f^2}}
estimates:
  fisher: {after: a, of: "E(gradient((f - y)^2, f.head.kernel)^2)"}
  middle: {after: b, of: "E((f - y)^2) + norm(initial(f.head.kernel))"}
measures: {weights: f.head.kernel, start: initial(f.head.kernel), error: E((f - y)^2), fisher_: fisher, middle_: 2 * middle}
"""
SIGNS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], float)
TARGETS = SIGNS[:, 0] + 2 * SIGNS[:, 1] + SIGNS[:, 0] * SIGNS[:, 1]


def by_hand(start: Any) -> tuple[list[Any], list[Any]]:
    """The weights after each step, and the estimates as they are then: the Fisher information [2] and twice `middle`."""
    w, weights, taken = start.copy(), [start], []
    fisher, middle, anchor = np.full(2, np.nan), np.nan, w
    for step in range(8):
        if step == 3:
            fisher, anchor = np.mean((2 * (SIGNS @ w - TARGETS)[:, None] * SIGNS) ** 2, axis=0), w
        if step in (5, 7):
            middle = np.mean((SIGNS @ w - TARGETS) ** 2) + np.linalg.norm(start)
        taken.append((fisher, 2 * middle))
        fit = SIGNS @ w - TARGETS if step < 3 else SIGNS @ w
        slope = np.mean(2 * fit[:, None] * SIGNS, axis=0)
        if 3 <= step < 7:
            slope = slope + 3 * 2 * fisher * (w - anchor)
        w = w - 0.05 * slope
        weights.append(w)
    return weights, [*taken, (fisher, 2 * middle)]


@pytest.mark.parametrize("xla", [False, True])
def test_estimates_are_those_of_numpy_and_what_is_trained_with_them_too(
    compiled: Callable[..., Compiled], xla: bool
) -> None:
    """Missing until their phase has ended; of a phase with several passes those of the last one that has."""
    made = compiled(ALL, replicates=2, xla=xla)
    start = made.evaluate()["weights"].reshape(2, 2)
    oracles = [by_hand(row) for row in start]
    states: list[Any] = []
    for step in range(1, 9):
        made.train(1)
        found = made.evaluate()
        states.append(made.saved())
        for row, (weights, taken) in enumerate(oracles):
            np.testing.assert_allclose(found["weights"][row].ravel(), weights[step], rtol=1e-12)
            fisher, middle = taken[step - 1]  # a border's own evaluation comes before it
            np.testing.assert_allclose(found["fisher_"][row].ravel(), fisher, rtol=1e-12)
            np.testing.assert_allclose(found["middle_"][row], middle, rtol=1e-12)
    again = compiled(ALL, replicates=2, xla=xla)
    again.restore(5, states[4])
    again.train(3)
    for value, wanted in zip(again.saved()[0], states[-1][0], strict=True):
        np.testing.assert_array_equal(value, wanted)


DRAWN = """
task: {example: {x: "normal([3])", y: "x[0] + step"}}
architecture: {f: {input: x, layers: [dense: {units: 4, activation: tanh}, dropout: 0.5, dense: 1]}}
loss: {l: (f - y)^2}
training:
  optimizer: {sgd: {learning_rate: 0.05}}
  batch: 8
  phases: {a: {steps: 2}, b: {steps: 2}}
estimates:
  mean: {after: a, of: "(f - y)^2", examples: 1000}
  slopes: {after: a, of: "E(gradient((f - y)^2, f.weights)^2)", examples: 1000}
measures:
  mean_: mean
  slopes_: slopes
  on_train: {of: "E((f - y)^2)", "on": train}
  derived: {of: "E(gradient((f - y)^2, f.weights)^2)", "on": train}
"""


def test_they_are_taken_over_training_examples_at_the_last_step_of_their_phase_in_inference(
    compiled: Callable[..., Compiled],
) -> None:
    """The same as a measure over as many of them at the border: without dropout, with the examples of the last update."""
    made = compiled(DRAWN, replicates=2, xla=True)
    made.train(2)
    border = made.evaluate()
    assert np.isnan(border["mean_"]).all() and np.isnan(border["slopes_"]).all()
    made.train(1)
    found = made.evaluate()
    np.testing.assert_allclose(found["mean_"], border["on_train"], rtol=1e-6)
    np.testing.assert_allclose(found["slopes_"], border["derived"], rtol=1e-5)
    assert (found["on_train"] != border["on_train"]).all()


ELSEWHERE = """
task: {example: {x: "integer(4)"}, tests: {far: {x: "10 + integer(4)"}}}
constants: {table: "[1, 2, 3, 4]"}
architecture: {w: {parameter: [], initializer: 0}}
loss: {l: (w - 1)^2 / 2 + 0 * x}
training: {optimizer: {sgd: 0.5}, batch: 2, phases: {a: {steps: 2}, b: {steps: 1}}}
estimates: {taken: {after: a, of: "E(w + 0 * table[x])", examples: 4}}
measures:
  plain: {of: "E(taken + 0 * x)", "on": far}
  chosen: {of: "E(taken if x > 9 else 0)", "on": far}
"""


@pytest.mark.parametrize("xla", [False, True])
def test_measures_over_other_examples_may_read_them(compiled: Callable[..., Compiled], xla: bool) -> None:
    """They are of training examples, whose ranges they keep: after two halvings w is 3/4."""
    made = compiled(ELSEWHERE, replicates=2, xla=xla)
    made.train(3)
    found = made.evaluate()
    assert found["plain"].tolist() == found["chosen"].tolist() == [0.75, 0.75]


ERRING = """
dtype: float64
DATA
  example: {x: "normal([2])"}
architecture: {w: {parameter: [], initializer: 0}}
loss: {l: (w - 1)^2}
training: {optimizer: {sgd: 0.5}, batch: 2, phases: {a: {steps: 1}, b: {steps: 1}}}
estimates:
  mean: {after: a, of: "E(w * x[0]^2)", examples: 400}
  pair: {after: a, of: "x * [1, 3]", examples: 400}
  rate: {after: a, of: "E(x[0] > 0.5)", examples: 400}
  root: {after: a, of: "sqrt(E(x[0]^2)) / E(exp(x[1]))", examples: 400}
  of_a_gradient: {after: a, of: "E(gradient(w * x[0], w)^2)", examples: 400}
  whole: {after: a, of: "E(x[0])", examples: 2000}
measures:
  {mean_: mean, pair_: pair, rate_: rate, root_: root, of_a_gradient_: of_a_gradient, whole_: whole,
  log_: log(mean), jump: floor(mean), two: mean + rate, beside: "E(x[0]) + mean"}
"""


@pytest.mark.parametrize(
    ("xla", "train"), [(False, 0), (True, 0), (False, 2000)], ids=["graph", "xla", "part of a set"]
)
def test_their_standard_errors_are_those_of_numpy_and_cover_the_truth(
    compiled: Callable[..., Compiled], xla: bool, train: int
) -> None:
    """Of 60 replicates: 1.96 errors hold 95 % of the true values; of a finite set its own mean is the truth, and what is drawn leaves less of it."""
    data = f"data: {{train: {train}}}\n  " if train else ""
    text = ERRING.replace("DATA\n  ", f"task:\n  {data}")
    made = compiled(text, replicates=60, xla=xla)
    made.train(1)
    before = made.evaluate_with_errors()[1]
    assert all(np.isnan(before[name]).all() for name in ("mean_", "pair_", "log_"))
    state = made.saved()
    made.train(1)
    values, errors = made.evaluate_with_errors()
    keys = made.seeds.keys["train"]
    lowering = made.context.lowering(keys, tf.range(2000, dtype=tf.int64), 2000, made.seeds.draws)
    x = lowering.broadcast_to_axes(lowering(made.program.examples[0].term), ("replicate", "example"), 1).numpy()
    w, part = values["mean_"] / np.mean(x[:, :400, 0] ** 2, axis=1), x[:, :400]
    left = np.sqrt(1 - 400 / train) if train else 1.0
    each = {
        "mean_": w[:, None] * part[..., 0] ** 2, "pair_": part * [1, 3], "rate_": part[..., 0] > 0.5, "of_a_gradient_": part[..., 0] ** 2,
    }  # fmt: skip
    wanted = {name: left * own.std(axis=1, ddof=1) / 20 for name, own in each.items()}
    square, over = part[..., 0] ** 2, np.exp(part[..., 1])
    a, b = square.mean(axis=1, keepdims=True), over.mean(axis=1, keepdims=True)
    moved = (square - a) / (2 * np.sqrt(a) * b) - np.sqrt(a) / b**2 * (over - b)
    wanted |= {"root_": left * moved.std(axis=1, ddof=1) / 20, "log_": wanted["mean_"] / values["mean_"]}
    for name, error in wanted.items():
        np.testing.assert_allclose(errors[name], error, rtol=1e-9, err_msg=name)
    assert not {"jump", "two"} & errors.keys() and "beside" in errors
    assert ("whole_" in errors) == (not train)
    truth = x[..., 0].mean(axis=1) if train else np.zeros(60)
    covered = np.abs(values["pair_"][:, 0] - truth) < 1.96 * errors["pair_"][:, 0]
    assert 52 <= covered.sum() <= 60
    again = compiled(text, replicates=60, xla=xla)
    again.restore(1, state)
    again.train(1)
    for name, error in again.evaluate_with_errors()[1].items():
        np.testing.assert_array_equal(error, errors[name])
