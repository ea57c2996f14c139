"""What a verdict is worth: every judge against closed forms, with the error that it states beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_writer import claims_json
from dlspec.interpreter.results.verdicts import FAILS, HOLDS, OPEN, SEEN, Verdict
from dlspec.interpreter.verdicts.evidence_text import chance_text, lines
from dlspec.interpreter.verdicts.families import judged_together
from dlspec.interpreter.verdicts.judge import judge
from dlspec.interpreter.verdicts.judges import DECISIONS
from dlspec.interpreter.verdicts.rates import skewed
from dlspec.interpreter.verdicts.run_comparison import seen
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import ExperimentPlan
from dlspec.spec.tables.judges import JUDGES
from scipy import stats

SPEC = """
dlspec: 1
study: claims
experiments:
  e:
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 100, evaluate: {every: 1, examples: 8}}
    measures: {m: E(f^2), exact: "2"}
    replicates: COUNT
    variants: {a: {}, b: {training: {batch: 5}}}
    claims: {CLAIMS}
"""
Curve = Callable[[str, int], Sequence[float]]


def verdicts(checks: Sequence[str], curve: Curve, count: int, more: str = "", ended: Any = None) -> list[Verdict]:
    """The verdicts on claims where the measure `m` of a variant's replicate is curve(variant, replicate) over the steps."""
    written = ", ".join(f'c{place}: {{says: it, check: "{check}"{more}}}' for place, check in enumerate(checks))
    text = SPEC.replace("CLAIMS", written).replace("COUNT", str(count))
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    replicates = []
    for variant in ("a", "b"):
        for number in range(count):
            replicate = Replicate("e", variant, {}, number, "")
            for step, value in enumerate(curve(variant, number)):
                replicate.record(step, {"m": np.float64(value), "exact": np.float64(2)})
            if ended and ended(variant, number):
                replicate.status = "diverged"
            replicates.append(replicate)
    results = Results.of_plan(plan, replicates)
    return judged_together([judge(claim, results) for claim in plan.claims])


def verdict(check: str, values: Any, judge_by: str = "replicates", ended: Any = None) -> Verdict:
    """The verdict where `m` is values[variant][replicate], or values[replicate] in both variants."""
    table = values if isinstance(values, dict) else {"a": values, "b": values}
    count = len(table["a"])
    (found,) = verdicts([check], lambda v, r: [table[v][r]], count, f", judge: {judge_by}", ended)
    return found


GAP = "final(m, variant == a) < final(m, variant == b)"
ALONE = "final(m, variant == a) < 1"


# -- replicates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "expected"), [(1, SEEN), (2, SEEN), (4, SEEN), (5, HOLDS), (10, HOLDS)])
def test_from_five_replicates_on_what_all_agree_on_holds(count: int, expected: str) -> None:
    found = verdict(ALONE, [0.0] * count)
    assert found.verdict == expected
    assert found.decision.chance == 0.5**count
    low, high = found.decision.interval or (math.nan, math.nan)
    assert (low, high) == (pytest.approx(0.05 ** (1 / count)), 1.0)
    assert (
        f"{count} of {count} replicate" in found.decision.strength
        and f"by chance 1 in {2**count:,}" in found.decision.strength
    )
    assert found.decision.needed == (None if count >= 5 else 5)


def test_the_strength_reads_as_a_sentence() -> None:
    assert (
        verdict(ALONE, [0.0] * 5).decision.strength
        == "5 of 5 replicates: at least 55 % of seeds (95 %); by chance 1 in 32"
    )
    assert verdict(ALONE, [2.0] * 5).decision.strength == "0 of 5 replicates: at most 45 % of seeds (95 %)"
    assert (
        verdict(ALONE, [0.0, 0.0, 2.0]).decision.strength
        == "2 of 3 replicates: 14 % to 98 % of seeds (95 % either way)"
    )


def test_what_is_exact_holds_with_one_replicate() -> None:
    found = verdict("final(exact) == 2", [0.0])
    assert (found.verdict, found.decision.strength) == (HOLDS, "exact: nothing random enters it")
    assert verdict("final(exact) > 2", [0.0]).verdict == FAILS
    assert found.decision.chance is None and found.decision.error is None


