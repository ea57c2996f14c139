"""Medians, quartiles and intervals, ratios round by round, and who wants more rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.spread import Spread, in_question, ratio


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
    assert ratio([1.0, 2.0], [1.0, 1.0, 9.0]).middle == 1.5
    with pytest.raises(ValueError):
        ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize("rounds", [7, 20, 61])
def test_the_interval_holds_the_true_median(rounds):
    generator = np.random.default_rng(rounds)
    trials = [Spread.of_median(generator.exponential(size=rounds).tolist()) for _ in range(2000)]
    held = np.mean([trial.low <= np.log(2) <= trial.high for trial in trials])
    assert held > 0.94
    narrow = np.mean([trial.high - trial.low for trial in trials])
    wide = np.mean([np.ptp(generator.exponential(size=rounds)) for _ in range(2000)])
    assert narrow < wide or rounds == 7


def rows(**seconds: list[float]) -> dict[tuple[str, int], Any]:
    return {
        (name.split("_")[0], int(name.split("_")[1])): {"out": "", "seconds": values}
        for name, values in seconds.items()
    }


def test_who_may_be_the_fastest_goes_on_until_the_ratio_is_known():
    near, far = [1.0, 1.1, 0.9] * 3, [3.0, 3.1, 2.9] * 3
    noisy = rows(dlspec_1=[1.0] * 9, jax_1=near, torch_1=far)
    assert in_question(noisy, 0.01) == {("jax", 1)}
    assert in_question(noisy, 0.2) == set()
    assert in_question(rows(dlspec_1=[1.0] * 9, jax_1=near, keras_1=near[::-1], torch_1=far), 0.01) == {
        ("jax", 1),
        ("keras", 1),
    }


def test_each_number_of_replicates_has_a_fastest_of_its_own():
    near = [1.0, 1.1, 0.9] * 3
    found = in_question(rows(dlspec_1=[1.0] * 9, jax_1=[1.2] * 9, dlspec_8=[0.5] * 9, jax_8=near, keras_1=near), 0.01)
    assert found == {("keras", 1), ("jax", 8)}


def test_without_dlspec_nobody_goes_on():
    held = rows(dlspec_1=[], jax_1=[1.0, 2.0])
    held["dlspec", 1]["out"] = "it ended"
    assert in_question(held, 0.01) == set()
