"""Derivatives with respect to a function's own parameter: at any value that it is given, and at the state of a loop, against closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

pytestmark = pytest.mark.usefixtures("traced_once")

X = np.array([-1.2, -0.3, 0.4, 1.1])
BODY = """
dtype: float64
constants: {at: "[-1.2, -0.3, 0.4, 1.1]"}
functions:
  cubic(u): u^3 - 2 * u
  slope(u): gradient(cubic(u), u)
  bend(u): gradient(slope(u), u)
  lean(u): gradient(u * slope(u), u)
  curl(u): gradient(sin(slope(u)), u)
  twist(u): gradient(u * lean(u), u)
  down(u): u - 0.1 * slope(u)
  by_name(s): s - 0.1 * gradient(s * x^2, x)
  pull(s, r): s - 0.1 * gradient((s - r)^2 * r, r)
  pair(u): "[u, x * u]"
  energy(v): v[0]^2 * v[1] + v[1]^3
  fall(v): v - 0.05 * gradient(energy(v), v)
  wide(v): "jacobian([sin(i * v[0]) * v[1] for i < 12], v)"
  narrow(v): "jacobian([v[0]^2, v[0] * v[1]], v)"
  "risen(u, j)": "gradient(u^j, u)"
  mixed(u): "gradient(gradient(u^2 * x^2, x), u)"
  moved(u): "gradient(with_weights(w * u^2, w.weights, 3 * w.weights), u)"
  shifted(u): "gradient(with_weights(w^3 * x, w.weights, [u]), u)"
  along(v): "hessian_vector(energy(v), v, [1, x])"
  turned(v): "directional([v[0]^2, v[0] * v[1]], v, [x, 2])"
task: {data: {enumerate: k}, example: {k: "integer(4)", x: "at[k]"}}
architecture: {w: {parameter: [], initializer: 0.7}}
measures: MEASURES
"""


def values(compiled: Callable[..., Compiled], value: str, size: int, xla: bool) -> np.ndarray:
    """A value's entries at each example, [4, size]."""
    per_example = f'"E([4 * (1 if k == j else 0) * ({value})[i] for j < 4, i < {size}])"'
    return compiled(BODY.replace("MEASURES", f"{{m: {per_example}}}"), xla=xla).evaluate()["m"][0]


