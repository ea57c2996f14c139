"""Values at other weights, beside NumPy: interpolated, perturbed and adapted networks, their gradients and second order."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program

from tests.interpreter.finite_differences import goes_down
from tests.interpreter.program.test_state import assert_goes_on

pytestmark = pytest.mark.usefixtures("traced_once")

XLA = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
X = [[1.0, 0.5], [-1.0, 0.25], [0.5, 1.0], [2.0, -1.0]]
POINTS = np.array(X)
LABELS = np.array([1.0, 0.0, -1.0, 0.5])


def forwards(weights: Any, x: Any) -> tuple[Any, Any]:
    """What `f` below gives, and its hidden units."""
    kernel, bias, out, last = weights[:6].reshape(2, 3), weights[6:9], weights[9:12], weights[12]
    hidden = np.tanh(x @ kernel + bias)
    return hidden @ out + last, hidden


def slope(weights: Any, x: Any, y: Any) -> Any:
    """The gradient of the mean of (f - y)² by hand, in the order of `f.weights`."""
    value, hidden = forwards(weights, x)
    up = 2 * (value - y) / len(y)
    back = np.outer(up, weights[9:12]) * (1 - hidden**2)
    return np.concatenate([(x.T @ back).ravel(), back.sum(0), hidden.T @ up, [up.sum()]])


STUDY = """
dtype: float64
constants: {X: [[1, 0.5], [-1, 0.25], [0.5, 1], [2, -1]], r: [1, 0, -1, 0.5], rho: 0.3}
task: {data: {enumerate: i}, example: {i: integer(4), x: "X[i]", y: "r[i]"}}
functions: {unit(v): v / norm(v)}
architecture:
  f: {input: x, layers: [dense: {units: 3, name: hidden, activation: tanh}, dense: {units: 1, name: head}]}
  g: {input: x, layers: [dense: {units: 3, name: hidden, activation: tanh}, dense: {units: 1, name: head}]}
outputs: {l: (f - y)^2}
"""

SAM = (
    STUDY
    + """
