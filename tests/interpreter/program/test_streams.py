"""Test streams: the test examples with some names said otherwise, example by example."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.digests import measure_digest

STUDY = """
constants: {c: 2}
task:
  data: DATA
  example: {n: 1 + integer(4), x: "normal([3])", k: integer(5), hot: "one_hot(k, 5)", y: "n * x[0]"}
  tests:
    far: {n: 20 + integer(4), x: "c * normal([3])"}
    other: {hot: "one_hot(n - 1, 5) / 2"}
architecture:
  f: {input: x, layers: [dense: {units: 1, use_bias: false}]}
  g: {input: hot, layers: [dense: {units: 1, use_bias: false}]}
loss: {l: (f + g - y)^2}
training: {optimizer: {sgd: 0.01}, batch: 8, steps: 2}
measures:
  n_: E(n)
  n_far: {of: E(n), "on": far}
  x_: E(x)
  x_far: {of: E(x), "on": far}
  y_far: {of: E(y), "on": far}
  y_of_far: {of: "E(n * x[0])", "on": far}
  f_: E(f)
  f_far: {of: E(f), "on": far}
  k_: E(k)
  k_far: {of: E(k), "on": far}
  g_other: {of: g, "on": other}
  g_by_hand: {of: "dot(g.dense.kernel[:, 0], one_hot(n - 1, 5) / 2)", "on": other}
  slope: {of: "E(gradient(f, f.weights))", "on": far}
  spread: {of: "E(f^2, where=n > 21)", "on": far}
"""


@pytest.mark.parametrize("data", ["fresh", "{train: 24, test: 500}"])
def test_names_that_are_said_otherwise_change_what_is_made_of_them_alone(
    compiled: Callable[..., Compiled], data: str
) -> None:
    """Twice the normals are twice the mean; what is not said is the same to the bit; a network sees the new input."""
    text = STUDY.replace("DATA", data)
    made = compiled(text, replicates=2, xla=True)
    made.train(2)
    found, errors = made.evaluate_with_errors()
    assert (np.abs(found["n_"] - 2.5) < 0.3).all() and (np.abs(found["n_far"] - 21.5) < 0.3).all()
    np.testing.assert_allclose(found["n_far"] - found["n_"], 19, rtol=1e-12)  # the same draw, from another number on
    np.testing.assert_allclose(found["x_far"], 2 * found["x_"], rtol=1e-6)
    np.testing.assert_array_equal(found["y_far"], found["y_of_far"])
    np.testing.assert_array_equal(found["k_far"], found["k_"])
    np.testing.assert_allclose(found["f_far"], 2 * found["f_"], rtol=1e-5)
    np.testing.assert_allclose(found["slope"], found["x_far"], rtol=1e-6)
    np.testing.assert_allclose(found["g_other"], found["g_by_hand"], rtol=1e-5)
    np.testing.assert_allclose(errors["x_far"], 2 * errors["x_"], rtol=1e-5)
    assert np.isfinite(found["spread"]).all()


def program(tests: str, measure: str = '{of: E(n), "on": far}', example: str = "n: 1 + integer(4)") -> spec.Program:
    text = f"""
dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{{example}, x: "normal()"}}, tests: {tests}}}
    architecture: {{f: {{input: "[x]", layers: [{{dense: 1}}]}}}}
    loss: {{l: (f - n)^2}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, steps: 5}}
    measures: {{m: {measure}, other: E(f)}}
"""
    return spec.resolve(spec.parse(Source("a.yaml", text))).experiments[0].programs[0]


def test_what_a_stream_says_is_in_the_digests_of_measures_over_it_and_its_name_is_not() -> None:
    """A stream that says nothing new gives what the test set gives; training and the other measures have no part in it."""
    far, further = program("{far: {n: 20 + integer(4)}}"), program("{far: {n: 30 + integer(4)}}")
    called = program("{long: {n: 20 + integer(4)}}", '{of: E(n), "on": long}')
    nothing, plain = program("{far: {n: 1 + integer(4)}}"), program("{far: {n: 30}}", "E(n)")
    every = far, further, called, nothing, plain
    own, other = zip(*([measure_digest(one, measure) for measure in one.measures] for one in every), strict=True)
    assert own[0] == own[2] != own[1] and own[3] == own[4] not in own[:3]
    assert len(set(other)) == 1 and len({one.digest for one in every}) == 1