# -- share -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("met", "count", "share", "expected"),
    [(5, 5, 0.5, HOLDS), (5, 5, 0.6, OPEN), (29, 29, 0.9, HOLDS), (28, 28, 0.9, OPEN), (1, 10, 0.5, FAILS), (9, 10, 0.5, HOLDS), (3, 3, 0.2, SEEN)],
)  # fmt: skip
def test_a_share_is_judged_by_exact_binomial_bounds(met: int, count: int, share: float, expected: str) -> None:
    found = verdict(ALONE, [0.0] * met + [2.0] * (count - met), f"{{share: {share}}}")
    assert found.verdict == expected
    exact = [stats.binomtest(met, count).proportion_ci(0.9, "exact")]
    low, high = found.decision.interval or (math.nan, math.nan)
    assert (low, high) == (pytest.approx(exact[0].low), pytest.approx(exact[0].high))
    assert found.decision.chance == pytest.approx(stats.binom.sf(met - 1, count, share))


def test_an_undefined_replicate_may_or_may_not_meet_a_share() -> None:
    found = verdict(ALONE, [0.0] * 9 + [math.nan], "{share: 0.5}")
    assert found.decision.interval == (
        pytest.approx(stats.beta.ppf(0.05, 9, 2)),
        1.0,
    )
    assert (found.decision.counted, found.decision.undefined) == (9, 1) and "1 undefined" in found.decision.strength


def test_how_many_replicates_would_settle_a_share() -> None:
    count = verdict(ALONE, [0.0] * 4 + [2.0], "{share: 0.5}").decision.needed
    assert count is not None
    met = round(0.8 * count)
    assert stats.binomtest(met, count).proportion_ci(0.9, "exact").low >= 0.5


def test_a_share_that_undefined_replicates_leave_open_asks_for_no_number_of_more() -> None:
    found = verdict(ALONE, [0.0] + [math.nan] * 4 + [2.0] * 5, "{share: 0.5}")
    assert (found.verdict, found.decision.needed) == (OPEN, None)


# -- means -------------------------------------------------------------------------------------------------------------


def test_a_mean_holds_beyond_what_skewed_results_give_and_is_seen_beyond_t() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(10)
    noise = (noise - noise.mean()) / noise.std(ddof=1) * math.sqrt(10)  # standard error 1
    assert verdict(GAP, {"a": noise * 0, "b": noise + 4.6}, "mean").verdict == HOLDS  # 4.52 of SKEWED at 10
    found = verdict(GAP, {"a": noise * 0, "b": noise + 4.2}, "mean")
    assert found.verdict == SEEN and "skewed results could do so" in found.reason
    assert verdict(GAP, {"a": noise * 0, "b": noise + 2.3}, "mean").verdict == SEEN  # 2.262 of t with 9 degrees
    assert verdict(GAP, {"a": noise * 0, "b": noise + 2.2}, "mean").verdict == OPEN
    assert verdict(GAP, {"a": noise * 0, "b": noise - 4.2}, "mean").verdict == OPEN
    assert verdict(GAP, {"a": noise * 0, "b": noise - 4.6}, "mean").verdict == FAILS


def test_means_are_told_with_their_interval_and_margins() -> None:
    gaps = np.array([0.9, 1.1, 1.0, 1.05, 0.95])
    found = verdict(GAP, {"a": gaps * 0, "b": gaps}, "mean")
    low, high = stats.t.interval(0.95, 4, loc=1.0, scale=stats.sem(gaps))
    assert found.decision.interval == (pytest.approx(low), pytest.approx(high))
    assert found.decision.margins == pytest.approx(gaps)
    assert found.decision.strength == f"mean margin 1, 95 % interval {low:.3g} to {high:.3g}, 5 replicates"


def test_zero_gaps_hold_neither_way_and_equality_is_seen_where_it_is_asked_for() -> None:
    same = [1.0, 2.0, 3.0, 4.0, 5.0]
    for operator, expected in (("<", OPEN), (">", OPEN), ("<=", SEEN), (">=", SEEN)):
        found = verdict(GAP.replace("<", operator), same, "mean")
        assert found.verdict == expected, "five of five at the bound may leave a tenth of seeds below it: 0.9^5 = 0.59"
        assert found.decision.needed is None, "more of the same tells no more"
    exact = verdict("final(exact) <= 2", [0.0] * 5, "mean")
    assert (exact.verdict, exact.decision.strength) == (HOLDS, "exact: nothing random enters it")
    assert verdict(GAP, {"a": [0.0] * 5, "b": [1.0] * 5}, "mean").verdict == SEEN, "a margin without spread"


