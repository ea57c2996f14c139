"""What derivatives that are values cost in a plan, beside what TensorFlow's profiler counts in a step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost

BODY = """
functions:
  slope(u): "gradient(f(u), u)"
  up(u): "u + 0.1 * gradient(f(u)^2, u)"
  bent(u): "hessian_vector(sum(h(u)^2), u, e)"
task: {{example: {{x: "normal([48])", z: "normal([16])", e: "normal([48])", mix: uniform()}}}}
architecture:
  f:
    input: x
    layers:
      - dense: {{units: 64, activation: tanh, name: a}}
      - dense: {{units: 48, activation: tanh, name: b}}
      - dense: {{units: 32, activation: tanh}}
      - dense: 1
  h: {{input: x, layers: [dense: {{units: 64, activation: tanh}}, dense: {{units: {wide}, activation: tanh}}]}}
  g: {{input: z, layers: [dense: {{units: 64, activation: tanh}}, dense: 48]}}
outputs: {{between: mix * x + (1 - mix) * g, s: "sum(h^2)"}}
loss: {{l: "{loss} + 0 * (x[0] + z[0] + e[0] + mix)"}}
training: {{optimizer: {{sgd: 0.1}}, batch: 16, steps: 1{more}}}
measures: {{m: E(f)}}
"""
CASES = {
    "a gradient by a name": ("f + squared_norm(gradient(f, x))", 8, ""),
    "a gradient penalty between two": ("(norm(gradient(f(between), between)) - 1)^2", 8, ""),
    "nested gradients": ("squared_norm(gradient(squared_norm(gradient(f, x)), x))", 8, ""),
    "a Jacobian of a few entries": ("sum(jacobian(h, x)^2)", 6, ""),
    "a Jacobian of many entries": ("sum(jacobian(h, x)^2)", 24, ""),
    "along a direction": ("directional(f, x, e)^2", 8, ""),
    "an array along a direction": ("squared_norm(directional(h, x, e))", 24, ""),
    "a Hessian and a vector": ("squared_norm(hessian_vector(s, x, e))", 24, ""),
    "a gradient of each example by weights": ("squared_norm(gradient(f^2, f.b.kernel))", 8, ""),
    "a layer on another input": ("f^2 + squared_norm(f(2 * x).b)", 8, ""),
    "a gradient by a layer's output": ("f + squared_norm(gradient(f^2, f.a))", 8, ""),
    "a Hessian and a vector by a layer's output": ("squared_norm(hessian_vector(f^3, f.a, f.a))", 8, ""),
    "a layer's output before the network's": ("squared_norm(f.a) + f.b[0] + f^2", 8, ""),
    "the gradient of the batch": ("f^2 + squared_norm(B(gradient(f^2, f.weights)))", 8, ""),
    "weights of another time beside its own": ("f^2 + initial(f)^2", 8, ""),
    "an output of another time": ("s + initial(s) + squared_norm(initial(f.b))", 8, ""),
    "other weights": ("with_weights(f^2, f.weights, 2 * f.weights)", 8, ""),
    "other weights beside its own": ("f^2 + with_weights(f^2, f.weights, 2 * f.weights)", 8, ""),
    "weights of no gradient": ("f + with_weights(f^2, f.b.weights, stop(f.b.weights))", 8, ""),
    "a kernel that is a constant": ("with_weights(f^2, f.a.kernel, ones([48, 64]))", 8, ""),
    "a bias that is a constant": ("with_weights(f^2, f.a.bias, ones([64]))", 8, ""),
    "a kernel made of another's": ("with_weights(f^2, f.b.kernel, 2 * f.b.kernel)", 8, ""),
    "a gradient by a bias alone": ("f^2 + squared_norm(gradient(f, f.a.bias))", 8, ""),
    "the batch's gradient by a bias alone": ("f^2 + squared_norm(B(gradient(f, f.a.bias)))", 8, ""),
    "a gradient by a kernel alone": ("f^2 + squared_norm(B(gradient(f, f.b.kernel)))", 8, ""),
    "weights that nothing trains": ("with_weights(f^2, f.weights, stop(2 * f.weights)) + g[0]^2", 8, ""),
    "weights along an index": ("sum([with_weights(f^2, f.weights, k * f.weights) for k < 3])", 8, ""),
    "sharpness": ("with_weights(f^2, f.weights, f.weights + stop(B(gradient(f^2, f.weights))))", 8, ""),
    "an inner step": ("with_weights(f(e)^2, f.weights, f.weights - 0.1 * B(gradient(f^2, f.weights)))", 8, ""),
    "a gradient at other weights": (
        "squared_norm(with_weights(B(gradient(f^2, f.weights)), f.weights, 2 * f.weights))",
        8,
        "",
    ),
    "a name's gradient at other weights": (
        "squared_norm(gradient(with_weights(f, f.weights, 2 * f.weights), x))",
        8,
        "",
    ),
    "a gradient by a parameter": ("f^2 + squared_norm(slope(2 * x))", 8, ""),
    "a Hessian and a vector by a parameter": ("squared_norm(bent(2 * x))", 24, ""),
    "steps by the input's gradient": ("f(stop(iterate(up, x, 3)))^2", 8, ""),
    "steps that are differentiated": ("f(iterate(up, x, 3))^2", 8, ""),
    "a gradient by a parameter along an index": ("f^2 + sum([squared_norm(slope(k * x)) for k < 3])", 8, ""),
    "steps that are differentiated along an index": ("sum([f(iterate(up, k * x, 3)) for k < 2])^2", 8, ""),
    "a Hessian and a vector by a parameter along an index": ("sum([squared_norm(bent(k * x)) for k < 3])", 24, ""),
    "an output at other weights": ("s + with_weights(s, h.weights, 2 * h.weights)", 8, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_a_step_takes_what_the_plan_says(
    case: str, program: Callable[[str], Program], executed: Callable[[Program], int]
) -> None:
    loss, wide, more = CASES[case]
    one = program(BODY.format(loss=loss, wide=wide, more=more))
    counted = executed(one)
    assert cost(one).step == pytest.approx(counted, rel=0.05), cost(one).step / counted
