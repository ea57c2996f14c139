"""Constraints by functions: the weights after each update are what NumPy makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.passes.cost import cost

pytestmark = pytest.mark.usefixtures("traced_once")
Array = np.ndarray[Any, Any]
WGAN = """
dtype: float64
functions: {box(w): "clip(w, -bound, bound)"}
constants: {bound: 0.05}
task:
  data: {train: 8, test: 8}
  example: {x: "normal([2]) + [1, 2]", z: "normal([2])"}
architecture:
  g: {parameter: [2], initializer: 0}
  D:
    input: x
    layers:
      - dense: {units: 3, activation: tanh, kernel_constraint: box, bias_constraint: box}
      - dense: {units: 1, use_bias: false, kernel_constraint: box}
outputs: {fake: "D(z + g)"}
loss: {critic: fake - D, fool: -fake}
training:
  optimizer: {sgd: {learning_rate: 0.2}}
  batch: 8
  steps: 100
  updates: {D: {networks: [D], loss: [critic], times: 2}, G: {networks: [g], loss: [fool]}}
measures: {k: D.dense_1.kernel, b: D.dense_1.bias, v: D.dense_2.kernel, w: g}
"""


def examples(compiled: Compiled, name: str) -> Array:
    """The values of an example's name in a finite set: [R, N, …]."""
    return np.asarray(compiled.train_inputs.dataset[name])


@pytest.mark.parametrize("xla", [False, True])
def test_clipped_weights_of_a_critic_are_those_of_a_loop_in_numpy(compiled: Callable[..., Compiled], xla: bool) -> None:
    made = compiled(WGAN, 2, xla)
    start = made.evaluate()
    assert all(np.abs(start[name]).max() <= 0.05 for name in "kbv")
    assert np.abs(start["k"]).max() == 0.05
    made.train(100)
    found = made.evaluate()
    for row in range(2):
        x, z = examples(made, "x")[row], examples(made, "z")[row]
        k, b, v, w = (start[name][row].copy() for name in "kbvw")
        for _ in range(100):
            for _ in range(2):
                real, fake = np.tanh(x @ k + b), np.tanh((z + w) @ k + b)
                up_real, up_fake = -(1 - real**2) * v[:, 0] / 8, (1 - fake**2) * v[:, 0] / 8
                gradients = (
                    x.T @ up_real + (z + w).T @ up_fake,
                    (up_real + up_fake).sum(0),
                    (fake - real).mean(0)[:, None],
                )
                k, b, v = (np.clip(a - 0.2 * g, -0.05, 0.05) for a, g in zip((k, b, v), gradients, strict=True))
            fake = np.tanh((z + w) @ k + b)
            w = w + 0.2 * (((1 - fake**2) * v[:, 0]) @ k.T).mean(0)
        for name, value in {"k": k, "b": b, "v": v, "w": w}.items():
            np.testing.assert_allclose(found[name][row], value, rtol=1e-10, atol=1e-13)


LINEAR = """
dtype: float64
constants: {c: 0.25}
functions: FUNCTIONS
task:
  draw: {mask: "bernoulli(0.5, [3, 2])"}
  example: {x: "0 * normal([3]) + [1, -2, 3]"}
architecture: {f: {input: x, layers: [dense: {units: 2, use_bias: false, kernel_constraint: CONSTRAINT}]}}
loss: {l: "sum((f - [1, 2])^2) / 2"}
training: {optimizer: {sgd: {learning_rate: 0.03MORE}}, batch: 2, TIME}
measures: {w: f.dense_1.kernel, m: 1.0 * mask}
"""
X = np.array([1.0, -2.0, 3.0])


def linear(functions: str, constraint: str, time: str = "steps: 5", more: str = "") -> str:
    text = LINEAR.replace("FUNCTIONS", functions).replace("CONSTRAINT", constraint)
    return text.replace("TIME", time).replace("MORE", more)


def stepped(w: Array) -> Array:
    """A step of gradient descent."""
    return w - 0.03 * np.outer(X, X @ w - [1, 2])