loss: {sam: "with_weights(l, f.weights, f.weights + rho * unit(stop(B(gradient(l, f.weights)))))"}
training: {optimizer: {sgd: {learning_rate: 0.1, weight_decay: 0.01}}, steps: 50}
measures: {w: f.weights, v: g.weights}
"""
)


@XLA
def test_sharpness_aware_minimisation_is_that_of_a_loop_in_numpy(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Foret et al. 2021: the gradient at w + ρ g/‖g‖, with the direction a constant. What no gradient reaches does not decay."""
    made = compiled(SAM, replicates=2, xla=xla)
    before = made.evaluate()
    weights = before["w"].copy()
    made.train(50)
    for _ in range(50):
        for w in weights:
            g = slope(w, POINTS, LABELS)
            w -= 0.1 * slope(w + 0.3 * g / np.linalg.norm(g), POINTS, LABELS) + 0.1 * 0.01 * w
    after = made.evaluate()
    assert np.abs(weights - before["w"]).max() > 0.1
    np.testing.assert_allclose(after["w"], weights, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(after["v"], before["v"])


BETWEEN = (
    STUDY
    + """
loss: {l: "(f - y)^2", m: "(g - y)^2 / 2"}
training: {optimizer: {sgd: 0.2}, phases: {a: {steps: 20}, b: {steps: 20}}}
functions: {unit(v): v / norm(v), path(t): "with_weights(l, f.weights, (1 - t) * f.weights + t * g.weights)"}
measures:
  f: f.weights
  g: g.weights
  middle: "E(with_weights(l, f.weights, (f.weights + g.weights) / 2))"
  along: "[E(path(k / 10)) for k < 11]"
  outside: "E([path(k / 10) for k < 11])"
  kernel: "with_weights(norm(f.weights), f.hidden.kernel, g.hidden.kernel)"
  layer: "E(with_weights(f(2 * x), f.hidden.weights, initial(g.hidden.weights)))"
  hidden: "E(sum(with_weights(f, f.weights, after(a, f.weights)).hidden))"
  then: "E(sum(after(a, f).hidden))"
  sharp: "E(with_weights(l, f.weights, f.weights + rho * unit(E(gradient(l, f.weights))))) - E(l)"
  there: "E(gradient(with_weights(l, f.weights, (f.weights + g.weights) / 2), g.weights))"
  each: "E(norm(gradient(with_weights(l, f.weights, 2 * f.weights), f.weights)))"
  inputs: "E(sum(gradient(with_weights(f, f.weights, g.weights), x)))"
  nested: "E(with_weights(with_weights(l, f.weights, 2 * f.weights), f.weights, g.weights))"
  earlier: "E(initial(with_weights(l, f.weights, (f.weights + g.weights) / 2)))"
"""
).replace("functions: {unit(v): v / norm(v)}\n", "", 1)


@XLA
def test_values_at_other_weights_are_those_of_numpy(compiled: Callable[..., Compiled], xla: bool) -> None:
    made = compiled(BETWEEN, replicates=2, xla=xla)
    start = made.evaluate()
    made.train(20)
    first = made.evaluate()["f"]
    made.train(20)
    found = made.evaluate()
    for row in range(2):
        f, g = found["f"][row], found["g"][row]

        def loss(weights: Any) -> Any:
            return np.mean((forwards(weights, POINTS)[0] - LABELS) ** 2)

        def close(name: str, wanted: Any, row: int = row) -> None:
            np.testing.assert_allclose(found[name][row], wanted, rtol=1e-10, atol=1e-12, err_msg=name)

        close("middle", loss((f + g) / 2))
        curve = [loss((1 - k / 10) * f + k / 10 * g) for k in range(11)]
        close("along", curve)
        close("outside", curve)
        close("kernel", np.linalg.norm(np.concatenate([g[:6], f[6:]])))
        close("layer", forwards(np.concatenate([start["g"][row][:9], f[9:]]), 2 * POINTS)[0].mean())
        close("hidden", forwards(first[row], POINTS)[1].sum(1).mean())
        close("then", found["hidden"][row])
        direction = slope(f, POINTS, LABELS)
        close("sharp", loss(f + 0.3 * direction / np.linalg.norm(direction)) - loss(f))
        close("there", slope((f + g) / 2, POINTS, LABELS) / 2)
        rows = [2 * slope(2 * f, POINTS[[k]], LABELS[[k]]) for k in range(4)]
        close("each", np.mean([np.linalg.norm(each) for each in rows]))
        hidden = forwards(g, POINTS)[1]
        close("inputs", ((1 - hidden**2) * g[9:12] @ g[:6].reshape(2, 3).T).sum(1).mean())
        close("nested", loss(2 * g))
        close("earlier", loss((start["f"][row] + start["g"][row]) / 2))


ADAPTED = """
dtype: float64
task: {draw: {v: "normal([2])"}, example: {x: "normal([2])", z: "normal([2])", y: "dot(v, x)", u: "dot(v, z)"}}
architecture: {f: {input: x, layers: [dense: {units: 3, name: hidden, activation: tanh}, dense: {units: 1, name: head}]}}
functions:
  adapted(w): "w - 0.2 * with_weights(B(gradient((f - y)^2, f.weights)), f.weights, w)"
  there(w): "with_weights((f(z) - u)^2, f.weights, w)"
loss: {meta: LOSS}
training: {optimizer: {sgd: 1}, batch: 6, steps: 1}
measures: {error: "E((f - y)^2)"}
"""
SECOND_ORDER = {
    "one step": "there(f.weights - 0.2 * B(gradient((f - y)^2, f.weights)))",
    "two steps": "there(adapted(adapted(f.weights)))",
    "a loop": "there(iterate(adapted, f.weights, 3))",
    "a long loop": "there(iterate(adapted, f.weights, 20))",
    "one layer": "with_weights((f(z) - u)^2, f.head.weights, f.head.weights - 0.2 * B(gradient((f - y)^2, f.head.weights)))",
    "sharpness": "with_weights((f - y)^2, f.weights, f.weights + 0.1 * B(gradient((f - y)^2, f.weights)))",
    "along an index": "sum([there((1 - k / 3) * f.weights + k * v[0]) for k < 3])",
    "products": "norm(with_weights(B(gradient((f - y)^2, f.weights)), f.weights, 2 * f.weights))",
    "by an input": "squared_norm(gradient(there(2 * f.weights), z))",
    "a direction": "directional(there(2 * f.weights - f.weights^2), z, v)",
}


@pytest.mark.parametrize(("loss", "xla"), list(zip(SECOND_ORDER, itertools.cycle((False, True)), strict=False)))
def test_gradients_through_other_weights_are_finite_differences(
    compiled: Callable[..., Compiled], loss: str, xla: bool
) -> None:
    """What MAML needs (Finn et al. 2017): the derivative of a loss after inner steps, with that of their gradients."""
    for name, change in goes_down(compiled(ADAPTED.replace("LOSS", f'"{SECOND_ORDER[loss]}"'), xla=xla), 2e-6):
        assert change > 1e-3, name


COURSE = """
dtype: float64
constants: {X: [[1, 0.5], [-1, 0.25], [0.5, 1], [2, -1]], r: [1, 0, -1, 0.5]}
task: {data: {enumerate: i}, draw: {v: "normal([13])"}, example: {i: integer(4), x: "X[i]", y: "r[i]"}}
architecture:
  f: {input: x, layers: [dense: {units: 3, name: hidden, activation: tanh}, dense: {units: 1, name: head}]}
  g: {input: x, layers: [dense: {units: 3, name: hidden, activation: tanh}, dense: {units: 1, name: head}]}
  s: {parameter: [], initializer: 0.25}
outputs: {l: (f - y)^2, far: "with_weights(l, f.weights, f.weights + s * v)"}
loss: {far: far, g: (g - y)^2}
gradient: {f.hidden: freeze}
training:
  optimizer: {sgd: {learning_rate: 0.1, momentum: 0.5}}
  phases:
    a: {steps: 5}
    b: {steps: 5, loss: {g: (g - y)^2, far: "far + 3 * with_weights(l, f.weights, (f.weights + after(a, g.weights)) / 2)"}}
    c: {steps: 5, gradient: {f.hidden: exact}, updates: {one: {networks: [f], loss: [far]}, two: {networks: [s, g], loss: [far, g]}}}
measures:
  f: f.weights
  g: g.weights
  s: s
  v: v
  norm: {gradient_norm: {of: "with_weights(l, f.weights, 2 * f.weights)", weights: f.weights, on: train}}
  trace: {hessian_eigenvalues: {of: "with_weights(l, f.weights, (f.weights + g.weights) / 2)", weights: g.weights, largest: 13, on: train}}
replicates: 2
"""


@XLA
def test_phases_updates_and_frozen_layers_meet_what_stands_for_their_weights(
    compiled: Callable[..., Compiled], xla: bool
) -> None:
    """A layer that is frozen passes no gradient on to what stands for its weights; the scale of a perturbation is learnt through the others."""
    made = compiled(COURSE, replicates=2, xla=xla)
    start = made.evaluate()
    f, g, s, v = (start[name].copy() for name in "fgsv")
    free, kept = np.arange(13) >= 9, g
    now, velocity = {"f": f, "g": g, "s": s}, {name: np.zeros_like(start[name]) for name in "fgs"}

    def move(name: str, row: int, gradient: Any) -> None:
        velocity[name][row] = 0.5 * velocity[name][row] - 0.1 * gradient
        now[name][row] += velocity[name][row]

    def far(row: int) -> Any:
        return slope(f[row] + s[row] * v[row], POINTS, LABELS)

    for step in range(15):
        kept = g.copy() if step <= 5 else kept
        if step == 10:  # updates have optimisers of their own
            velocity = {name: np.zeros_like(start[name]) for name in "fgs"}
        for row in range(2):
            own, seen = slope(g[row], POINTS, LABELS), far(row) * (free if step < 10 else 1)
            middle = slope((f[row] + kept[row]) / 2, POINTS, LABELS) * free if 5 <= step < 10 else 0
            move("f", row, seen + 1.5 * middle)
            move("s", row, (seen if step < 10 else far(row)) @ v[row])
            move("g", row, own)
    made.train(15)
    found = made.evaluate()
    for name, value in now.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    for row in range(2):
        middle, small = (f[row] + g[row]) / 2, 1e-5
        sides = [[slope(middle + sign * small * one, POINTS, LABELS) for one in np.eye(13)] for sign in (1, -1)]
        matrix = (np.array(sides[0]) - np.array(sides[1])) / (2 * small) / 4
        np.testing.assert_allclose(found["norm"][row], 2 * np.linalg.norm(slope(2 * f[row], POINTS, LABELS)), rtol=1e-9)
        np.testing.assert_allclose(found["trace"][row], np.linalg.eigvalsh(matrix)[::-1], rtol=1e-4, atol=1e-7)


@XLA
def test_training_goes_on_to_the_bit(program: Callable[[str], Program], xla: bool) -> None:
    body = COURSE.replace("dtype: float64", "weights: bfloat16").replace("steps: 5", "steps: 4")
    assert_goes_on(program(body), xla)
