"""Measures over the steps of many replicates at a time: the same numbers as of each replicate by itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.verdicts import over_steps
from dlspec.interpreter.verdicts.best_of_many import FEWEST, expected_highest
from dlspec.interpreter.verdicts.over_steps import first_steps, reduced
from dlspec.spec.ir import claims as c
from scipy import stats


def replicates(seed: int) -> list[Replicate | None]:
    """Of all kinds: curves of other lengths, with and without trend, ties and what is undefined; some diverged, some not run."""
    rng = np.random.default_rng(seed)
    found: list[Replicate | None] = []
    for number in range(200):
        count = int(rng.choice([1, 2, 3, 4, 7, 8, 9, 40]))
        values = rng.normal(size=(count, 2)) * rng.choice([0, 0.1, 1]) + np.linspace(0, rng.normal(), count)[:, None]
        values = np.round(values, rng.choice([1, 15]))
        if rng.random() < 0.2:
            values[rng.integers(count), 1] = rng.choice([np.nan, np.inf, -np.inf])
        replicate = Replicate("e", "", {}, number, "", status=str(rng.choice(["done", "done", "done", "diverged"])))
        for place, value in enumerate(values):
            replicate.record(10 * place, {"m": value})
        found.append(None if rng.random() < 0.1 else replicate)
    return found


def by_chance(values: Any, best: int) -> float:
    """What chance adds to the best of one replicate's evaluations, evaluation by evaluation."""
    half = len(values) // 2
    window = values[half:] if best >= half and len(values) - half >= FEWEST else values
    if len(window) < FEWEST or not all(math.isfinite(value) for value in window):
        return 0.0
    second = [abs((c - b) - (b - a)) for a, b, c in zip(window, window[1:], window[2:], strict=False)]
    return float(np.median(second)) / (6**0.5 * stats.norm.ppf(0.75)) * expected_highest(len(window))


def alone(tree: c.Measured, replicate: Replicate | None, threshold: float, debiased: bool) -> tuple[float, float]:
    diverged = replicate is not None and replicate.status == "diverged"
    if replicate is None or (replicate.status != "done" and not (diverged and tree.reduction == "first_step")):
        return math.nan, math.nan
    values = [float(value[tree.index]) for value in replicate.curves["m"]]
    if tree.reduction in ("final", "at"):
        place = replicate.steps.index(tree.step) if tree.step in replicate.steps else None
        value = values[-1] if tree.reduction == "final" else math.nan if place is None else values[place]
        return value, value
    down = tree.reduction == "lowest" or tree.operator.startswith("<")
    best = int(np.argmin(values) if down else np.argmax(values))
    lost = by_chance(values, best) if debiased else 0.0
    if tree.reduction != "first_step":
        known = math.isinf(values[best]) or all(map(math.isfinite, values))
        return (values[best] + (lost if down else -lost) if known else math.nan,) * 2
    for step, value in zip(replicate.steps, values, strict=True):
        if not math.isfinite(value):
            return math.nan, math.nan
        if c.COMPARE[tree.operator](value + (lost if down else -lost), threshold):
            return float(step), float(step)
    return (math.nan,) * 2 if diverged else (float(replicate.steps[-1] + 1), math.inf)


TREES = [
    c.Measured(reduction, "m", (1,), step=30 if reduction == "at" else None)
    for reduction in ("final", "at", "lowest", "highest")
]
TREES += [
    c.Measured("first_step", "m", (1,), operator=operator, threshold=c.Number(0)) for operator in ("<", "<=", ">", ">=")
]


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_many_at_a_time_are_each_alone(monkeypatch: pytest.MonkeyPatch, seed: int, debiased: bool) -> None:
    monkeypatch.setattr(over_steps, "MAX_NUMBERS", 50)  # in several blocks
    runs = replicates(seed)
    thresholds = np.round(np.random.default_rng(seed).normal(size=len(runs)), 1)
    for tree in TREES:
        found = (
            first_steps(tree, runs, thresholds, debiased)
            if tree.reduction == "first_step"
            else (reduced(tree, runs, debiased),) * 2
        )
        right = [alone(tree, run, float(at), debiased) for run, at in zip(runs, thresholds, strict=True)]
        np.testing.assert_allclose(np.transpose(found), right, rtol=1e-12, err_msg=str(tree))


def test_a_measure_that_was_not_taken_is_undefined() -> None:
    run = Replicate("e", "", {}, 0, "", steps=[0])
    for tree in TREES[:4]:
        assert np.isnan(reduced(tree, [run]))
    assert np.isnan(first_steps(TREES[4], [run], np.zeros(1))).all()
