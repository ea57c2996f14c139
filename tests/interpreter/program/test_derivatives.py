"""Jacobians, products with vectors, and gradients by weights in losses: beside closed forms, and trained beside finite differences in float64."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from dlspec import spec
from dlspec.interpreter.lower import Training
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.seeds import noise_path
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.jacobians import MAX_PASSES
from dlspec.spec.passes.merge_cells import merge_cells

from tests.interpreter.conftest import HEAD
from tests.interpreter.finite_differences import goes_down

pytestmark = pytest.mark.usefixtures("traced_once")
XLA = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])

CLOSED = """
dtype: float64
functions: {jump(v): "1.0 if v > 0 else 0.0", soft(v): "sigmoid(3 * v)", turned(a): "jacobian(a * x, x)", unit(v): "(v - mean(v)) / sqrt(mean((v - mean(v))^2) + 0.001)"}
gradient: {jump: {surrogate: "soft(v)"}}
task:
  draw: {W: "normal([12, 3])", d: "normal([3])"}
  example: {x: "normal([3])", e: "normal([3])", y: "x[0]^3", k: "2 * x"}
architecture:
  f: {input: x, layers: [dense: {units: 4, activation: tanh, name: a}, dense: {units: 3, name: b}]}
  g: {input: k, layers: [dense: {units: 2, name: a}]}
  n: {input: x, layers: [layer_normalization]}
  q: {input: x, layers: [group_normalization: 1]}
outputs: {big: "sin(matmul(W, x))", s: "sum(f^2)", mid: "x * x", far: "[mid[0] * mid[1], mid[2] * f[0]]", steep: "jacobian(big, x)"}
measures:
  few: "E(max(abs(jacobian(x * x, x) - [2 * x[i] if i == j else 0.0 for i < 3, j < 3])))"
  many: "E(max(abs(jacobian(big, x) - [cos(dot(W[i], x)) * W[i, j] for i < 12, j < 3])))"
  output: "E(max(abs(steep - jacobian(big, x))))"
  matrix: "E(max(abs(jacobian(outer(x, x), x) - [(x[j] if i == k else 0.0) + (x[i] if j == k else 0.0) for i < 3, j < 3, k < 3])))"
  number: "E(max(abs(jacobian(s, x) - gradient(s, x))))"
  held: "E(max(abs(jacobian(y * x, x) - [y if i == j else 0.0 for i < 3, j < 3])))"
  by_output: "E(max(abs(jacobian(far, mid) - [[mid[1], mid[0], 0.0], [0.0, 0.0, f[0]]])))"
  moded: "E(max(abs(jacobian([jump(x[i]) for i < 3], x) - [3 * soft(x[i]) * (1 - soft(x[i])) if i == j else 0.0 for i < 3, j < 3])))"
  within: "E(max(abs(turned(y) - [y if i == j else 0.0 for i < 3, j < 3])))"
  linear: "max(abs(E(jacobian(g(x), x)) - transpose(g.a.kernel)))"
  nested: "E(max(abs(jacobian(jacobian(big, x), x) - [-sin(dot(W[i], x)) * W[i, j] * W[i, k] for i < 12, j < 3, k < 3])))"
  along: "E(max(abs(directional(big, x, e) - matmul(jacobian(big, x), e))))"
  along_draw: "E(max(abs(directional(f, x, d) - matmul(jacobian(f, x), d))))"
  of_number: "E(abs(directional(s, x, e) - dot(gradient(s, x), e)))"
  surrogate: "E(max(abs(directional([jump(x[i]) for i < 3], x, e) - [3 * soft(x[i]) * (1 - soft(x[i])) * e[i] for i < 3])))"
  second: "E(max(abs(directional(directional(big, x, e), x, d) - [-sin(dot(W[i], x)) * dot(W[i], d) * dot(W[i], e) for i < 12])))"
  hessian: "E(max(abs(hessian_vector(sum(big), x, e) - [sum([-sin(dot(W[i], x)) * W[i, j] * dot(W[i], e) for i < 12]) for j < 3])))"
  of_network: "E(max(abs(hessian_vector(s, x, e) - matmul(jacobian(gradient(s, x), x), e))))"
  held_direction: "E(max(abs(hessian_vector(sum(x^3), x, x) - 6 * x^2)))"
  kernel: "max(abs(E(jacobian(f, f.b.kernel)[1]) - E(gradient(f[1], f.b.kernel))))"
  weights: "E(abs(directional(s, f.weights, f.weights) - dot(gradient(s, f.weights), f.weights)))"
  layer: "E(max(abs(directional(f, f.b.weights, f.b.weights) - f)))"
  kernel_hessian: "E(max(abs(hessian_vector(s, f.b.bias, d) - 2 * d)))"
  normalized: "E(max(abs(hessian_vector(dot(W[0], n), x, e) - hessian_vector(dot(W[0], unit(x)), x, e))))"
  of_groups: "E(max(abs(hessian_vector(dot(W[0], q), x, e) - hessian_vector(dot(W[0], unit(x)), x, e))))"
  by_layer: "E(max(abs(gradient(s, f.a) - matmul(f.b.kernel, 2 * f))))"
  by_last_layer: "E(max(abs(gradient(s, f.b) - 2 * f)))"
  layer_matrix: "E(max(abs(jacobian(f, f.a) - transpose(f.b.kernel))))"
  wide_layer_matrix: "E(max(abs(jacobian(matmul(W, f), f.a) - matmul(W, transpose(f.b.kernel)))))"
  of_layers: "E(max(abs(gradient(sum(f.a^3) + s, f.a) - 3 * f.a^2 - matmul(f.b.kernel, 2 * f))))"
  along_layer: "E(max(abs(directional(f, f.a, f.a) - matmul(transpose(f.b.kernel), f.a))))"
  layer_hessian: "E(max(abs(hessian_vector(s, f.a, f.a) - 2 * matmul(f.b.kernel, matmul(transpose(f.b.kernel), f.a)))))"
  layer_and_weights: "E(max(abs(gradient(sum(gradient(s, f.a)), f.b.bias) - 2 * [sum(f.b.kernel[:, i]) for i < 3])))"
  held_elsewhere: "E(max(abs(gradient(s + sum(f(e)^2) + sum(x), f.a) - gradient(s, f.a))))"
  spread: "E(max(abs(hessian_vector(variance(x)^2 + std(x), x, e) - hessian_vector(mean((x - mean(x))^2)^2 + sqrt(mean((x - mean(x))^2)), x, e))))"