def steps(count: int, start: np.ndarray, step: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The last of some steps."""
    for _ in range(count):
        start = step(start)
    return start


def down(u: np.ndarray) -> np.ndarray:
    return u - 0.1 * (3 * u**2 - 2)


def fall(v: np.ndarray) -> np.ndarray:
    return v - 0.05 * np.stack([2 * v[:, 0] * v[:, 1], v[:, 0] ** 2 + 3 * v[:, 1] ** 2], axis=-1)


V = np.stack([X, 1 + X**2], axis=-1)
PULLED = [X]
for R in (0.5, 2.0):  # d/dr of (s - r)² r
    PULLED.append(PULLED[-1] - 0.1 * ((PULLED[-1] - R) ** 2 - 2 * (PULLED[-1] - R) * R))
ANGLES = np.arange(12) * X[:, None]
CASES = {
    "at_an_expression": ("[slope(2 * x + 1)]", 3 * (2 * X + 1)[:, None] ** 2 - 2),
    "of_another_use_of_what_it_is_given": ("[slope(x) + bend(x * x)]", (3 * X**2 - 2 + 6 * X**2)[:, None]),
    "twice": ("[bend(2 * x)]", 12 * X[:, None]),
    "of_one_beside_its_parameter": ("[lean(x), lean(2 * x)]", 9 * np.stack([X, 2 * X], axis=-1) ** 2 - 2),
    "of_a_function_of_one": ("[curl(x)]", (np.cos(3 * X**2 - 2) * 6 * X)[:, None]),
    "thrice_beside_its_parameter": ("[twist(x)]", 27 * X[:, None] ** 2 - 2),
    "at_a_constant_state": ("[iterate(down, 1, 1)]", np.full((4, 1), 0.9)),
    "in_index_notation": ("[slope(i * x) for i < 3]", 3 * (np.arange(3) * X[:, None]) ** 2 - 2),
    "in_index_notation_of_it": ("[risen(x + i, i) for i < 3]", np.arange(3) * (X[:, None] + np.arange(3)) ** (np.arange(3) - 1.0)),
    "of_a_derivative_by_a_name": ("[mixed(2 * x)]", (2 * 2 * (2 * X) * X)[:, None]),
    "of_other_weights": ("[moved(2 * x)]", (2 * (2 * X) * 0.7 * 3)[:, None]),
    "of_other_weights_that_it_is": ("[shifted(x + 1)]", (3 * (X + 1) ** 2 * X)[:, None]),
    "in_a_branch": ("[slope(2 * x) if x > 0 else bend(3 * x)]", np.where(X > 0, 12 * X**2 - 2, 18 * X)[:, None]),
    "in_a_short_loop": ("[iterate(down, 1.0 * x, 3)]", steps(3, X, down)[:, None]),
    "in_a_long_loop": ("[iterate(down, x / 2, 20)]", steps(20, X / 2, down)[:, None]),
    "of_a_loop_along_an_index": ("[iterate(down, x / (1 + i), 3) for i < 2]", steps(3, X[:, None] / [1, 2], down)),
    "of_a_long_loop_along_an_index": ("[iterate(down, x / (1 + i), 12) for i < 2]", steps(12, X[:, None] / [1, 2], down)),
    "of_a_state_by_a_name": ("[iterate(by_name, 1.0 * x, 3)]", steps(3, X, lambda s: s - 0.2 * s * X)[:, None]),
    "of_a_state_by_a_name_for_long": ("[iterate(by_name, 1.0 * x, 9)]", steps(9, X, lambda s: s - 0.2 * s * X)[:, None]),
    "by_the_item_of_a_scan": ("scan(pull, 1.0 * x, [0.5, 2.0])", np.stack(PULLED[1:], axis=-1)),
    "of_arrays": ("fall([x, 1 + x^2])", fall(V)),
    "of_arrays_in_a_loop": ("iterate(fall, [x, 1 + x^2], 10)", steps(10, V, fall)),
    "jacobian": ("reshape(narrow(pair(x)), [4])", np.stack([2 * X, 0 * X, X**2, X], axis=-1)),
    "wide_jacobian": (
        "reshape(wide([x, 2.0]), [24])",
        np.stack([np.arange(12) * np.cos(ANGLES) * 2, np.sin(ANGLES)], axis=-1).reshape(4, 24),
    ),
    "product_with_the_hessian": (
        "along([x, 1 + x^2])", np.stack([2 * V[:, 1] + 2 * X * X, 2 * X + 6 * V[:, 1] * X], axis=-1),
    ),
    "derivative_along": ("turned([x, 3.0])", np.stack([2 * X * X, 3 * X + 2 * X], axis=-1)),
}  # fmt: skip


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_the_closed_form(compiled: Callable[..., Compiled], case: str, xla: bool) -> None:
    value, expected = CASES[case]
    found = values(compiled, value, expected.shape[1], xla)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("turns", [3, 12])
def test_gradients_pass_through_derivatives_in_a_loop(compiled: Callable[..., Compiled], turns: int) -> None:
    """The gradient of unrolled gradient descent by its rate, against the recurrence differentiated by hand (Maclaurin et al. 2015)."""
    text = BODY.replace("down(u): u - 0.1", "down(u): u - w").replace("0.7", "0.05")
    text = text.replace("MEASURES", f'{{m: "E(gradient(cubic(iterate(down, 1.0 * x, {turns})), w.weights))"}}')
    state, slope = X, 0 * X
    for _ in range(turns):
        slope, state = slope - (3 * state**2 - 2) - 0.05 * 6 * state * slope, state - 0.05 * (3 * state**2 - 2)
    found = compiled(text).evaluate()["m"][0]
    np.testing.assert_allclose(found, np.mean((3 * state**2 - 2) * slope), rtol=1e-9)


NETWORK = """
dtype: float64
constants: {at: "[[0.3, -1.0], [0.8, 0.2], [-0.5, 0.4]]", eps: 0.3}
functions:
  box(u): "clip(u, x - eps, x + eps)"
  up(u): "box(u + 0.1 * sign(gradient(y * f(u), u)))"
task: {data: {enumerate: k}, example: {k: "integer(3)", x: "at[k]", y: "1.0 if x[0] > 0 else -1.0"}}
architecture:
  f: {input: x, layers: [dense: {units: 4, activation: tanh, name: a, kernel_initializer: "normal()"}, dense: {units: 1, name: b}]}
outputs: {end: "iterate(up, x + 0.05, TURNS)"}
loss: {l: "(f(stop(end)) - y)^2"}
training: {optimizer: {sgd: 0.1}, batch: 3, steps: 5}
measures: {m: "E([3 * (1 if k == j else 0) * end for j < 3])", a: f.a.kernel, c: f.a.bias, b: f.b.kernel}
replicates: 2
"""


@pytest.mark.parametrize("turns", [4, 12])
def test_steps_up_a_network_are_those_taken_by_hand(compiled: Callable[..., Compiled], turns: int) -> None:
    """Projected steps by the sign of the input's gradient (Madry et al. 2018), after some training on them."""
    made = compiled(NETWORK.replace("TURNS", str(turns)).replace("batch: 3, ", ""), replicates=2)
    made.train(5)
    found = made.evaluate()
    at = np.array([[0.3, -1.0], [0.8, 0.2], [-0.5, 0.4]])
    sign = np.where(at[:, :1] > 0, 1.0, -1.0)
    for row in range(2):
        place = at + 0.05
        for _ in range(turns):
            hidden = np.tanh(place @ found["a"][row] + found["c"][row])
            slope = sign * (((1 - hidden**2) * found["b"][row][:, 0]) @ found["a"][row].T)
            place = np.clip(place + 0.1 * np.sign(slope), at - 0.3, at + 0.3)
        np.testing.assert_allclose(found["m"][row], place, atol=1e-12)


DROPPED = """
dtype: float64
functions: {slope(u): "gradient(d(u), u)"}
task: {example: {x: "normal([6])"}}
architecture: {d: {input: x, layers: [dropout: 0.5, dense: {units: 1, use_bias: false}]}}
loss: {gap: "(dot(slope(2 * x), 2 * x) - d(INPUT))^2"}
training: {optimizer: {sgd: {learning_rate: 0.05}}, batch: 8, steps: 10}
measures: {moved: norm(d.weights - initial(d.weights))}
"""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize(("given", "moves"), [("2 * x", False), ("1.0 * (2 * x)", True)])
def test_a_derivative_goes_through_the_mask_of_its_value(
    compiled: Callable[..., Compiled], given: str, moves: bool, xla: bool
) -> None:
    """A linear network is its gradient times its input where both have lost the same entries: the loss is 0 in each update then, and nothing moves."""
    made = compiled(DROPPED.replace("INPUT", given), xla=xla)
    made.train(10)
    assert (made.evaluate()["moved"][0] > 0.1) == moves
    assert moves or made.evaluate()["moved"][0] < 1e-9
