"""Medians, quartiles, and ratios round by round."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.spread import Spread, ratio


def test_quartiles_are_numpys():
    values = np.random.default_rng(0).exponential(size=11).tolist()
    spread = Spread.of(values)
    expected = np.quantile(values, [0.5, 0.25, 0.75])
    np.testing.assert_allclose([spread.middle, spread.low, spread.high], expected)


def test_one_value_has_no_spread():
    assert Spread.of([3.0]) == Spread(3.0, 3.0, 3.0)


def test_a_ratio_is_taken_in_each_round():
    slow_rounds = [1.0, 10.0, 1.0, 5.0, 1.0]
    assert ratio([2 * value for value in slow_rounds], slow_rounds) == Spread(2.0, 2.0, 2.0)


def test_a_ratio_needs_both_in_every_round():
    with pytest.raises(ValueError):
        ratio([1.0, 2.0], [1.0])
