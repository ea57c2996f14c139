"""Means over the examples that fulfil a condition, beside NumPy over all values of a draw."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled

STUDY = """
dtype: float64
functions: {"of(v, g)": "E(v, where=g)", "spread(v, g)": "E((v - E(v, where=g))^2, where=g)"}
task:
  data: {enumerate: s}
  example: {s: "rademacher([4])", n: "sum(s)", z: "s[0] / (n + 4)"}
measures:
  some: "E(s[1]^3 + 2 * s[2], where=n > 0)"
  array: E(s, where=n >= 2)
  finite: E(z, where=n > -4)
  rate: E(s[0] > 0, where=n > 0)
  whole: E(n, where=n != 0)
  never: E(n, where=n > 9)
  by_value: "E(s[0], where=n == 2 * k - 4) for k < 6"
  called: of(s[3], n > 0)
  gap: E(n, where=n > 0) - E(n, where=n < 0)
  within: "E((s[1] - E(s[1], where=n > 0))^2, where=n > 0)"
  around: "E((z - E(z, where=n > -4))^2, where=n > -4)"
  beyond: "E(s[1], where=n > E(n, where=n > 0))"
  halves: "E(n, where=n > quantile(n, 0.5)) - quantile(n - E(n, where=n >= 0), 0.75, where=n >= E(n))"
  lost: "E(s[0] + E(n, where=n > 9), where=n > 0)"
  spared: "E(s[0] if n < 9 else E(n, where=n > 9))"
  spreads: spread(s[2], n >= 0) + spread(n, s[0] > 0)
  thrice: "E(n + E(s[1] * E(s[1], where=n > 0), where=s[0] > 0), where=n < 2)"
  of_each: "E((s[0] - E(s[0], where=n == 2 * k - 4))^2, where=n == 2 * k - 4) for k < 5"
  by_name: "E((s[1] - some)^2, where=n > gap / 2)"
"""


@pytest.mark.parametrize("xla", [True, False])
def test_they_are_means_over_the_examples_that_are_chosen(compiled: Callable[..., Compiled], xla: bool) -> None:
    """What is not chosen enters nowhere, infinite or not; where nothing is chosen the mean is undefined."""
    found = {name: value[0] for name, value in compiled(STUDY, xla=xla).evaluate().items()}
    s = np.array(list(product([-1.0, 1.0], repeat=4)))
    n = s.sum(axis=1)
    np.testing.assert_allclose(found["some"], (s[:, 1] ** 3 + 2 * s[:, 2])[n > 0].mean(), rtol=1e-12)
    np.testing.assert_allclose(found["array"], s[n >= 2].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found["finite"], (s[:, 0][n > -4] / (n[n > -4] + 4)).mean(), rtol=1e-12)
    np.testing.assert_allclose(found["rate"], (s[:, 0] > 0)[n > 0].mean(), rtol=1e-12)
    np.testing.assert_allclose(found["whole"], n[n != 0].mean(), atol=1e-12)
    np.testing.assert_allclose(found["called"], s[:, 3][n > 0].mean(), rtol=1e-12)
    np.testing.assert_allclose(found["gap"], n[n > 0].mean() - n[n < 0].mean(), rtol=1e-12)
    by_value = [s[:, 0][n == 2 * k - 4].mean() if (n == 2 * k - 4).any() else np.nan for k in range(6)]
    np.testing.assert_allclose(found["by_value"], by_value, rtol=1e-12)
    assert np.isnan(found["lost"])  # what is inside is undefined for every example
    nested = {
        "within": s[n > 0, 1].var(),
        "around": (s[n > -4, 0] / (n[n > -4] + 4)).var(),
        "beyond": s[n > n[n > 0].mean(), 1].mean(),
        "halves": n[n > np.median(n)].mean() - np.quantile(n[n >= 0] - n[n >= 0].mean(), 0.75),
        "spared": s[:, 0].mean(),
        "spreads": s[n >= 0, 2].var() + n[s[:, 0] > 0].var(),
        "thrice": (n + s[s[:, 0] > 0, 1].mean() * s[n > 0, 1].mean())[n < 2].mean(),
        "of_each": [s[n == 2 * k - 4, 0].var() for k in range(5)],
        "by_name": ((s[:, 1] - found["some"]) ** 2)[n > found["gap"] / 2].mean(),
    }
    for name, value in nested.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12, err_msg=name)
    assert np.isnan(found["never"]) and np.isnan(found["by_value"][5])


SAMPLED = """
task: {example: {x: "normal([2])", hit: "x[0] > 1"}}
measures: {mean: "E(x[1] + 3, where=hit)", rare: "E(x[1], where=x[0] > 5)"}
"""


def test_errors_are_those_of_a_ratio_and_what_is_missing_ends_no_training(compiled: Callable[..., Compiled]) -> None:
    """The error is about the spread by the root of how many are chosen."""
    made = compiled(SAMPLED, replicates=200)
    values, errors = made.evaluate_with_errors()
    np.testing.assert_allclose(errors["mean"].mean(), values["mean"].std(), rtol=0.2)
    np.testing.assert_allclose(errors["mean"].mean(), 1 / np.sqrt(1000 * 0.1587), rtol=0.1)
    assert all(measure.ratio for measure in made.program.measures) and np.isnan(values["rare"]).any()
