"""Errors where all examples agree on a condition: none was seen otherwise, which says as much as Wilson's interval, and not 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.verdicts import HOLDS, OPEN, SEEN
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.few_values import rate_in
from scipy import stats

COUNT = 50
FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
STUDY = f"""
functions: {{"right()": "1.0 * (u < 2)", "sure(a)": "1 if a < 2 else 0"}}
task:
  data: {{test: {COUNT}}}
  example: {{x: "normal([3])", u: "uniform(0, 1)", k: "integer(3)", was: "1.0 * (u < 2)"}}
measures:
  real: E(1.0 * (u < 2))
  called: E(right())
  given: E(sure(u))
  named: E(was)
  chosen: E(1 if u < 2 else -1)
  turned: 1 - E(u > 2)
  percent: 100 * E(u < 2)
  none: 100 * E(u > 2)
  share: E(mean(x < 9))
  many: E(sum(x < 9))
  both: E((u < 2) * (x[0] < 9))
  signed: E(sign(2 - u))
  where_all: E(u < 2, where=k > 0)
  where_none: E(u > 2, where=k > 0)
  where_real: E(1.0 * (u < 2), where=k > 0)
  entries: E(1.0 * (x < [9, 0, 9]))
  some: E(1.0 * (u < 0.5))
  step_only: E(1.0 * (step < 1))
  real_number: E(0 * u)
  scaled: E(0.5 * (u < 2))
replicates: 2
"""


@FORMS
def test_what_all_examples_agree_on_has_the_error_of_wilsons_interval(
    compiled: Callable[..., Compiled], xla: bool
) -> None:
    values, errors = compiled(STUDY, 2, xla).evaluate_with_errors()
    for n in (5, COUNT):  # the error, 1.96 of which are what the interval of n of n leaves
        bound = stats.binomtest(n, n).proportion_ci(0.95, method="wilson").low
        assert 1 - bound == pytest.approx(1.959964 * least(n), rel=1e-6)
    widths = {
        "real": 1, "called": 1, "given": 1, "named": 1, "chosen": 2, "turned": 1, "percent": 100, "none": 100, "share": 1, "many": 3, "both": 1,
        "signed": 2,
    }  # fmt: skip
    for name, width in widths.items():
        np.testing.assert_allclose(errors[name], width * least(COUNT), rtol=1e-12, err_msg=name)
    chosen = values["where_all"] * share_chosen(compiled, xla)
    for name in ("where_all", "where_none", "where_real"):
        np.testing.assert_allclose(errors[name], least(COUNT) / chosen, rtol=1e-7, err_msg=name)
    np.testing.assert_allclose(errors["entries"][:, [0, 2]], least(COUNT), rtol=1e-12)
    rate = values["some"]
    np.testing.assert_allclose(errors["some"], np.sqrt(rate * (1 - rate) / (COUNT - 1)), rtol=1e-9)
    for name in (
        "step_only",
        "real_number",
        "scaled",
    ):  # the same for all examples; of no conditions; of a number that may be swept
        np.testing.assert_array_equal(errors[name], 0, err_msg=name)


def least(count: int) -> float:
    """Of a rate that is 0 or 1 in so many examples: Wilson's bound is z² / (n + z²) away."""
    z = float(stats.norm.ppf(0.975))
    return z / (count + z**2)


def share_chosen(compiled: Callable[..., Compiled], xla: bool) -> Any:
    study = STUDY.replace("  real: ", "  chosen_share: E(1.0 * (k > 0))\n  real: ")
    return compiled(study, 2, xla).evaluate_with_errors()[0]["chosen_share"]


def test_few_of_the_chosen_cover_as_wilsons_interval_does(compiled: Callable[..., Compiled]) -> None:
    """A condition that 97 of 100 meet, over about 33 chosen examples: 95 % of replicates lie within 1.96 errors, or nearly."""
    study = STUDY.replace("replicates: 2", "replicates: 400").replace("where_all: E(u < 2,", "where_all: E(u < 0.97,")
    values, errors = compiled(study, 400, False).evaluate_with_errors()
    value, error = values["where_all"], errors["where_all"]
    alike = value == 1
    assert 0.2 < alike.mean() < 0.6
    assert (np.abs(value - 0.97) <= 1.96 * error)[alike].all(), "all right in the sample leaves 97 % open"


VERDICTS = """
dlspec: 1
study: s
experiments:
  e:
    task: {data: {test: 20}, example: {u: "uniform(0, 1)"}}
    measures: {m: "MEASURE"}
    replicates: 6
    claims: {c: {says: So it is., check: "CHECK"}}
"""
RATES = {
    "E(u < 2)": (0, 1), "1 - E(u > 2)": (1, -1), "100 * E(u < 2)": (0, 100), "E(1.0 * (u < 2))": (0, 1), "E(1 if u < 2 else -1)": (-1, 2),
    "E((u < 2) * (u > -1))": (0, 1), "(E(u < 2) - 1) / 4": (-0.25, 0.25), "-E(2 * (u < 2) - 1)": (1, -2),
}  # fmt: skip


@pytest.mark.parametrize("measure", RATES)
def test_a_rate_is_judged_alike_however_it_is_written(measure: str) -> None:
    """20 of 20 in six replicates: 120 of 120 leave 0.97, and not 0.96, within 1.96 errors of the rate at the threshold."""
    offset, scale = RATES[measure]
    for threshold, expected in ((0.97, SEEN), (0.96, HOLDS)):
        error = 1.96 * math.sqrt(threshold * (1 - threshold) / 120)
        assert (1 - threshold < error) == (expected == SEEN)
        at = offset + scale * threshold
        check = f"final(m) {'>' if scale > 0 else '<'} {at!r}"
        text = VERDICTS.replace("MEASURE", measure).replace("CHECK", check)
        (plan,) = spec.resolve(spec.parse(Source("s.yaml", text))).experiments
        found = rate_in(plan.programs[0].measures[0].term)
        assert found == pytest.approx((offset, scale))
        replicates = []
        for number in range(6):
            replicate = Replicate("e", "", {}, number, "")
            replicate.record(
                0, {"m": np.float64(offset + scale)}, error={} if measure == "E(u < 2)" else {"m": np.float64(0)}
            )
            replicates.append(replicate)
        assert judge(plan.claims[0], Results.of_plan(plan, replicates)).verdict == expected, check
        turned = check.translate(str.maketrans("<>", "><"))
        (plan,) = spec.resolve(spec.parse(Source("s.yaml", text.replace(check, turned)))).experiments
        assert (judge(plan.claims[0], Results.of_plan(plan, replicates)).verdict == OPEN) == (expected == SEEN)


@pytest.mark.parametrize(
    "measure",
    ["E(u)", "E(u < 2)^2", "E(u < 2) * E(u > 1)", "quantile(u, 0.5)", "E(u < 2, where=u > 0)", "E(u * (u < 2))"],
)
def test_what_is_no_rate_is_none(measure: str) -> None:
    text = VERDICTS.replace("MEASURE", measure).replace("CHECK", "final(m) > 0.5")
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", text))).experiments
    assert rate_in(plan.programs[0].measures[0].term) is None