def test_margins_that_are_the_same_are_seen_and_no_more() -> None:
    found = verdict(GAP.replace("<", "<="), {"a": [0.0] * 5, "b": [1.0] * 5}, "mean")
    assert (found.verdict, found.decision.chance) == (SEEN, 1 / 32)
    few = verdict(GAP, {"a": [0.0] * 3, "b": [1.0] * 3}, "mean")
    assert (few.verdict, few.decision.needed) == (SEEN, None), "five of the same would not let it hold"
    rounded = {"a": [0.1, 0.2, 0.3, 0.4, 0.5], "b": [0.4, 0.5, 0.6, 0.7, 0.8]}
    assert verdict(GAP, rounded, "mean").verdict == SEEN, "0.3 to rounding"


def test_an_infinite_margin_has_no_mean() -> None:
    bad = {"a": [math.inf] * 5 + [0.0] * 5, "b": [1.0, 1.1, 1.2, 0.9, 0.8] * 2}
    found = verdict(GAP, bad, "mean")
    assert found.verdict == OPEN and "5 of 10 margins are infinite" in found.reason


def test_margins_of_any_size_are_judged_alike() -> None:
    for scale in (1e-300, 1e-200, 1.0, 1e200, 1e307):
        values = np.array([1.0, -1.0, 2.0, 3.0, -2.0]) * scale
        found = verdict(GAP, {"a": values * 0, "b": values}, "mean")
        assert (found.verdict, found.decision.chance) == (OPEN, pytest.approx(0.80013, abs=1e-4))
    far = verdict(GAP, {"a": [1e-300, 1e300, 1e-300], "b": [1e300, 1e-300, 1e300]}, "geometric_mean")
    assert far.verdict == OPEN and "mean ratio 1e+200" in far.decision.strength


def test_what_skewed_results_leave_open_says_so_and_asks_for_more_replicates() -> None:
    values = np.array([-16.0, -30, -1, -2, -40, -3, -5, -20, -30])
    found = verdict(GAP, {"a": values * 0, "b": values}, "mean")
    assert found.verdict == OPEN and found.reason.startswith("the t interval contradicts the claim")
    assert (found.decision.needed or 0) > found.decision.counted


def test_the_cell_that_is_named_is_the_one_that_chance_explains_best() -> None:
    noise = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    found = verdict("final(m) > 0", {"a": 1 + 0.01 * noise, "b": 100 + 25 * noise}, "mean")
    assert (found.verdict, found.decision.cell) == (HOLDS, "b")


def test_undefined_replicates_are_told_and_not_counted() -> None:
    values = np.array([0.9, 1.1, 1.0, 1.05, 0.95, math.nan])
    found = verdict(GAP, {"a": np.zeros(6), "b": values}, "mean")
    low, high = stats.t.interval(0.95, 4, loc=1.0, scale=stats.sem(values[:5]))
    assert found.decision.interval == (pytest.approx(low), pytest.approx(high))
    assert (found.decision.counted, found.decision.undefined) == (5, 1)
    assert found.decision.strength.endswith("5 replicates; 1 undefined, not counted")
    few = verdict(GAP, {"a": np.zeros(3), "b": np.array([1.0, 1.1, math.nan])}, "mean")
    assert few.verdict == OPEN and "3 replicates or more, but 2 can be judged; 1 undefined" in few.reason
    assert few.reason.endswith("the measure 'm' was undefined (NaN) at step 0 in e/b replicate 2")
    assert few.decision.needed is None, "nothing tells how many of more replicates would be undefined"


def test_what_two_runs_saw_of_a_claim_is_told_with_its_place() -> None:
    found = verdict("final(m) < 1", {"a": [0.5, 0.25], "b": [0.75, 0.125]})
    assert seen(found) == "b: 0.438 (0.125 … 0.75)"
    assert seen(verdict(ALONE, [0.5, 0.25])) == "0.375 (0.25 … 0.5)"


