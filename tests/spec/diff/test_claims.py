"""Whether a changed claim asks less, more, or one cannot tell."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare
from dlspec.spec.diff.checks import Ground, moved

BODY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {d: 1, tol: 0.1}
    sweep: {d: [1, 2, 3]}
    task: {example: {x: "normal([d])"}}
    measures: {m: "E(sum(x))", k: "E(sum(x)^2)"}
    claims: {c: {says: So., check: "CHECK"}}
"""

CASES = {
    ("final(m) <= 1", "final(m) <= 2"): {"looser"},
    ("final(m) <= 2", "final(m) <= 1"): {"stricter"},
    ("final(m) >= 1", "final(m) >= 2"): {"stricter"},
    ("1 > final(m)", "2 > final(m)"): {"looser"},
    ("final(m) < 1", "final(m) <= 1"): {"looser"},
    ("final(m) < 0.1 * final(k)", "final(m) < 0.5 * final(k)"): {"looser"},
    ("final(m) < final(k) - 1", "final(m) < final(k) - 2"): {"stricter"},
    ("final(m) < final(k) / 2", "final(m) < final(k) / 4"): {"stricter"},
    ("-final(m) < 1", "-final(m) < 3"): {"looser"},
    ("within(final(m), 0, 1)", "within(final(m), -1, 1)"): {"looser"},
    ("within(final(m), 0, 1)", "within(final(m), 0, 0.5)"): {"stricter"},
    ("not final(m) < 1", "not final(m) < 2"): {"stricter"},
    ("final(m) < 1 and final(k) < 2", "final(k) < 2"): {"looser"},
    ("final(k) < 2", "final(m) < 1 and final(k) < 2"): {"stricter"},
    ("final(k) < 2", "final(m) < 1 or final(k) < 2"): {"looser"},
    ("final(m) < 1", "lowest(m) < 1"): {"looser"},
    ("final(m) > 1", "lowest(m) > 1"): {"stricter"},
    ("final(m) < 1", "final(m, d <= 2) < 1"): {"looser"},
    ("final(m, d <= 2) < 1", "final(m) < 1"): {"stricter"},
    ("final(m) < 1", "final(k) < 1"): {"unknown"},
    ("final(m) < tol", "final(m) < 0.1"): set(),
    ("first_step(m >= 1) <= 5", "first_step(m >= 2) <= 5"): {"stricter"},
    ("first_step(m < 1) <= 5", "first_step(m < 2) <= 5"): {"looser"},
    ("first_step(m >= 1) <= 5", "first_step(m < 2) <= 5"): {"unknown"},
    ("first_step(m >= 1) <= 5", "first_step(m > 1) <= 5"): {"stricter"},
    ("first_step(m == 1) <= 5", "first_step(m == 2) <= 5"): {"unknown"},
    ("final(k) < 0.1 * final(m)", "final(k) < 0.5 * final(m)"): {"unknown"},
    ("final(m) < 1 / final(k)", "final(m) < 2 / final(k)"): {"looser"},
    ("final(m) < final(k) / 2", "final(m) < final(k) / -2"): {"unknown"},
    ("final(m) > final(k) / 2", "final(m) > final(k) / 4"): {"looser"},
    ("not final(m) < 1", "not final(m, d <= 2) < 1"): {"looser"},
    ("not (final(m) < 1 or final(k) < 1)", "not final(m) < 1"): {"looser"},
    ("not (final(m) < 1 and final(k) < 1)", "not final(m) < 1"): {"stricter"},
    ("not (final(m, d == 1) < 1 and final(k, d == 2) < 1)", "not final(m, d == 1) < 1"): {"unknown"},
    ("final(m) < 1 or final(k) < 2", "final(m) < 1 or final(k) < 2 or final(m) > 5"): {"looser"},
    ("final(m) < 1 or final(k) < 2 or final(m) > 5", "final(k) < 2"): {"stricter"},
    ("final(m) < 1 or final(k) < 2", "final(m) < 1 or final(k) < 3"): {"looser"},
    ("final(m) == 1", "final(m) <= 1"): {"looser"},
    ("final(m) < 1", "final(m) != 1"): {"looser"},
    ("final(m) == 1", "final(m) == 2"): {"unknown"},
    ("final(m) == final(k)", "final(k) == final(m)"): set(),
    ("final(m) < 1", "not not 1 > final(m)"): set(),
    ("final(m) < 1 or final(k) < 2", "final(k) < 2 or final(m) < 1"): set(),
    ("final(m, d <= 2) < 1", "final(m, d < 3) < 1"): set(),
    ("final(m, d <= 2) < 1", "final(m, d == 2) < 1"): {"looser"},
    ("final(m, d <= 2) < 1", "final(m, d >= 2) < 1"): {"unknown"},
    ("final(m, d == 2) < final(k, d <= 2)", "final(m, d <= 2) < final(k, d <= 2)"): {"unknown"},
    ("slope(final(m), d) < 1", "slope(final(m), d) < 2"): {"looser"},
    ("slope(final(m), d) < 1", "slope(final(m, d <= 2), d) < 1"): {"unknown"},
    ("exp(final(m)) < 1", "exp(highest(m)) < 1"): {"stricter"},
    ("maximum(final(m), final(k)) < 1", "maximum(lowest(m), final(k)) < 1"): {"looser"},
    ("abs(final(m)) < 1", "abs(lowest(m)) < 1"): {"unknown"},
    ("abs(final(k)) < 1", "abs(lowest(k)) < 1"): {"looser"},
}


def tree(check: str) -> object:
    plan = spec.resolve(spec.parse(Source("s.yaml", BODY.replace("CHECK", check))))
    return plan.experiments[0].claims[0].tree


@pytest.mark.parametrize(("checks", "directions"), CASES.items(), ids=[f"{a} → {b}" for a, b in CASES])
def test_a_check_moves_the_right_way(checks: tuple[str, str], directions: set[str]) -> None:
    ground = Ground(tuple({"d": d} for d in (1, 2, 3)), never_negative=frozenset("k"))
    assert {verdict.direction for verdict in moved(tree(checks[0]), tree(checks[1]), ground)} == directions


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ("judge: {share: 0.9}", "judge: {share: 0.5}", "loosened: it is judged by share 0.5 instead of share 0.9"),
        ("judge: {share: 0.5}", "judge: {share: 0.9}", ""),
        (
            "judge: replicates",
            "judge: mean",
            "perhaps loosened: it is judged by mean instead of replicates: the mean decides, and single replicates may disagree",
        ),
        ("family: f", "judge: replicates", ""),  # no other claim is in it
    ],
)
def test_another_judge_is_warned_of_where_it_may_ask_less(before: str, after: str, note: str) -> None:
    body = BODY.replace('check: "CHECK"', 'check: "final(m) < 1", JUDGE').replace(
        "claims:", "replicates: 60\n    claims:"
    )
    documents = [spec.parse(Source("s.yaml", body.replace("JUDGE", judge))) for judge in (before, after)]
    diff = compare(*documents)
    assert [warned.message for warned in diff.warnings] == ([note] if note else [])
    assert any({"judge", "family"} & set(change.path) for change in diff.changes)