CASES: dict[str, tuple[str, Callable[[Array, Array, int], Array]]] = {
    "masks": ("{keep(w): w * mask}", lambda w, mask, step: w * mask),
    "a sphere": (
        '{keep(w): "w / sqrt(sum(w^2, axis=0))"}', lambda w, mask, step: w / np.sqrt((w**2).sum(0)),
    ),
    "rounding": ("{keep(w): round(w / c) * c}", lambda w, mask, step: np.round(w / 0.25) * 0.25),
    "shrinking boxes": (
        '{keep(w): "clip(w, -1 / (step + 1), 1 / (step + 1))"}',
        lambda w, mask, step: np.clip(w, -1 / (step + 1), 1 / (step + 1)),
    ),
    "another function within": (
        "{half(w): w / 2, keep(w): half(half(w)) + half(w)}", lambda w, mask, step: 0.75 * w,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "xla"), [*((what, False) for what in CASES), ("a sphere", True), ("shrinking boxes", True)]
)
def test_weights_keep_to_functions_from_the_start_on(compiled: Callable[..., Compiled], what: str, xla: bool) -> None:
    functions, oracle = CASES[what]
    made, free = compiled(linear(functions, "keep"), 2, xla), compiled(linear("{}", "null"), 2, xla)
    found, masks = free.evaluate()["w"], free.evaluate()["m"]
    for step in range(5):
        expected = np.stack([oracle(w, m, max(step - 1, 0)) for w, m in zip(found, masks, strict=True)])
        np.testing.assert_allclose(made.evaluate()["w"], expected, rtol=1e-12)
        found = np.stack([stepped(w) for w in expected])
        made.train(1)


@pytest.mark.parametrize("xla", [False, True])
def test_counters_in_a_constraint_are_those_of_the_update(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Beginning anew is of the pass that begins."""
    text = linear(
        '{keep(w): "0 * w + 100 * phase + 10 * phase_step + step"}', "keep",
        "phases: {a: {steps: 2}, b: {steps: 2, restart: [f]}}",
    )  # fmt: skip
    made, seen = compiled(text, xla=xla), []
    for _ in range(5):
        seen.append(float(made.evaluate()["w"][0, 0, 0]))
        made.train(1)
    assert seen == [0, 0, 11, 102, 113]
    made.begin(made.batch, [0])
    made.train(2)
    weight = made.networks["f"].weights["dense_1", "kernel"]
    made.borders.cross(2, made._begin_anew, made._keep)
    np.testing.assert_array_equal(weight.numpy(), np.full((1, 3, 2), 102.0))


def test_moving_averages_keep_to_functions(compiled: Callable[..., Compiled]) -> None:
    text = linear('{keep(w): "maximum(w, -0.5)"}', "keep", more=", use_ema: true, ema_momentum: 0.5")
    made = compiled(text)
    w = made.evaluate()["w"][0]
    average = w
    for step in range(4):
        moved = stepped(w)
        average = moved if step == 0 else 0.5 * average + 0.5 * moved
        w = np.maximum(moved, -0.5)
        made.train(1)
        np.testing.assert_allclose(made.evaluate()["w"][0], np.maximum(average, -0.5), rtol=1e-12)


def test_frozen_weights_are_left_as_they_start(compiled: Callable[..., Compiled]) -> None:
    text = linear("{keep(w): 0 * w}", "keep") + "gradient: {f: freeze}\n"
    text = text.replace("architecture: {", "architecture: {p: {parameter: [], initializer: 2, constraint: keep}, ")
    made, free = compiled(text.replace('/ 2"}', '/ 2 + p"}')), compiled(linear("{}", "null"))
    made.train(2)
    np.testing.assert_array_equal(made.evaluate()["w"], free.evaluate()["w"])
    np.testing.assert_array_equal(made.networks["p"].weights["parameter", "value"].numpy(), [0])


def test_layers_of_several_kernels_keep_each_to_the_function(compiled: Callable[..., Compiled]) -> None:
    """An attention has four kernels, of two shapes."""
    made = compiled("""
functions: {unit(w): w / sqrt(sum(w^2))}
task: {example: {x: "normal([3, 4])"}}
architecture: {f: {input: x, layers: [multi_head_attention: {num_heads: 2, kernel_constraint: unit}]}}
loss: {l: sum(f^2)}
training: {optimizer: {adam: 0.1}, batch: 4, steps: 3}
measures: {m: E(sum(f))}
""")
    made.train(3)
    weights = made.networks["f"].weights
    norms = {name: float((v.numpy() ** 2).sum()) for (_, name), v in weights.items() if name.endswith("kernel")}
    assert len(norms) == 4
    np.testing.assert_allclose(list(norms.values()), 1, rtol=1e-5)


def test_work_of_a_constraint_is_counted(program: Callable[[str], Any]) -> None:
    plain, more = (cost(program(linear("{keep(w): 2 * w + 1}", name))).step for name in ("null", "keep"))
    assert more - plain == 2 * 6