def test_a_geometric_mean_is_judged_on_the_logarithms() -> None:
    ratios = np.exp([0.9, 1.1, 1.0, 1.05, 0.95])
    found = verdict(GAP, {"a": np.ones(5), "b": ratios}, "geometric_mean")
    low, high = np.exp(stats.t.interval(0.95, 4, loc=1.0, scale=stats.sem(np.log(ratios))))
    assert found.verdict == HOLDS
    assert found.decision.strength == f"mean ratio {math.e:.3g}, 95 % interval {low:.3g} to {high:.3g}, 5 replicates"
    negative = verdict(GAP, {"a": np.ones(5), "b": -ratios}, "geometric_mean")
    assert negative.verdict == OPEN and "is ≤ 0 at replicate 0" in negative.reason


@pytest.mark.parametrize(("half", "expected"), [(0.24, HOLDS), (0.13, SEEN), (0.06, OPEN)])
def test_no_better_than_chance_is_shown_by_two_one_sided_tests(half: float, expected: str) -> None:
    values = np.array([0.5, 0.4, 0.6, 0.45, 0.55])  # mean 0.5, standard error 0.0354
    found = verdict(f"within(final(m, variant == a), {0.5 - half}, {0.5 + half})", values, "equivalent")
    ninety = stats.t.ppf(0.95, 4) * stats.sem(values)  # 0.075
    assert found.verdict == expected
    low, high = found.decision.interval or (math.nan, math.nan)
    assert high - low == pytest.approx(2 * ninety)
    assert verdict("within(final(m, variant == a), 0.9, 1.1)", values, "equivalent").verdict == FAILS


def test_with_several_cells_the_worst_is_named_with_an_interval_of_its_own() -> None:
    spread = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    found = verdict("final(m) < 1", {"a": spread - 5, "b": spread + 0.95}, "mean")
    assert found.decision.cell == "b" and "corrected over 2 cells" in found.decision.strength
    half = stats.t.ppf(1 - 0.0125, 4) * stats.sem(spread)
    assert found.verdict == OPEN
    assert found.decision.interval == (pytest.approx(0.05 - half), pytest.approx(0.05 + half))


# -- the best of many evaluations --------------------------------------------------------------------------------------


def _plateau(level: float, seed: int = 0) -> Curve:
    rng = np.random.default_rng(seed)
    noise = {(v, r): rng.standard_normal(50) * 0.0075 for v in "ab" for r in range(5)}
    return lambda v, r: level + noise[v, r]


def test_the_highest_of_fifty_evaluations_of_a_plateau_below_a_threshold_does_not_hold() -> None:
    (found,) = verdicts(["highest(m) >= 0.95"], _plateau(0.94), 5)
    assert found.verdict == SEEN and "what chance adds to the best of many evaluations" in found.reason
    (found,) = verdicts(["highest(m) >= 0.95"], _plateau(0.97), 5)
    assert found.verdict == HOLDS and not found.reason
    (found,) = verdicts(["first_step(m >= 0.95) <= 100"], _plateau(0.94), 5)
    assert found.verdict == SEEN
    (found,) = verdicts(["lowest(m) >= 0.9"], _plateau(0.94), 5)
    assert found.verdict == HOLDS, "what chance adds is against the claim here"


def test_what_is_exact_has_nothing_by_chance() -> None:
    text = SPEC.replace("CLAIMS", 'c: {says: it, check: "highest(exact) >= 3"}').replace("COUNT", "1")
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    replicates = [Replicate("e", variant, {}, 0, "") for variant in ("a", "b")]
    for replicate in replicates:
        for step in range(20):
            replicate.record(step, {"exact": np.float64(step % 2 * 3)})
    assert judge(plan.claims[0], Results.of_plan(plan, replicates)).verdict == HOLDS


def test_the_best_of_few_evaluations_is_the_best_of_all_of_them() -> None:
    (found,) = verdicts(["highest(m) >= 1"], lambda v, r: [0.9, 1.0, 0.9, 0.95, 1.0], 5)
    assert found.verdict == SEEN


