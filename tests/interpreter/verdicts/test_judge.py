"""Verdicts on results made by hand: selections, broadcasting by axis, both judges, divergence."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.verdicts.evidence_text import lines
from dlspec.interpreter.verdicts.judge import judge
from dlspec.interpreter.verdicts.rates import student
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.claims import Number
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
    check: str,
    value: Any,
    judge_by: str = "replicates",
    steps: int = 3,
    status: Any = None,
    fewer: str = "",
    ended: str = "diverged",
) -> Any:
    """The verdict of a check on replicates whose `error` at evaluation s is value(variant, d, replicate, s)."""
    text = SPEC.replace("CHECK", check).replace("JUDGE", judge_by).replace("b: {", f"b: {{{fewer}")
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    replicates = []
    for program in plan.programs:
        for number in range(program.replicates):
            replicate = Replicate("e", program.variant, dict(program.point), number, "")
            for step in range(steps):
                replicate.record(
                    step * 10, {"error": value(program.variant, program.point["d"], number, step), "other": 0.0}
                )
            if status and status(program.variant, program.point["d"], number):
                replicate.status, replicate.message = ended, "at step 10"
            replicates.append(replicate)
    return judge(plan.claims[0], Results.of_plan(plan, replicates))


HOLDS, FAILS, OPEN = "seen", "fails", "inconclusive"
"""Of three replicates of something random what they agree on is seen, and not more."""
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
        ("first_step(error >= final(error)) == 20", "step", HOLDS),  # a threshold of each cell's own
        ("first_step(error <= 8 + d) == 10 * maximum(2 - d, 0)", "step", HOLDS),
        ("first_step(error <= 1) > 1e9", "step", OPEN),
        ("first_step(error <= 1) < 1e9", "step", OPEN),
        ("first_step(error <= 1) > 20", "step", HOLDS),
        ("first_step(error <= 1) >= 5", "step", HOLDS),
        ("first_step(error <= 1) <= 20", "step", FAILS),
        ("first_step(error <= 1) == 10", "step", FAILS),
        ("first_step(error <= 1) > first_step(error <= 9)", "step", HOLDS),
        ("2 * first_step(error <= 1) - first_step(error <= 9) > 30", "step", HOLDS),
        ("first_step(error <= 1, variant == a) < first_step(error <= 1, variant == b)", "step", OPEN),
        ("first_step(error <= 1) / 2 > 10", "step", HOLDS),
        ("-first_step(error <= 1) < -20", "step", HOLDS),
        ("sqrt(-first_step(error <= 1)) > 3", "step", OPEN),
        ("sqrt(-first_step(error <= 1)) <= 3", "step", OPEN),
        ("log(first_step(error <= 1) - 25) > 9", "step", OPEN),  # it may lie at 21
        ("log(first_step(error <= 1) - 20) >= 0", "step", HOLDS),
        ("log(first_step(error <= 1) + first_step(error <= 2)) > 3", "step", HOLDS),
        ("is_finite(first_step(error <= 1))", "step", OPEN),
        ("first_step(error >= highest(error)) == 20", "step", HOLDS),
        ("first_step(error <= lowest(error)) == 10", "step", HOLDS),
        ("first_step(error >= d) == 0", "step", HOLDS),
        ("lowest(error, step >= 11, variant == a) == 13", "step", HOLDS),
        ("highest(error, step < 20) == 10 and lowest(error, step > 0, step <= 10) == 9", "step", HOLDS),
        ("mean_over(error, variant == a) == 10.25", "step", HOLDS),
        ("mean_over(error, variant == a, step >= 5 + 5) == 11", "step", HOLDS),
        ("mean_over(error, step == 10) == 9", "step", HOLDS),
        ("first_step(error >= 9, step > 0) == 10", "step", HOLDS),
        ("first_step(error < 9, step <= 10) > 10", "step", HOLDS),
        ("at(error, 10 * i, variant == a) >= 9 for i < 3", "step", HOLDS),
        ("max(final(error), d) == 16 and min(final(error), d) == 1 and mean(final(error), d) == 7", "d", HOLDS),
        ("argmax(final(error), d) == 4 and argmin(final(error), d) == 1", "d", HOLDS),
        ("argmax(final(error), d) == 2", "d", FAILS),
        ("max(final(error), variant) == 2 and mean(final(error), variant) == 1.5", "variant", HOLDS),
        ("max(final(error, d >= 2), d) > final(error, d == 1)", "d", HOLDS),
        ("max(first_step(error >= d^2), d) == 0", "d", HOLDS),
        ("max(first_step(error > d^2), d) > 20", "d", HOLDS),
        ("argmax(first_step(error > 5), d) == 1", "d", OPEN),
        ("at(error, 10 * i, variant == a) > 9 - j for i < 3, j < 2", "step", FAILS),
        ("first_step(error < 9, step <= 10) <= 10", "step", FAILS),
        ("within(slope(final(error, d >= 2), d), 5.99, 6.01)", "d", HOLDS),  # 4 and 16 at 2 and 4
        ("slope(final(error, d >= 2), d) == 6", "d", HOLDS),
        ("slope(3 * d + 0 * final(error), d) == 3", "d", HOLDS),
        ("increasing(final(error, d >= 2), d)", "d", HOLDS),
        ("decreasing(final(error, d >= 2), d)", "d", FAILS),
        ("increasing(final(error), -d)", "d", FAILS),
        ("increasing(final(error), 1 / d)", "d", FAILS),
        ("final(error, d >= 2) == d ^ 2", "d", HOLDS),
        ("final(error, d >= 2) == final(error)", "d", HOLDS),
        ("final(error, d <= 2) <= 4 and final(error, d >= 4) >= 16", "d", HOLDS),
        ("final(error, d <= 2) <= 4 and final(error) <= 4", "d", FAILS),
        ("log(final(error) - 1) < 100", "d", OPEN),
        ("log(final(error) - 1) >= 100", "d", OPEN),
        ("slope(log(final(error) - 1), d) < 0", "d", OPEN),
        ("slope(log(final(error) - 1), d) >= 0", "d", OPEN),
        ("not log(final(error) - 1) < 0", "d", OPEN),
        ("1 / (final(error) - 1) > 0", "d", OPEN),
        ("(final(error) - 1) / (d - 1) > 0", "d", OPEN),
        ("maximum(log(final(error) - 1), 100) == 100", "d", OPEN),
        ("log(final(error) - 1) < 0 or final(error) < 99", "d", HOLDS),
        ("log(final(error) - 1) < 0 and final(error) > 99", "d", FAILS),
        ("log(final(error) - 1) < 9 and final(error) < 99", "d", OPEN),
        ("not diverged()", "step", HOLDS),
        ("diverged(variant == a)", "step", FAILS),
    ],
)
def test_verdicts(check: str, by: str, expected: str) -> None:
    assert verdict(check, VALUES[by]).verdict == expected


def test_what_is_undefined_is_named_with_its_entry() -> None:
    assert verdict("slope(log(final(error) - 1), d) < 0", VALUES["d"]).reason.startswith(
        "`log(final(error) - 1)` is undefined at a, d = 1, replicate 0, where `final(error) - 1` is 0"
    )
    found = verdict("lowest(error, variant == b, d == 2) < 9", lambda v, d, r, s: math.nan if (r, s) == (1, 0) else 1.0)
    assert found.verdict == OPEN
    assert found.reason == "the measure 'error' was undefined (NaN) at step 0 in e/b d=2 replicate 1"


@pytest.mark.parametrize("endless", [math.inf, -math.inf])
@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
@pytest.mark.parametrize(
    "form", ["final(error)", "at(error, 10)", "highest(error)", "lowest(error)", "2 * final(error)", "mean_over(error)"]
)
def test_a_measure_that_is_infinite_decides_nothing(form: str, operator: str, endless: float) -> None:
    """1 - E(e) / 0 is -∞, and below any bound: no claim holds by that."""
    found = verdict(f"{form} {operator} 7", lambda v, d, r, s: endless)
    assert found.verdict == OPEN and "the measure 'error' was infinite at step " in found.reason
    assert found.evidence[0].points[0].undefined == 3


def test_what_is_infinite_in_claims_along_axes_and_steps() -> None:
    def value(v: str, d: int, r: int, s: int) -> float:
        return math.inf if d == 4 and s == 1 else float(d)

    for check in ("increasing(at(error, 10), d)", "max(at(error, 10), d) > 1", "first_step(error > 100, d == 4) <= 10"):
        assert verdict(check, value).verdict == OPEN, check
    for check in ("first_step(error > 100, d == 4) <= 10", "first_step(error < at(error, 10, d == 4), d == 4) <= 10"):
        found = verdict(check, value)
        assert (found.verdict, "was infinite at step 10" in found.reason) == (OPEN, True), check
    assert verdict("increasing(final(error), d)", value).verdict == HOLDS
    assert verdict("not is_finite(at(error, 10, d == 4))", value).verdict == HOLDS, "this is asked for"
    assert verdict("at(error, 10, d == 4) > 1 or at(error, 0, d == 4) == 4", value).verdict == HOLDS


@pytest.mark.parametrize(
    "check",
    [
        "argmax(at(error, 10), d) >= 1",
        "argmin(-at(error, 10), d) >= 1",
        "min(at(error, 10), d) <= 1",
        "max(-at(error, 10), d) >= -1",
        "mean(at(error, 10), d) > 1",
        "lowest(error, d == 4) <= 4",
        "1 / at(error, 10, d == 4) < 1",
        "exp(-at(error, 10, d == 4)) < 1",
        "tanh(at(error, 10, d == 4)) > 0",
        "minimum(at(error, 10, d == 4), 3) <= 3",
        "clip(at(error, 10, d == 4), 0, 1) <= 1",
        "sign(at(error, 10, d == 4)) > 0",
    ],
)
def test_what_is_made_of_something_infinite_decides_nothing(check: str) -> None:
    """All of these held, or chose a place, by 1 / ∞ = 0 and its like; what is finite decides them at other steps."""
    found = verdict(check, lambda v, d, r, s: math.inf if d == 4 and s == 1 else float(d))
    assert (
        found.verdict == OPEN and "the measure 'error' was infinite at step 10 in e/a d=4 replicate 0" in found.reason
    )
    assert verdict(check, VALUES["d"]).verdict != OPEN


def test_an_event_that_came_before_a_replicate_diverged_is_known() -> None:
    """It was seen. That it came not is not: the replicate might have gone on."""

    def status(v: str, d: int, r: int) -> bool:
        return d == 4 and r == 1

    def value(v: str, d: int, r: int, s: int) -> float:
        return 0.0 if d == 4 and r == 1 and s == 0 else 1.0

    assert verdict("first_step(error >= 1) <= 10", value, status=status).verdict == HOLDS
    assert verdict("first_step(error >= 1, d == 4) <= 5", value, status=status).verdict == OPEN, "two of three"
    assert verdict("first_step(error >= 1, step <= 10) <= 10", value, status=status).verdict == HOLDS
    for check in ("first_step(error >= 2) > 5", "first_step(error >= 1, step < 10) > 5"):
        found = verdict(check, value, status=status)
        assert found.verdict == OPEN and "diverged: e/a d=4 replicate 1" in found.reason, check
    broken = verdict("first_step(error >= 1) <= 10", value, status=status, ended="interrupted")
    assert broken.verdict == OPEN, "what is only broken off goes on"


def test_an_event_that_never_came_is_told_whatever_the_verdict() -> None:
    def value(v: str, d: int, r: int, s: int) -> float:
        return float(s) if (v, d, r) != ("b", 4, 2) else 0.0

    found = verdict("first_step(error >= 1) >= 10", value)
    assert found.verdict == HOLDS
    assert found.reason == "`first_step(error >= 1)` never came up to step 20 in b, d = 4, replicate 2"
    assert verdict("first_step(error >= 1) <= 10", value).verdict == OPEN, "one replicate fails, two hold"
    assert verdict("first_step(error >= 1) <= 30", value).verdict == OPEN, "it may still come at 30"


def test_an_event_after_something_undefined_has_no_known_step() -> None:
    found = verdict("first_step(error >= 1) == 20", lambda v, d, r, s: [0.0, math.nan, 1.0][s])
    assert found.verdict == OPEN and "undefined (NaN) at step 10" in found.reason


def test_what_was_seen_is_told_by_axis_with_the_entry_that_decided() -> None:
    def value(v: str, d: int, r: int, s: int) -> float:
        return float(d * 10 + r)

    found = verdict("final(error, variant == a) < 41.5", value)
    (part,) = found.evidence
    assert [(point.where, point.mean, point.low, point.high) for point in part.points] == [
        ("d = 1", 11, 10, 12), ("d = 2", 21, 20, 22), ("d = 4", 41, 40, 42),
    ]  # fmt: skip
    assert (part.entry, part.decided, part.holds) == ("d = 4, replicate 2", "42", False)
    assert (found.value, found.range) == (41, (40, 42))
    assert lines([asdict(part)]) == [
        "saw d = 1: 11 (10 … 12); d = 2: 21 (20 … 22); d = 4: 41 (40 … 42); farthest off: d = 4, replicate 2: 42"
    ]
    found = verdict("final(error, variant == a) < 43 and not increasing(final(error, variant == b), d)", value)
    assert [(part.text, part.holds, part.entry) for part in found.evidence] == [
        ("final(error, variant == a) < 43", True, "d = 4, replicate 2"),
        ("increasing(final(error, variant == b), d)", True, "replicate 0"),
    ]
    both = verdict("final(error, variant == a) < final(error, variant == b) - d", value)
    assert both.evidence[0].decided == "40 against 36"


ZIPPED = SPEC.replace("sweep: {d: [1, 2, 4]}", "sweep: {d: [30, 30, 50], m: [2, 3, 3]}\n    zip: [[d, m]]").replace(
    "constants: {d: 1}", "constants: {d: 1, m: 1}"
)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("final(error) == 100 * m + d", HOLDS),
        ("final(error, d == 30) == 100 * m + 30", HOLDS),
        ("final(error, d == 30, m == 3) == 330", HOLDS),
        ("final(error, m == 3) >= 330", HOLDS),
        ("final(error, d == 30) >= 300", FAILS),
        ("increasing(final(error), d)", HOLDS),  # 230 and 330 at 30, 350 at 50
        ("increasing(final(error), m)", HOLDS),  # 230 at 2, 330 and 350 at 3
        ("increasing(-final(error), m)", FAILS),
        ("within(slope(final(error), m), 109.99, 110.01)", HOLDS),  # by hand: from 230 at 2 to a mean of 340 at 3
    ],
)
def test_axes_in_step_may_have_a_value_twice(check: str, expected: str) -> None:
    text = ZIPPED.replace("CHECK", check).replace("JUDGE", "replicates")
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    replicates = []
    for program in plan.programs:
        for number in range(program.replicates):
            replicate = Replicate("e", program.variant, dict(program.point), number, "")
            replicate.record(0, {"error": 100.0 * program.point["m"] + program.point["d"], "other": 0.0})
            replicates.append(replicate)
    assert len(plan.programs) == 6
    found = judge(plan.claims[0], Results.of_plan(plan, replicates))
    assert found.verdict == expected, found.reason
    if "d == 30" not in check:
        missing = judge(plan.claims[0], Results.of_plan(plan, replicates[:-1]))
        assert missing.verdict == OPEN and "not run: b, d = 50, m = 3, replicate 2" in missing.reason


def test_a_profile_that_leaves_one_value_of_an_axis_decides_nothing_along_it() -> None:
    """One value, and one value twice beside an axis in step, are no order and no slope."""
    quick = "profiles:\n  quick: {experiments: {e: {sweep: {d: [30, 30], m: [2, 3]}}}}\n"
    for check in ("increasing(final(error), d)", "slope(final(error), d) > 0"):
        text = ZIPPED.replace("CHECK", check).replace("JUDGE", "replicates") + quick
        (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text)), "quick").experiments
        replicates = []
        for program in plan.programs:
            for number in range(3):
                replicate = Replicate("e", program.variant, dict(program.point), number, "")
                replicate.record(0, {"error": float(program.point["m"]), "other": 0.0})
                replicates.append(replicate)
        found = judge(plan.claims[0], Results.of_plan(plan, replicates))
        form = check.split("(")[0]
        assert (found.verdict, found.reason) == (OPEN, f"`{form}` goes along 'd', of which only one value was run")


def test_many_claims_look_once_at_each_cell() -> None:
    """5,000 claims on one measure read each replicate's numbers a single time."""
    text = SPEC.replace("CHECK", "final(error) < 1").replace("JUDGE", "replicates")
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    looked: list[str] = []

    class Curves(dict[str, Any]):
        def get(self, name: str, default: Any = None) -> Any:
            looked.append(name)
            return [np.float64(0.5)]

    replicates = [
        Replicate("e", p.variant, dict(p.point), r, "", steps=[0], curves=Curves())
        for p in plan.programs
        for r in range(3)
    ]
    results = Results.of_plan(plan, replicates)
    for place in range(5000):
        tree = replace(plan.claims[0].tree, arguments=(plan.claims[0].tree.arguments[0], Number(0.4 + place / 1e6)))
        assert judge(replace(plan.claims[0], tree=tree), results).verdict == FAILS
    assert len(looked) == len(replicates)


