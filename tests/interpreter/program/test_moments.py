"""Values at the weights of another time, beside the weights as they were then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

STUDY = """
task: {example: {x: "normal([2])", y: "x[0] - 2 * x[1]"}}
architecture: {f: {input: x, layers: [dense: {units: 1, name: head}]}}
outputs: {teacher: initial(f)}
loss: {l: (f - y)^2}
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  batch: 8
  phases:
    a: {steps: 2}
    b: {steps: 1, times: 2, loss: {l: (f - y)^2, stay: "3 * sum((f.weights - after(a, f.weights))^2)"}}
measures:
  now: f.head.kernel
  start: initial(f.head.kernel)
  ended: after(a, f.head.kernel)
  first: after(b[0], f.head.kernel)
  last: after(b, f.head.kernel)
  shift: E(f - teacher)
  mean: "E(initial(f(2 * x)))"
  moved: E((after(a, f) - f)^2)
"""


def kernel(compiled: Compiled) -> Any:
    return compiled.networks["f"].weights["head", "kernel"].numpy()


@pytest.mark.parametrize("xla", [False, True])
def test_weights_of_other_times_are_those_of_then(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Missing until their phase has ended, which a border's own evaluation comes before; a restored state has them, too."""
    made = compiled(STUDY, replicates=2, xla=xla)
    kernels, found = [kernel(made)], [made.evaluate()]
    for _ in range(4):
        made.train(1)
        kernels.append(kernel(made))
        found.append(made.evaluate())
    for step, values in enumerate(found):
        np.testing.assert_array_equal(values["now"], kernels[step].astype(np.float64))
        np.testing.assert_array_equal(values["start"], kernels[0].astype(np.float64))
        for name, at, ended in (("ended", 2, step > 2), ("first", 3, step > 3), ("last", 3, step > 3)):
            wanted = kernels[at].astype(np.float64) if ended else np.full_like(kernels[0], np.nan)
            np.testing.assert_array_equal(values[name], wanted)
        assert bool(np.isnan(values["moved"]).all()) == (step <= 2)
    np.testing.assert_array_equal(found[0]["shift"], 0)
    assert (found[4]["shift"] != 0).all()
    np.testing.assert_array_equal(found[0]["mean"], found[4]["mean"])
    saved = made.saved()
    again = compiled(STUDY, replicates=2, xla=xla)
    again.restore(4, saved)
    np.testing.assert_array_equal(again.evaluate()["ended"], found[4]["ended"])


def test_an_anchor_pulls_as_its_closed_form(compiled: Callable[..., Compiled]) -> None:
    """The gradient of 3 |w - a|² is 6 (w - a), with a a constant: it is 0 at the first update after the border, and felt at the second."""
    with_anchor, without = compiled(STUDY), compiled(STUDY.replace("3 * sum", "0 * sum"))
    for made in (with_anchor, without):
        made.train(3)
    np.testing.assert_array_equal(kernel(with_anchor), kernel(without))
    start = with_anchor.evaluate()["ended"]
    apart = kernel(with_anchor) - start
    for made in (with_anchor, without):
        made.train(1)
    np.testing.assert_allclose(kernel(with_anchor) - kernel(without), -0.1 * 6 * apart, rtol=1e-4)


AVERAGED = """
task: {example: {x: "normal([2])", y: "x[0]"}}
architecture: {f: {input: x, layers: [dense: {units: 1, name: head}]}}
loss: {l: (f - y)^2}
training: {optimizer: {sgd: {learning_rate: 0.1, use_ema: true, ema_momentum: 0.5}}, batch: 8, steps: 3}
measures: {bare: f.head.kernel, mean: average(f.head.kernel), now: current(f.head.kernel)}
"""


def test_averages_and_trained_weights_can_be_told_apart(compiled: Callable[..., Compiled]) -> None:
    """A bare network in a measure is the average: half of what it was and half of the new weights, after the first."""
    made = compiled(AVERAGED)
    kernels = []
    for _ in range(3):
        made.train(1)
        kernels.append(kernel(made).astype(np.float64))
    found = made.evaluate()
    np.testing.assert_array_equal(found["now"], kernels[2])
    np.testing.assert_array_equal(found["mean"], found["bare"])
    np.testing.assert_allclose(found["mean"], kernels[0] / 4 + kernels[1] / 4 + kernels[2] / 2, rtol=1e-6)


TARGET_NETWORK = """
dtype: float64
constants: {X: [[1, 0.5], [-1, 0.25], [0.5, 1], [2, -1]], r: [1, 0, -1, 0.5], discount: 0.9}
task: {data: {enumerate: i}, example: {i: integer(4), x: "X[i]", next: "X[(i + 1) % 4]"}}
architecture: {w: {parameter: [2], initializer: 0.5}}
outputs: {held: "after(q, dot(w, next)) if pass > 0 else initial(dot(w, next))"}
loss:
  td: "(dot(w, x) - r[i] - discount * held)^2 / 2"
  stay: "0.1 * norm(w - after(q, w)) if pass > 0 and i >= 0 else 0"
training: {optimizer: {sgd: 0.2}, phases: {q: {steps: 4, times: 3}}}
measures: {w: w}
"""


@pytest.mark.parametrize("xla", [False, True])
def test_a_phase_may_ask_for_the_end_of_its_own_pass_before(compiled: Callable[..., Compiled], xla: bool) -> None:
    """A target network (Mnih et al. 2015): what is missing in the first pass, weights of NaN, reaches neither value nor gradient of the other branch."""
    made = compiled(TARGET_NETWORK, xla=xla)
    x = np.array([[1, 0.5], [-1, 0.25], [0.5, 1], [2, -1]])
    r, w = np.array([1, 0, -1, 0.5]), np.full(2, 0.5)
    for turn in range(3):
        held = w.copy()
        for _ in range(4):
            errors = x @ w - r - 0.9 * np.roll(x, -1, axis=0) @ held
            apart = w - held
            away = apart / np.linalg.norm(apart) if turn and apart.any() else np.zeros(2)
            w = w - 0.2 * (errors @ x / 4 + 0.1 * away)
            made.train(1)
            np.testing.assert_allclose(made.evaluate()["w"], [w], rtol=1e-12)
            if made.step == 6:
                saved = made.saved()
    again = compiled(TARGET_NETWORK, xla=xla)
    again.restore(6, saved)
    again.train(6)
    np.testing.assert_array_equal(again.evaluate()["w"], made.evaluate()["w"])