def test_a_smooth_curve_has_no_such_excess() -> None:
    (found,) = verdicts(["lowest(m) <= 0.0075"], lambda v, r: np.exp(-np.arange(51) / 10), 5)
    assert found.verdict == HOLDS  # exp(-5) = 0.0067


# -- several claims ----------------------------------------------------------------------------------------------------


def test_claims_of_a_family_hold_together_by_holm() -> None:
    checks = ["final(m, variant == a) < 1", "final(m, variant == b) < 1"]
    alone = verdicts(checks, lambda v, r: [0.0], 5)
    assert [one.verdict for one in alone] == [HOLDS, HOLDS]
    together = verdicts(checks, lambda v, r: [0.0], 5, ", family: both")
    assert [one.verdict for one in together] == [SEEN, SEEN], "1 in 32 is above 5 % / 2"
    assert "judged together with 1 more of 'both'" in together[0].reason
    assert [one.verdict for one in verdicts(checks, lambda v, r: [0.0], 6, ", family: both")] == [HOLDS, HOLDS]


def test_a_claim_of_a_family_that_does_not_hold_counts_among_them() -> None:
    checks = ["final(m, variant == a) < 1", "final(m, variant == b) < 1"]
    together = verdicts(checks, lambda v, r: [0.0 if v == "a" else math.nan], 5, ", family: both")
    assert [one.verdict for one in together] == [SEEN, OPEN], "1 in 32 is above 5 % / 2"


def test_what_a_claim_wants_to_be_false_is_told_as_it_wants_it() -> None:
    found = verdict("not (final(m, variant == a) > 5)", [1.0, 2.0, 3.0, 4.0, 4.5])
    (condition,) = found.evidence
    assert (found.verdict, condition.holds, condition.met) == (HOLDS, False, True)
    assert condition.margins == (4.0, 3.0, 2.0, 1.0, 0.5)
    assert "closest: replicate 4: 4.5" in lines([asdict(condition)])[0]


def test_whether_a_random_training_diverges_is_random_whatever_is_measured() -> None:
    text = (
        SPEC.replace("m: E(f^2), ", "")
        .replace("CLAIMS", 'c: {says: it, check: "not diverged()"}')
        .replace("COUNT", "1")
    )
    (plan,) = spec.resolve(spec.parse(Source("claims.yaml", text))).experiments
    replicates = [Replicate("e", variant, {}, 0, "") for variant in ("a", "b")]
    assert judge(plan.claims[0], Results.of_plan(plan, replicates)).verdict == SEEN


def test_the_best_of_unequally_many_evaluations_is_not_compared() -> None:
    text = SPEC.replace("{batch: 5}", "{evaluate: {every: 20}}").replace("COUNT", "5")
    for check, refused in (
        ("lowest(m, variant == a) < lowest(m, variant == b)", True),
        ("lowest(m) < 1", False),
        (GAP, False),
    ):
        study = spec.parse(Source("c.yaml", text.replace("CLAIMS", f'c: {{says: it, check: "{check}"}}')))
        if refused:
            with pytest.raises(spec.StudyError, match="the best of 101 evaluations is compared with the best of 6"):
                spec.resolve(study)
        else:
            spec.resolve(study)


# -- examples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "expected", "told"),
    [
        (0.951, SEEN, "the margin 0.001 is within the sampling error of 1,000 test examples, ± 0.00604: about 37,000 would be enough"),
        (0.96, HOLDS, ""),
        (0.949, OPEN, "the margin 0.001 is within the sampling error of 1,000 test examples"),
        (0.94, FAILS, ""),
        (0.95, SEEN, "no number of them would be enough"),
    ],
)  # fmt: skip
def test_a_margin_within_the_sampling_error_of_the_examples_decides_nothing(
    rate: float, expected: str, told: str
) -> None:
    text = SPEC.replace("m: E(f^2)", "m: E(f > 0)").replace("examples: 8", "examples: 1000").replace("COUNT", "5")
    study = spec.parse(
        Source("c.yaml", text.replace("CLAIMS", 'c: {says: it, check: "final(m, variant == a) >= 0.95"}'))
    )
    (plan,) = spec.resolve(study).experiments
    replicates = []
    for number in range(5):
        replicate = Replicate("e", "a", {}, number, "")
        replicate.record(0, {"m": np.float64(rate), "exact": np.float64(2)})
        replicates.append(replicate)
    found = judge(plan.claims[0], Results.of_plan(plan, replicates))
    assert found.verdict == expected and told in found.reason
    error = 1.96 * math.sqrt(0.95 * 0.05 / 5 / 1000)
    assert (abs(rate - 0.95) < error) == bool(told)