"""


@XLA
def test_derivatives_are_their_closed_forms(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Other names of the example are held, outputs are followed, modes make the backward pass, directions are constants."""
    found = compiled(CLOSED, replicates=2, xla=xla).evaluate()
    for name, value in found.items():
        np.testing.assert_allclose(value, 0, atol=1e-12, err_msg=name)
    assert MAX_PASSES == 8  # so that some of these are written out, and some are not


LOSS = """
dtype: float64
task: {{data: {{train: 6, test: 5}}, example: {{x: "normal([3])", e: "normal([3])", y: "normal()"}}}}
architecture: {{{networks}}}
outputs: {{{outputs}}}
loss: {{{losses}}}
training: {{optimizer: {{sgd: 1}}, batch: 6, steps: 1}}
measures: {{m: E(y)}}
"""
F = '{input: x, layers: [dense: {units: 4, activation: tanh, name: a, bias_initializer: "normal(0, 1)"}, dense: {units: 1, name: b}]}'
H = "{input: x, layers: [dense: {units: 12, activation: tanh, name: a}]}"
LOSSES = {
    "a Jacobian of a few entries": "sum(jacobian([f, f^2], x)^2)",
    "a Jacobian of many entries": "sum(jacobian(h, x)^2)",
    "along a direction": "squared_norm(directional(h, x, e))",
    "a Hessian and a vector": "squared_norm(hessian_vector(s, x, e)) + f",
    "each example's gradient by weights": "squared_norm(gradient(l, f.weights))",
    "each example's gradient by a kernel": "f^2 + norm(gradient(l, f.a.kernel)[0])",
    "the gradient of the batch": "l + 0.5 * squared_norm(B(gradient(l, f.weights)))",
    "the gradient of the batch by a bias": "norm(B(gradient(l, f.a.bias)))",
    "centred in the batch": "l * (f - B(f))^2",
    "a gradient by a layer's output": "l + squared_norm(gradient(l, f.a)) + squared_norm(gradient(s^2, h.a))",
    "a Hessian by weights": "squared_norm(B(hessian_vector(l, f.b.weights, ones([5]))))",
}


