"""Claims whose words stay, judged on something else: other cells, replicates, steps, examples, measures or judges."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 4, noise: 1}
    sweep: {n: [4, 8, 16]}
    task:
      example:
        x: normal([3])
        u: uniform()
        y: sum(x)
        shifted: y + 15 * sign(u)
    architecture: {f: {input: x, layers: [dense: {units: n, activation: tanh}, dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.01}}, batch: 8, steps: 400, evaluate: {every: 20, examples: 500}}
    measures: {error: E((f - y)^2), away: E((f - shifted)^2 * noise), wrong: E(abs(f - y) > 1)}
    replicates: 20
    claims: {c: {says: So., check: "final(error) < 1"}}
"""
UNTRAINED = """
dlspec: 1
study: s
experiments:
  e:
    constants: {bar: 1}
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: {units: 4, activation: tanh}, dense: 1]}}
    outputs: {large: f > bar}
    measures: {size: E(f^2), often: E(large)}
    replicates: 20
    claims: {c: {says: So., check: "final(size) < 1 and final(often) < 0.5"}}
"""


def difference(text: str, *edits: tuple[str, str], check: str = "final(error) < 1") -> StudyDiff:
    """A study compared with itself after some edits, its claim checking something."""
    text = text.replace("final(error) < 1", check)
    after = text
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    return compare(*(spec.parse(Source(name, side)) for name, side in (("a", text), ("b", after))))


CASES = {
    "fewer steps under highest": ("highest(error) < 1", [("every: 20", "every: 200")], "loosened: `highest` is over 3"),
    "fewer steps under lowest": ("lowest(error) < 1", [("every: 20", "every: 200")], "perhaps loosened: `lowest` is over"),
    "fewer steps, not at a floor": ("lowest(error) > 1", [("every: 20", "every: 200")], "loosened: `lowest` is over 3"),
    "fewer steps before an event": ("first_step(error < 1) > 100", [("every: 20", "every: 200")], "loosened: `first_step`"),
    "fewer steps behind an event": (  # what was only seen for its noise may hold
        "first_step(error < 1) < 100", [("every: 20", "every: 200")], "perhaps loosened: `first_step` is over 3",
    ),
    "other steps": ("first_step(error < 1) < 100", [("every: 20", "every: 30")], "perhaps loosened: `first_step` is over"),
    "fewer steps of a longer training": (
        "highest(error) < 1", [("every: 20", "every: 200"), ("steps: 400", "steps: 800")], "loosened: `highest` is over",
    ),
    "what only a measure uses": (
        "final(away) > 9", [("15 * sign", "1 * sign")], "perhaps loosened: `away` is measured otherwise: `shifted` changed",
    ),
    "a constant that only a measure uses": (
        "final(away) > 9", [("noise: 1", "noise: 2")], "perhaps loosened: `away` is measured otherwise: `noise` changed",
    ),
    "the same beside another rate": (
        "final(away) > 9", [("15 * sign", "1 * sign"), ("learning_rate: 0.01", "learning_rate: 0.02")],
        "perhaps loosened: `away` is measured otherwise: `shifted` changed",
    ),
    "a measure beside another rate": (
        "final(away) > 9", [("shifted)^2", "shifted)^4"), ("learning_rate: 0.01", "learning_rate: 0.02")],
        "perhaps loosened: `away` is measured otherwise",
    ),
    "fewer examples": ("final(wrong) < 0.1", [("examples: 500", "examples: 50")],
                       "perhaps loosened: `wrong` is measured over 50 examples instead of 500"),
    "other sweep points": ("final(error) < 1", [("[4, 8, 16]", "[2, 3]")], "perhaps loosened: it looks at other cells: e n=2"),
    "fewer sweep points": ("final(error) < 1", [("[4, 8, 16]", "[4, 8]")], "loosened: it looks at fewer cells, without e n=16"),
    "fewer points of a slope": ("slope(final(error), n) < 0", [("[4, 8, 16]", "[4, 8]")], "perhaps loosened: it looks at fewer"),
    "more points of no order": ("not increasing(final(error), n)", [("[4, 8, 16]", "[4, 8, 16, 32]")],
                                "perhaps loosened: it looks at more cells"),
    "fewer replicates": ("final(error) < 1", [("replicates: 20", "replicates: 10")],
                         "loosened: it is judged over 10 replicates instead of 20"),
    "fewer replicates of a mean": (
        "final(error) < 1", [("says: So.", "judge: mean, says: So."), ("replicates: 20", "replicates: 10")],
        "it is judged by mean instead of replicates",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("check", "edits", "message"), CASES.values(), ids=list(CASES))
def test_a_claim_that_may_ask_less_is_warned_of(check: str, edits: list[tuple[str, str]], message: str) -> None:
    diff = difference(STUDY, *edits, check=check)
    assert [message in warned.message for warned in diff.warnings] == [True], diff.warnings


@pytest.mark.parametrize(
    ("check", "edits"),
    [
        ("final(error) < 1", [("every: 20", "every: 200")]),
        ("final(error) < 1", [("15 * sign", "1 * sign")]),
        ("final(error) < 1", [("learning_rate: 0.01", "learning_rate: 0.02")]),
        ("final(error) < 1", [("steps: 400", "steps: 800")]),
        ("final(error) < 1", [("[4, 8, 16]", "[4, 8, 16, 32]")]),
        ("final(error, n == 4) < 1", [("[4, 8, 16]", "[4, 8]")]),
        ("final(error) < 1", [("replicates: 20", "replicates: 40")]),
        ("final(error, n <= 8) < 1", [("n <= 8", "n < 16")]),
    ],
)
def test_what_asks_no_less_is_not_warned_of(check: str, edits: list[tuple[str, str]]) -> None:
    assert not difference(STUDY, *edits, check=check).warnings


def test_a_claim_of_exact_measures_is_as_good_over_fewer_replicates() -> None:
    exact = STUDY.replace("wrong: E(abs(f - y) > 1)", "wrong: noise + n")
    assert not difference(exact, ("replicates: 20", "replicates: 10"), check="final(wrong) < 20").warnings


@pytest.mark.parametrize(
    ("edit", "warnings"),
    [
        (("activation: tanh", "activation: relu"), []),
        (("bar: 1", "bar: 2"), ["perhaps loosened: `often` is measured otherwise: `bar` changed"]),
        (("f^2", "f^4"), ["perhaps loosened: `size` is measured otherwise"]),
    ],
)
def test_where_nothing_is_trained_measures_are_told_from_what_they_measure(
    edit: tuple[str, str], warnings: list[str]
) -> None:
    assert [warned.message for warned in difference(UNTRAINED, edit).warnings] == warnings