@pytest.mark.parametrize(
    ("mean", "expected", "told"),
    [
        (0.49, SEEN, "the margin 0.01 is within the sampling error of 1,000 test examples, ± 0.0175: about 3,100 would be enough"),
        (0.48, HOLDS, ""),
        (0.51, OPEN, "the margin 0.01 is within the sampling error"),
        (0.52, FAILS, ""),
    ],
)  # fmt: skip
def test_a_real_measure_has_the_error_that_was_stored_beside_it(mean: float, expected: str, told: str) -> None:
    text = SPEC.replace("examples: 8", "examples: 1000").replace("COUNT", "5")
    study = spec.parse(Source("c.yaml", text.replace("CLAIMS", 'c: {says: it, check: "final(m, variant == a) < 0.5"}')))
    (plan,) = spec.resolve(study).experiments

    def judged(errors: dict[str, Any], older: int = 0) -> Verdict:
        replicates = []
        for number in range(5):
            replicate = Replicate("e", "a", {}, number, "")
            replicate.record(
                0, {"m": np.float64(mean), "exact": np.float64(2)}, error=errors if number >= older else {}
            )
            replicates.append(replicate)
        return judge(plan.claims[0], Results.of_plan(plan, replicates))

    found = judged({"m": np.float64(0.02)})
    assert found.verdict == expected and told in found.reason
    assert (abs(mean - 0.5) < 1.96 * 0.02 / math.sqrt(5)) == bool(told)
    assert judged({"m": np.float64(0.02)}, older=3).reason == found.reason, "two of five know how large it is"
    before = judged({})
    assert before.verdict == (HOLDS if mean < 0.5 else FAILS) and "error" not in before.reason, "of before: no error"


def test_a_measure_that_shows_an_estimate_is_judged_by_the_error_over_training_examples() -> None:
    """It is over the 400 examples that the estimate is taken of, not over those of the test."""
    phases = "phases: {a: {steps: 50}, b: {steps: 50}}"
    text = SPEC.replace("steps: 100", phases).replace("m: E(f^2)", "m: sqrt(taken)").replace("COUNT", "5")
    text = text.replace(
        "    replicates:", '    estimates: {taken: {after: a, of: "f^2", examples: 400}}\n    replicates:'
    )
    text = text.replace("CLAIMS", 'c: {says: it, check: "final(m, variant == a) < 0.5"}')
    (plan,) = spec.resolve(spec.parse(Source("c.yaml", text))).experiments
    replicates = [Replicate("e", "a", {}, number, "") for number in range(5)]
    for replicate in replicates:
        replicate.record(0, {"m": np.float64(0.49), "exact": np.float64(2)}, error={"m": np.float64(0.02)})
    found = judge(plan.claims[0], Results.of_plan(plan, replicates))
    told = (
        "the margin 0.01 is within the sampling error of 400 training examples, ± 0.0175: about 1,300 would be enough"
    )
    assert found.verdict == SEEN and told in found.reason


@cache
def planned(text: str) -> ExperimentPlan:
    (plan,) = spec.resolve(spec.parse(Source("c.yaml", text))).experiments
    return plan


def measured(claim: str, runs: Sequence[Sequence[float]], errors: Sequence[Sequence[float]] | None = None) -> Verdict:
    """The verdict on a claim on the measure m of variant a, or a rate, from each replicate's evaluations and their errors."""
    text = SPEC.replace("m: E(f^2)", "m: E(f^2), rate: E(f > 0)").replace("examples: 8", "examples: 1000")
    plan = planned(text.replace("COUNT", str(len(runs))).replace("CLAIMS", f'c: {{says: it, check: "{claim}"}}'))
    replicates = []
    for number, (values, own) in enumerate(zip(runs, errors or runs, strict=True)):
        replicate = Replicate("e", "a", {}, number, "")
        for step, (one, error) in enumerate(zip(values, own, strict=True)):
            found = {"m": np.float64(one), "rate": np.float64(one), "exact": np.float64(2)}
            replicate.record(step, found, error={"m": np.float64(error)} if errors else {})
        replicates.append(replicate)
    return judge(plan.claims[0], Results.of_plan(plan, replicates))