@XLA
def test_an_update_goes_down_the_losses_as_finite_differences_say(compiled: Callable[..., Compiled], xla: bool) -> None:
    """An update of rate 1 is minus the gradient. Each loss has networks of its own, `f3` and `h3`, and is one term of the whole."""
    networks, outputs, losses = {}, [], []
    for place, text in list(enumerate(LOSSES.values()))[0 if xla else 1 :: 2]:
        own = re.sub(r"\b([fhls])\b", rf"\g<1>{place}", text)
        networks[f"f{place}"] = F
        outputs.append(f"l{place}: (f{place} - y)^2")
        if re.search(r"\b[hs]\b", text):
            networks[f"h{place}"] = H
            outputs.append(f's{place}: "sum(h{place}^2)"')
        losses.append(f'c{place}: "{own}"')
    named = ", ".join(f"{name}: {layers}" for name, layers in networks.items())
    made = compiled(LOSS.format(networks=named, outputs=", ".join(outputs), losses=", ".join(losses)), xla=xla)
    moved = {int(name[1:]) for name, change in goes_down(made, rtol=2e-5) if change > 1e-3}
    assert moved == set(range(0 if xla else 1, len(LOSSES), 2))


PENALTY = """
dtype: float64
task: {data: {train: 6, test: 5}, example: {x: "normal([3])", y: "normal()"}}
architecture: {f: {input: x, layers: [dense: {units: 1, use_bias: false, name: a}]}}
loss: {l: (f - y)^2, flat: {of: "squared_norm(B(gradient((f - y)^2, f.weights)))", weight: 0.3}}
training: {optimizer: {sgd: 0.05}, batch: 6, steps: 20}
measures: {w: f.weights}
"""