def test_a_cell_that_failed_did_not_diverge_nor_not() -> None:
    def value(v: str, d: int, r: int, s: int) -> float:
        return 1.0

    found = verdict("not diverged()", value, status=lambda v, d, r: (v, d, r) == ("b", 2, 1), ended="failed")
    assert found.verdict == OPEN and "failed: e/b d=2 replicate 1" in found.reason


@pytest.mark.parametrize(
    ("check", "gap", "expected"),
    [
        ("<", 0.0, OPEN),
        ("<=", 0.0, HOLDS),
        (">", 0.0, OPEN),
        (">=", 0.0, HOLDS),
        ("<", 1.0, HOLDS),
        (">=", 1.0, FAILS),
    ],
)
def test_a_mean_margin_without_spread_decides_by_its_sign_alone(check: str, gap: float, expected: str) -> None:
    whole = f"final(error, variant == a) {check} final(error, variant == b)"
    assert verdict(whole, lambda v, d, r, s: gap if v == "b" else 0.0, "mean").verdict == expected


def test_the_value_seen_is_the_mean_and_the_range_left_of_the_comparison() -> None:
    found = verdict("final(error) < 2.5", VALUES["replicate"])
    assert found.value == pytest.approx(1.0)
    assert found.range == (0.0, 2.0)


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
    gaps = np.array([1.0, 1.02, 0.98])

    def value(v: str, d: int, r: int, s: int) -> float:
        return float(noise[r]) + (float(gaps[r]) if v == "b" else 0.0)

    check = "final(error, variant == a) < final(error, variant == b)"
    low, high = stats.t.interval(0.95, 2, loc=gaps.mean(), scale=stats.sem(gaps))
    found = verdict(check, value, "mean")
    assert found.verdict == HOLDS
    assert f"95 % interval {low:.3g} to {high:.3g}" in found.decision.strength
    assert verdict(check.replace("<", ">"), value, "mean").verdict == FAILS
    wide = "final(error, variant == a) + 1 < final(error, variant == b)"
    assert verdict(wide, value, "mean").verdict == OPEN


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 19, 29, 100])
def test_students_quantile(freedom: int) -> None:
    assert student(freedom, 0.025) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_cells_that_were_not_run_leave_a_claim_open() -> None:
    text = SPEC.replace("CHECK", "final(error) < 1").replace("JUDGE", "replicates")
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    replicate = Replicate("e", "a", {"d": 1}, 0, "")
    replicate.record(0, {"error": 0.5, "other": math.nan})
    assert judge(plan.claims[0], Results.of_plan(plan, [replicate])).verdict == OPEN
    assert judge(plan.claims[0], Results.of_plan(plan, [])).verdict == OPEN