M, RATE = "final(m, variant == a)", "final(rate, variant == a)"


@pytest.mark.parametrize(
    ("claim", "value", "error", "expected", "margin"),
    [
        (f"sqrt({M}) < sqrt(0.5)", 0.49, 0.02, SEEN, "0.01"),
        (f"sqrt({M}) < sqrt(0.5)", 0.48, 0.02, HOLDS, ""),
        (f"sqrt({M}) < sqrt(0.5)", 0.51, 0.02, OPEN, "0.01"),
        (f"sqrt({M}) < sqrt(0.5)", 0.52, 0.02, FAILS, ""),
        (f"-log({M}) / 2 > -log(0.5) / 2", 0.49, 0.02, SEEN, "0.01"),
        (f"2 < 1 / {M}", 0.49, 0.02, SEEN, "0.01"),
        (f"{M}^2 < {M} / 2", 0.49, 0.02, SEEN, "0.01"),
        (f"abs({M} - 0.4) < 0.1", 0.49, 0.02, SEEN, "0.01"),
        (f"abs({M} - 0.4) < 0.1", 0.41, 0.02, HOLDS, ""),
        (f"within({M}, 0.3, 0.5)", 0.49, 0.02, SEEN, "0.01"),
        (f"within({M}, 0.3, 0.5)", 0.4, 0.02, HOLDS, ""),
        (f"exp({M}) > -1", 0.49, 0.02, HOLDS, ""),
        (f"log({M}) > -99", 0.01, 0.02, HOLDS, ""),
        (f"{M} < 0.5 and {M} > 0", 0.49, 0.02, SEEN, "0.01"),
        (f"{M} < 0.5 and {M} > 1", 0.51, 0.02, FAILS, ""),
        (f"1 - {RATE} <= 0.05", 0.951, 0, SEEN, "0.001"),
        (f"1 - {RATE} <= 0.05", 0.96, 0, HOLDS, ""),
        (f"100 * {RATE} >= 95", 0.949, 0, OPEN, "0.001"),
        (f"log(1 - {RATE}) < log(0.05)", 0.95, 0, OPEN, "0"),
    ],
)  # fmt: skip
def test_a_function_of_a_measure_turns_where_the_measure_reaches_its_threshold(
    claim: str, value: float, error: float, expected: str, margin: str
) -> None:
    found = measured(claim, [[value]] * 5, [[error]] * 5 if error else None)
    assert found.verdict == expected
    assert ("is within the sampling error of 1,000 test examples" in found.reason) == bool(margin)
    assert f"the margin {margin}" in found.reason or not margin


def test_a_condition_that_fails_for_certain_fails_beside_one_that_is_close() -> None:
    """Each alone: the close one is open, the other fails; a comparison of variants is not judged by examples."""
    text = SPEC.replace("m: E(f^2)", "m: E(f > 0)").replace("examples: 8", "examples: 1000").replace("COUNT", "5")
    verdicts = []
    for check in ("final(m) >= 0.95", "final(m, variant == a) >= 0.95", "final(m, variant == b) >= 0.95"):
        study = spec.parse(Source("c.yaml", text.replace("CLAIMS", f'c: {{says: it, check: "{check}"}}')))
        (plan,) = spec.resolve(study).experiments
        replicates = []
        for variant, rate in (("a", 0.949), ("b", 0.5)):
            for number in range(5):
                replicate = Replicate("e", variant, {}, number, "")
                replicate.record(0, {"m": np.float64(rate), "exact": np.float64(2)})
                replicates.append(replicate)
        verdicts.append(judge(plan.claims[0], Results.of_plan(plan, replicates)).verdict)
    assert verdicts == [FAILS, OPEN, FAILS]