@XLA
def test_a_penalty_on_the_gradient_of_the_batch_is_that_of_numpy(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Implicit gradient regularisation written out, of a line: the gradient of |∇L|² is 2 H ∇L."""
    made = compiled(PENALTY, xla=xla)
    x, y = made.train_inputs.dataset["x"].numpy()[0], made.train_inputs.dataset["y"].numpy()[0]
    w = made.evaluate()["w"][0]
    for _ in range(20):
        gradient = 2 * x.T @ (x @ w - y) / 6
        w = w - 0.05 * (gradient + 0.3 * 2 * (2 * x.T @ x / 6) @ gradient)
    made.train(20)
    np.testing.assert_allclose(made.evaluate()["w"][0], w, rtol=1e-9)


SIDE_BY_SIDE = """
dtype: float64
constants: {c: 0.5}
sweep: {c: [0.5, 1.5]}
task: {example: {x: "normal([3])", e: "normal([3])", y: "normal()"}}
architecture: {f: {input: c * x, layers: [dense: {units: 4, activation: tanh, name: hid}, dense: 1]}}
loss: {l: "(f - c * y)^2 + squared_norm(gradient(c * f, f.weights)) + squared_norm(B(gradient((f - y)^2, f.weights))) + sum(jacobian(f * x, x)^2)"}
training: {optimizer: {sgd: 0.01}, batch: 6, steps: 3}
measures:
  w: f.weights
  j: "E(jacobian(outer(x, x) * f, x))"
  d: "E(directional(f, f.weights, f.weights))"
  h: "E(jacobian(c * outer(x, x) * f, f.hid))"
"""


@XLA
def test_cells_side_by_side_have_the_numbers_of_each_alone(xla: bool) -> None:
    text = HEAD + "".join(f"    {line}\n" for line in SIDE_BY_SIDE.strip("\n").splitlines())
    cells = spec.resolve(spec.parse(Source("test.yaml", text))).experiments[0].programs
    batch = merge_cells(cells)
    assert batch is not None
    both = Compiled(batch, range(2), xla)
    both.train(3)
    found = both.evaluate()
    for place, cell in enumerate(cells):
        alone = Compiled(cell, range(2), xla)
        alone.train(3)
        for name, value in alone.evaluate().items():
            np.testing.assert_allclose(
                found[name][2 * place : 2 * place + 2], value, rtol=1e-9, atol=1e-12, err_msg=name
            )


def test_what_drops_out_is_the_same_for_all_entries_of_a_jacobian(compiled: Callable[..., Compiled]) -> None:
    """Each column is that of a kept input, twice as large, or 0 throughout."""
    made = compiled(
        """
        dtype: float64
        task: {example: {x: "normal([12])"}}
        architecture: {f: {input: x, layers: [dropout: 0.5, dense: {units: 12, use_bias: false, name: a}]}}
        loss: {l: "sum(jacobian(f, x)^2)"}
        training: {optimizer: {sgd: 0}, batch: 6, steps: 1}
        measures: {m: "E(sum(f))"}
        """.replace("\n        ", "\n")
    )
    step, inputs = made.train_step, made.train_inputs
    kernel = made.networks["f"].weights["a", "kernel"].numpy()[0]
    places = tf.range(6, dtype=tf.int64)
    training = Training(lambda network, layer: inputs.keys[made.context.samples[noise_path(network, layer)]], places)
    lowering = made.context.lowering(
        inputs.keys, step.batch_indices(inputs.order, 0), 6, inputs.draws, step=0, update=0, training=training
    )
    (losses,) = made.context.losses(lowering, step.phase.loss)
    by_column = 4 * (kernel**2).sum(axis=1)
    sums = {round(float(by_column[[i for i in range(12) if chosen >> i & 1]].sum()), 9) for chosen in range(2**12)}
    assert all(round(float(loss), 9) in sums for loss in losses.numpy()[0])


ORACLE = """
dtype: float64
task: {draw: {p: "normal([3])", d: "normal([3])", u: "normal([21])"}, example: {x: "1.0 * p"}}
architecture: {f: {input: x, layers: [dense: {units: 4, activation: tanh, name: a, bias_initializer: "normal(0, 1)"}, dense: {units: 1, name: b}]}}
outputs: {l: "f^3 + sin(f)"}
measures:
  at: 1.0 * p
  along: 1.0 * d
  across: 1.0 * u
  value: E(l)
  slope: "E(gradient(l, x))"
  turned: "E(hessian_vector(l, x, d))"
  by_weights: "E(gradient(l, f.weights))"
  turned_weights: "E(hessian_vector(l, f.weights, u))"
"""


@XLA
def test_gradients_and_products_with_a_hessian_are_finite_differences(
    compiled: Callable[..., Compiled], xla: bool
) -> None:
    """By the input, of the network written out in NumPy; by the weights, of the value and the gradient at weights beside them."""
    made = compiled(ORACLE, replicates=2, xla=xla)
    found, h = made.evaluate(), 1e-5
    weights = [variable for _, variable in made.networks["f"].weights.items()]
    start = [variable.numpy() for variable in weights]

    def value(row: int, x: np.ndarray) -> float:
        first, bias, last, shift = (array[row] for array in start)
        f = float((np.tanh(x @ first + bias) @ last + shift)[0])
        return f**3 + float(np.sin(f))

    def slope(row: int, x: np.ndarray) -> np.ndarray:
        return np.array([(value(row, x + h * e) - value(row, x - h * e)) / (2 * h) for e in np.eye(3)])

    for row in range(2):
        p, d = found["at"][row], found["along"][row]
        np.testing.assert_allclose(found["value"][row], value(row, p), rtol=1e-12)
        np.testing.assert_allclose(found["slope"][row], slope(row, p), rtol=1e-7, atol=1e-8)
        second = [
            (slope(row, p + 1e-3 * d * sign) - slope(row, p - 1e-3 * d * sign)) / (2e-3 * sign) for sign in (1, 2)
        ]
        np.testing.assert_allclose(found["turned"][row], (4 * second[0] - second[1]) / 3, rtol=1e-5, atol=1e-6)

    def moved(direction: np.ndarray) -> dict[str, np.ndarray]:
        places = np.cumsum([0, *(array[0].size for array in start)])
        for variable, array, first, last in zip(weights, start, places[:-1], places[1:], strict=True):
            variable.assign(array + direction[:, first:last].reshape(array.shape))
        return made.evaluate()

    u = found["across"]
    above, below = moved(h * u), moved(-h * u)
    along = (found["by_weights"] * u).sum(axis=1)
    np.testing.assert_allclose(along, (above["value"] - below["value"]) / (2 * h), rtol=1e-7, atol=1e-8)
    turned = (above["by_weights"] - below["by_weights"]) / (2 * h)
    np.testing.assert_allclose(found["turned_weights"], turned, rtol=1e-6, atol=1e-7)
