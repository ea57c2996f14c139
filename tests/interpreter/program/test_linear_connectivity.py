"""Linear mode connectivity, as one says it (Frankle et al. 2020): copies of a network that learn together, then apart, and the error on the line between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

STUDY = """
constants: {d: 12, units: 16, classes: 4, together: 0}
functions:
  wrong(t): "argmax(with_weights(f, f.weights, (1 - t) * f.weights + t * g.weights)) != c"
  label(z): argmax(matmul(votes, relu(matmul(teacher, z))))
task:
  draw:
    teacher: normal([8, d])
    votes: normal([classes, 8])
    first: normal(0, sqrt(2 / d), [d, units])
    second: normal(0, sqrt(1 / units), [units, classes])
  example:
    x: normal([d])
    other: normal([d])
    x_g: x if step < together else other
    c: label(x)
architecture:
  f: &copy {input: x, layers: [dense: {units: units, activation: relu, kernel_initializer: first}, dense: {units: classes, kernel_initializer: second}]}
  g: *copy
loss:
  f: cross_entropy(f, c)
  g: cross_entropy(g(x_g), label(x_g))
training: {optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}, batch: 16, steps: 40, evaluate: {every: 10, examples: 500}}
measures:
  path: "[E(wrong(k / 4)) for k < 5]"
  barrier: max(path) - (path[0] + path[4]) / 2
  f: E(argmax(f) != c)
  g: E(argmax(g) != c)
  soup: "E(with_weights(argmax(f) != c, f.weights, (f.weights + g.weights) / 2))"
  apart: norm(f.weights - g.weights)
replicates: 2
"""


@pytest.mark.parametrize(("together", "xla"), [(0, True), (20, False)])
def test_the_error_on_the_line_between_two_copies(compiled: Callable[..., Compiled], together: int, xla: bool) -> None:
    made = compiled(STUDY.replace("together: 0", f"together: {together}"), 2, xla)
    for step in range(0, 41, 10):
        found = made.evaluate()
        path, ends = found["path"], (found["path"][:, 0] + found["path"][:, 4]) / 2
        if step <= together:
            np.testing.assert_array_equal(found["apart"], 0)
            np.testing.assert_array_equal(path, path[:, :1].repeat(5, axis=1))
        else:
            assert (found["apart"] > 0.01).all()
        np.testing.assert_array_equal(path[:, 0], found["f"])
        np.testing.assert_allclose(path[:, 4], found["g"], atol=1 / 500)
        np.testing.assert_array_equal(path[:, 2], found["soup"])
        np.testing.assert_allclose(found["barrier"], path.max(1) - ends, atol=1e-12)
        made.train(10)
