"""Verdicts on results made by hand: selections, broadcasting by axis, both judges, divergence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.claims import judge, student
from dlspec.interpreter.results import Cell, Results
from dlspec.spec.diagnostics import Source
from scipy import stats

SPEC = """
dlspec: 1
study: claims
experiments:
  e:
    constants: {d: 1}
    sweep: {d: [1, 2, 4]}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2), other: E(f)}
    replicates: 3
    variants: {a: {}, b: {training: {steps: 10}}}
    claims:
      c: {says: it is so, check: "CHECK", judge: JUDGE}
"""


def verdict(
    check: str, value: Any, judge_by: str = "replicates", steps: int = 3, status: Any = None, fewer: str = ""
) -> Any:
    """The verdict of a check on cells whose `error` at evaluation s is value(variant, d, replicate, s)."""
    text = SPEC.replace("CHECK", check).replace("JUDGE", judge_by).replace("b: {", f"b: {{{fewer}")
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    cells = []
    for program in plan.programs:
        for replicate in range(program.replicates):
            cell = Cell("e", program.variant, dict(program.point), replicate, "")
            for step in range(steps):
                cell.record(
                    step * 10, {"error": value(program.variant, program.point["d"], replicate, step), "other": 0.0}
                )
            if status and status(program.variant, program.point["d"], replicate):
                cell.status, cell.message = "diverged", "at step 10"
            cells.append(cell)
    return judge(plan.claims[0], Results.of_plan(plan, cells))


HOLDS, FAILS, OPEN = "holds", "fails", "inconclusive"
VALUES = {
    "variant": lambda v, d, r, s: 1.0 if v == "a" else 2.0,
    "d": lambda v, d, r, s: float(d) ** 2,
    "replicate": lambda v, d, r, s: float(r),
    "step": lambda v, d, r, s: 10.0 - s + (5 * (s == 2)),
}


@pytest.mark.parametrize(
    ("check", "by", "expected"),
    [
        ("final(error, variant == a) < final(error, variant == b)", "variant", HOLDS),
        ("final(error, variant == a) > final(error, variant == b)", "variant", FAILS),
        ("final(error) < 1.5", "variant", FAILS),
        ("final(error, variant != a, d > 1) == 2", "variant", HOLDS),
        ("final(error, d <= 2) <= 4", "d", HOLDS),
        ("final(error, d <= 2) < 4", "d", FAILS),
        ("final(error) == d ^ 2", "d", HOLDS),
        ("final(error) == d", "d", FAILS),
        ("within(slope(log(final(error)), log(d)), 1.99, 2.01)", "d", HOLDS),
        ("slope(log(final(error)), log(d)) > 2.1", "d", FAILS),
        ("increasing(final(error), d)", "d", HOLDS),
        ("decreasing(final(error), d)", "d", FAILS),
        ("increasing(final(error), d) and final(error, d == 4) > 15", "d", HOLDS),
        ("not increasing(final(error), d)", "d", FAILS),
        ("final(error) < 0.5", "replicate", OPEN),
        ("final(error) < 2.5", "replicate", HOLDS),
        ("final(error) > 2.5", "replicate", FAILS),
        ("lowest(error) == 9", "step", HOLDS),
        ("highest(error) == 13", "step", HOLDS),
        ("final(error) == 13", "step", HOLDS),
        ("at(error, 10, variant == a) == 9", "step", HOLDS),
        ("first_step(error <= 9) == 10", "step", HOLDS),
        ("first_step(error <= 1) > 1e9", "step", HOLDS),
        ("not diverged()", "step", HOLDS),
        ("diverged(variant == a)", "step", FAILS),
    ],
)
def test_verdicts(check: str, by: str, expected: str) -> None:
    assert verdict(check, VALUES[by]).verdict == expected


def test_the_value_seen_is_the_mean_and_the_range_left_of_the_comparison() -> None:
    found = verdict("final(error) < 2.5", VALUES["replicate"])
    assert found.value == pytest.approx(1.0)
    assert found.interval == (0.0, 2.0)


def test_a_diverged_cell_makes_what_looks_at_it_inconclusive_and_says_which() -> None:
    def status(v: str, d: int, r: int) -> bool:
        return v == "b" and d == 2 and r == 1

    found = verdict("final(error) < 9", VALUES["variant"], status=status)
    assert found.verdict == OPEN and "e/b d=2 replicate 1" in found.reason
    assert verdict("final(error, variant == a) < 9", VALUES["variant"], status=status).verdict == HOLDS
    assert verdict("diverged(variant == a)", VALUES["variant"], status=status).verdict == FAILS
    assert verdict("diverged(variant == b, d == 2)", VALUES["variant"], status=status).verdict == OPEN


def test_judged_by_the_mean_a_paired_t_interval_decides() -> None:
    noise = np.array([0.3, -0.2, 0.1])
    gaps = np.array([1.0, 1.2, 0.9])

    def value(v: str, d: int, r: int, s: int) -> float:
        return float(noise[r]) + (float(gaps[r]) if v == "b" else 0.0)

    check = "final(error, variant == a) < final(error, variant == b)"
    low, high = stats.t.interval(0.95, 2, loc=gaps.mean(), scale=stats.sem(gaps))
    found = verdict(check, value, "mean")
    assert found.verdict == HOLDS
    assert f"{low:.3g} to {high:.3g}" in found.reason
    assert verdict(check.replace("<", ">"), value, "mean").verdict == FAILS
    wide = "final(error, variant == a) + 1 < final(error, variant == b)"
    assert verdict(wide, value, "mean").verdict == OPEN


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 19, 29, 100])
def test_students_quantile(freedom: int) -> None:
    assert student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)


def test_cells_that_were_not_run_leave_a_claim_open() -> None:
    text = SPEC.replace("CHECK", "final(error) < 1").replace("JUDGE", "replicates")
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    cell = Cell("e", "a", {"d": 1}, 0, "")
    cell.record(0, {"error": 0.5, "other": math.nan})
    assert judge(plan.claims[0], Results.of_plan(plan, [cell])).verdict == OPEN
    assert judge(plan.claims[0], Results.of_plan(plan, [])).verdict == OPEN


def test_variants_may_differ_in_their_replicates() -> None:
    """b has one of the three: it is judged by that, and compared with a's first."""
    check = "final(error, variant == b) == 0"
    assert verdict(check, VALUES["replicate"]).verdict == OPEN
    assert verdict(check, VALUES["replicate"], fewer="replicates: 1, ").verdict == HOLDS
    both = "final(error, variant == a) == final(error, variant == b)"
    assert verdict(both, VALUES["replicate"], fewer="replicates: 1, ").verdict == HOLDS
    assert verdict("final(error, variant == a) <= 1", VALUES["replicate"], fewer="replicates: 1, ").verdict == OPEN
