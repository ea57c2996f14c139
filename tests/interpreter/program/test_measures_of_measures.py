"""Measures that are made of others: what a name stands for is what stands there written out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.passes.digests import measure_digest

STUDY = """
constants: {c: 3}
task: {example: {x: "normal([2])", y: "x[0] - 2 * x[1]"}}
architecture: {f: {input: x, layers: [dense: {units: 2, activation: tanh}, dense: 1]}}
loss: {l: (f - y)^2}
training: {optimizer: {sgd: 0.1}, batch: 8, steps: 4}
measures:
  share: error / scale
  error: (f - y)^2
  scale: E(y^2)
  spread: E((y - mean)^2)
  mean: E(y)
  written: E((f - y)^2) / E(y^2)
  sharpness: {hessian_eigenvalues: {of: (f - y)^2, weights: f.weights, largest: 2, examples: 64}}
  ratio: sharpness[0] * c / 2 + 0 * mean
  noise: {gradient_snr: {of: (f - y)^2, weights: f.weights, examples: 128}}
  above: noise / noise_floor
  of_train: {of: "error_there + 1", "on": train}
  error_there: {of: (f - y)^2, "on": train}
"""


@pytest.mark.parametrize("xla", [True, False])
def test_their_values_are_made_of_the_others(compiled: Callable[..., Compiled], xla: bool) -> None:
    """Of means, of means within means, of statistics of gradients and of their floors; errors are those of the measure written out."""
    made = compiled(STUDY, replicates=2, xla=xla)
    made.train(2)
    found, errors = made.evaluate_with_errors()
    np.testing.assert_allclose(found["share"], found["error"] / found["scale"], rtol=1e-12)
    np.testing.assert_array_equal(found["share"], found["written"])
    np.testing.assert_array_equal(errors["share"], errors["written"])
    np.testing.assert_allclose(found["spread"], found["scale"] - found["mean"] ** 2, rtol=1e-5)
    np.testing.assert_allclose(found["ratio"], found["sharpness"][:, 0] * 1.5, rtol=1e-12)
    np.testing.assert_allclose(found["above"], found["noise"] / found["noise_floor"], rtol=1e-12)
    np.testing.assert_allclose(found["of_train"], found["error_there"] + 1, rtol=1e-12)
    assert list(found)[:5] == ["share", "error", "scale", "spread", "mean"] and "ratio" not in errors


def program(measures: str) -> spec.Program:
    text = STUDY[: STUDY.index("measures:")].replace("\n", "\n    ") + f"measures: {measures}\n"
    study = f"dlspec: 1\nstudy: s\nexperiments:\n  e:{text}"
    return spec.resolve(spec.parse(Source("a.yaml", study))).experiments[0].programs[0]


def test_a_name_is_no_meaning() -> None:
    """The digest is that of what is written out."""
    one = program('{a: E(f), b: "a^2 + a"}').measures
    other = program('{b: "E(f)^2 + E(f)", other: 1}').measures
    whole = program('{a: E(f), b: "a^2 + a"}'), program('{b: "E(f)^2 + E(f)", other: 1}')
    assert measure_digest(whole[0], one[1]) == measure_digest(whole[1], other[0])


def test_measures_of_many_measures_are_refused_before_they_fill_the_memory() -> None:
    """Each twice the one before: 2^40 terms written out."""
    doubling = ", ".join(f'm{n}: "m{n + 1} + m{n + 1}"' for n in range(25))
    with pytest.raises(StudyError, match=r"terms together|operations"):
        program(f"{{{doubling}, m25: E(f)}}")
    chain = ", ".join(f'm{n}: "m{n + 1} + 1"' for n in range(200))
    with pytest.raises(StudyError, match="made of one another"):
        program(f"{{{chain}, m200: E(f)}}")
