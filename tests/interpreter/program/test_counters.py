"""Values that change with the step: what training and measures see of `step`, `phase`, `phase_step` and `pass`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

COUNTING = """
task: {example: {x: "[1.0]", y: "1.0 * step"}}
architecture: {f: {input: x, layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}}
outputs: {later: f + step}
loss: {l: (f - y)^2 / 2}
training: {optimizer: {sgd: {learning_rate: 1}}, batch: 4, steps: 6, evaluate: {every: 2, examples: 8}}
measures: {w: "f.dense_1.kernel[0, 0]", y: E(y), s: step, both: "E(later - f)", p: phase, q: "phase_step + pass"}
"""
"""Each update sets the one weight to the number of the update."""


@pytest.mark.parametrize("xla", [False, True])
def test_examples_are_those_of_their_update(compiled: Callable[..., Compiled], xla: bool) -> None:
    """After s updates the weight is s - 1, as test examples are, which are those of the last update; measures see s."""
    made = compiled(COUNTING, xla=xla)
    for step, last in ((0, 0), (2, 1), (6, 5)):
        made.train(step - made.step)
        found = {name: float(values[0]) for name, values in made.evaluate().items()}
        assert found == {"w": last, "y": last, "s": step, "both": step, "p": 0, "q": step}


FINITE = """
constants: {k: 3, labels: "[5, 7, 11]"}
task:
  data: {train: 4, test: 6}
  example: {z: "normal([k])", x: "[1.0]", now: "labels[step % k]", noisy: "z[step % k] + 0.5 * normal() * step"}
architecture: {f: {input: x, layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}}
loss: {l: (f - noisy)^2 / 2 + 0 * now}
training: {optimizer: {sgd: {learning_rate: 1}}, batch: 4, steps: 5, evaluate: {every: 1}}
measures:
  gap: {of: E(f - noisy), on: train}
  first: {of: "E(z[0])", on: train}
  second: {of: "E(z[1])", on: train}
  noise: {of: "E(noisy - z[(step - 1) % k])", on: train}
  now: {of: E(now), on: train}
  w: "f.dense_1.kernel[0, 0]"
"""
"""Each update sets the one weight to the mean of the examples' values at that update."""


@pytest.mark.parametrize("xla", [False, True])
def test_a_finite_set_is_made_anew_from_the_same_draws(compiled: Callable[..., Compiled], xla: bool) -> None:
    """The batch is the whole set, so that the weight is the mean of what measures see; the noise is one draw times the step."""
    made = compiled(FINITE, replicates=2, xla=xla)
    found = []
    for _ in range(3):
        made.train(1)
        found.append(made.evaluate())
        np.testing.assert_allclose(found[-1]["gap"], 0, atol=1e-6)
    np.testing.assert_allclose(found[0]["w"], found[0]["first"], rtol=1e-5)
    np.testing.assert_allclose(found[1]["w"] - found[1]["noise"], found[1]["second"], rtol=1e-5)
    np.testing.assert_allclose(found[2]["noise"], 2 * found[1]["noise"], rtol=1e-5)
    assert (found[1]["noise"] != 0).all()
    np.testing.assert_array_equal([each["now"] for each in found], [[5, 5], [7, 7], [11, 11]])