def test_the_best_has_the_error_of_the_evaluation_that_is_chosen() -> None:
    """The middle one is the best by far; those beside it have other errors."""
    runs = [[0.1, 0.52, 0.1]] * 5
    claim = "highest(m, variant == a) > 0.5"
    assert measured(claim, runs, [[0, 0.02, 0]] * 5).verdict == HOLDS
    near = measured(claim, runs, [[0, 0.03, 0]] * 5)
    assert near.verdict == SEEN and "the margin 0.02 is within the sampling error" in near.reason
    low = "lowest(m, variant == a) > 0.5"
    assert measured(low, [[0.9, 0.48, 0.9]] * 5, [[0, 0.02, 0]] * 5).verdict == FAILS
    assert measured(low, [[0.9, 0.48, 0.9]] * 5, [[0, 0.03, 0]] * 5).verdict == OPEN
    assert measured("highest(rate, variant == a) >= 0.95", [[0.9, 0.951, 0.9]] * 5).verdict == SEEN


def test_the_error_covers_the_threshold_of_a_function_in_95_percent_of_studies() -> None:
    """1,000 examples of variance 1, five replicates."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(400):
        means = 2 + rng.normal(size=(5, 1)) / math.sqrt(1000)
        found = measured(f"sqrt({M}) < sqrt(2)", means.tolist(), [[1 / math.sqrt(1000)]] * 5)
        covered += "within the sampling error" in found.reason
    assert abs(covered / 400 - 0.95) < 0.035, "three deviations of 400 studies"


def test_one_example_has_no_error_and_the_verdict_says_so() -> None:
    text = SPEC.replace("examples: 8", "examples: 1").replace("COUNT", "5")
    study = spec.parse(Source("c.yaml", text.replace("CLAIMS", 'c: {says: it, check: "final(m, variant == a) < 0.5"}')))
    (plan,) = spec.resolve(study).experiments
    runs = [Replicate("e", "a", {}, number, "", steps=[0], curves={"m": [np.float64(0.1)]}) for number in range(5)]
    assert "one test example has no known sampling error" in judge(plan.claims[0], Results.of_plan(plan, runs)).reason


def test_all_right_of_few_examples_says_little_about_one_in_a_thousand() -> None:
    text = SPEC.replace("m: E(f^2)", "m: E(f > 0)").replace("examples: 8", "examples: 100").replace("COUNT", "5")
    study = spec.parse(
        Source("c.yaml", text.replace("CLAIMS", 'c: {says: it, check: "final(m, variant == a) > 0.999"}'))
    )
    (plan,) = spec.resolve(study).experiments
    runs = [Replicate("e", "a", {}, number, "", steps=[0], curves={"m": [np.float64(1)]}) for number in range(5)]
    found = judge(plan.claims[0], Results.of_plan(plan, runs))
    assert found.verdict == SEEN, "500 of 500 happen in 61 % of runs at a rate of 0.999"
    assert "about 770 would be enough" in found.reason


# -- what the judges state ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 5, 8, 10, 20])
def test_skewed_results_exceed_the_allowance_for_them_in_less_than_a_twentieth_of_studies(count: int) -> None:
    results = np.exp(np.random.default_rng(count).standard_normal((40_000, count))) - math.exp(0.5)
    statistic = results.mean(axis=1) / (results.std(axis=1, ddof=1) / math.sqrt(count))
    share = float((np.abs(statistic) > skewed(count)).mean())
    assert 0.035 < share < 0.05  # 4.5 %, and three of its deviations of 0.1 %


def test_several_claims_say_what_chance_makes_of_them() -> None:
    claims = claims_json(verdicts(["final(m) < 1"] * 8, lambda v, r: [0.0], 3))
    assert f"{1 - (7 / 8) ** 8:.0%}".replace("%", " %") in chance_text(claims), "66 %"
    assert "22 %" in chance_text(claims_json(verdicts(["final(m) < 1"] * 8, lambda v, r: [0.0], 5)))
    assert chance_text(claims[:1]) == ""
    family = claims_json(verdicts(["final(m) < 1"] * 8, lambda v, r: [0.0], 3, ", family: all"))
    assert chance_text(family) == "", "a family is judged together"


def test_every_judge_of_the_table_decides_and_no_other() -> None:
    assert DECISIONS.keys() == JUDGES.keys()