@pytest.mark.parametrize(
    ("check", "expected", "judge_by"),
    [
        ("final(error) < 9", OPEN, "replicates"),
        ("final(error) < 9", OPEN, "mean"),
        ("final(error) < 9", OPEN, "{share: 0.1}"),
        ("final(error) < 1", FAILS, "replicates"),
        ("final(error, variant == a) < 9", HOLDS, "replicates"),
        ("final(error, variant != b) < 9", HOLDS, "replicates"),
        ("max(final(error), variant) > 2", OPEN, "replicates"),
        ("not diverged()", OPEN, "replicates"),
        ("not diverged(variant == a)", HOLDS, "replicates"),
    ],
)
def test_what_only_leaves_out_leaves_a_claim_open(check: str, expected: str, judge_by: str) -> None:
    """Of the variant a alone nothing is known of b; what is false already stays so, but for what is taken over the variants."""
    text = SPEC.replace("CHECK", check).replace("JUDGE", judge_by)
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text)), only=("e/a",)).experiments
    replicates = []
    for program in plan.programs:
        for number in range(program.replicates):
            replicate = Replicate("e", program.variant, dict(program.point), number, "")
            replicate.record(0, {"error": 1.0 + 0.01 * number, "other": 0.0})
            replicates.append(replicate)
    found = judge(plan.claims[0], Results.of_plan(plan, replicates))
    assert found.verdict == expected
    assert found.decision.reason.endswith("`--only` left out 'b', of which it speaks as well") == (expected == OPEN)


def test_variants_may_differ_in_their_replicates() -> None:
    """b has one of the three: it is judged by that, and compared with a's first."""
    check = "final(error, variant == b) == 0"
    assert verdict(check, VALUES["replicate"]).verdict == OPEN
    assert verdict(check, VALUES["replicate"], fewer="replicates: 1, ").verdict == HOLDS
    both = "final(error, variant == a) == final(error, variant == b)"
    assert verdict(both, VALUES["replicate"], fewer="replicates: 1, ").verdict == HOLDS
    assert verdict("final(error, variant == a) <= 1", VALUES["replicate"], fewer="replicates: 1, ").verdict == OPEN
