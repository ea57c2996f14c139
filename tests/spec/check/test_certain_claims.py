"""Claims that no run can decide otherwise are warned of: rates taken for percentages, values compared with themselves."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {{d: 1}}
    sweep: {{d: [1, 2]}}
    functions: {{rate(v): E(v > 0)}}
    task: {{draw: {{u: "uniform(0, 1)"}}, example: {{x: "normal([2]) + u"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    loss: {{l: f^2}}
    training: {{optimizer: adam, batch: 2, steps: 4, evaluate: {{every: 1}}{until}}}
    variants: {{a: {{}}, b: {{training: {{batch: 3}}}}}}
    measures:
      acc: E(f > 0)
      some: "E(f > 0, where=x[0] > 0)"
      far: rate(f)
      err: E(f^2)
      each: E(x > 0)
      percent: 100 * E(f > 0)
      signs: E(1 if f > 0 else -1)
      wrong: 1 - E(1.0 * (f > 0))
    replicates: 5
    claims: {{c: {{says: So it is., check: "{check}"}}}}
"""


def warned(check: str, until: str = "") -> list[str]:
    """What is warned of in a claim, or in a stopping condition."""
    found = spec.resolve(spec.parse(Source("s.yaml", STUDY.format(check=check, until=until)))).warnings
    return [one.message for one in found if "whatever a run gives" in one.message]


@pytest.mark.parametrize(
    ("check", "how"),
    [
        ("final(acc) < 90", "always"), ("final(acc) >= 90", "never"), ("50 < final(some)", "never"), ("final(far) <= 1", "always"),
        ("final(acc) < 0", "never"), ("final(acc) == 95", "never"), ("final(acc) != 95", "always"), ("within(final(acc), 0, 100)", "always"),
        ("within(final(acc), 50, 60)", "never"), ("mean(final(acc), d) > 50", "never"), ("final(each[1]) < 90", "always"),
        ("final(acc, variant == a) > final(acc, variant == b) + 5", "never"), ("final(acc, variant == a) - final(acc, variant == b) < 10", "always"),
        ("first_step(acc >= 95) > 3", "never"), ("final(err) < 1 and final(acc) < 90", "always"), ("not final(acc) > 90", "never"),
        ("final(err) <= final(err)", "always"), ("final(err, variant == a) < final(err, variant == a)", "never"),
        ("final(err) / 2 != final(err) / 2", "never"), ("lowest(acc) > 2 * highest(acc) + 1", "never"),
        ("final(percent) <= 100", "always"), ("final(percent) > 100", "never"), ("final(signs) >= -1", "always"), ("final(wrong) < 2", "always"),
        ("final(err, variant == a) < final(err)", "never"), ("final(err) > final(err, d == 1)", "never"),
        ("final(err, d == 1) != final(err, d == 1, variant == b)", "never"), ("lowest(each[1], variant == a, d == 1) > lowest(each[1])", "never"),
        ("final(err, d == 1, variant == a) < final(err, variant == a, d == 1)", "never"),
    ],
)  # fmt: skip
def test_what_no_run_can_change_is_warned_of(check: str, how: str) -> None:
    (told,) = warned(check)
    assert f" is {how} true" in told


@pytest.mark.parametrize(
    "check",
    [
        "final(acc) < 0.9", "final(acc) >= 1", "final(acc) == 0", "final(err) < 90", "final(percent) < 90", "final(signs) < 0", "within(final(acc), 0.2, 0.4)",
        "100 * final(acc) > 90", "final(acc, variant == a) > final(acc, variant == b)", "final(acc) > final(err)", "first_step(acc >= 0.9) > 30",
        "final(err, d == 1) <= final(err)", "final(acc) > 1 / d", "first_step(acc > 0.5) < 100", "slope(final(acc), d) > 5", "lowest(err) < highest(err)",
        "within(final(acc, variant == a) - final(acc, variant == b), -0.1, 0.1)", "final(acc)^2 > 0.5",
        "final(err, variant == a) < final(err, variant != a)", "final(err, d == 1) < final(err, d == 2)", "final(err, d == 1) < final(acc)",
        "final(err, variant == a) < lowest(err)", "final(each[0], variant == a) < final(each[1])", "final(err, variant == a) >= final(err)",
    ],
)  # fmt: skip
def test_what_hangs_on_a_run_is_not(check: str) -> None:
    assert warned(check) == []


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("acc > 95", "`acc > 95` is never true, whatever a run gives: 'acc' is between 0 and 1"),
        (
            "err < 0.1 and each[1] < 90",
            "`each[1] < 90` is always true, whatever a run gives: 'each' is between 0 and 1",
        ),
        ("err >= err", "`err >= err` is always true, whatever a run gives"),
        (
            "percent - acc > 200",
            "`percent - acc > 200` is never true, whatever a run gives: 'percent' is between 0 and 100",
        ),
    ],
)
def test_what_stops_at_once_or_never_is_warned_of(until: str, told: str) -> None:
    assert warned("final(err) < 1", f", until: '{until}'") == [told]


@pytest.mark.parametrize("until", ["acc > 0.95", "err < 1e-3", "percent > 95", "acc > some", "each[0] == 1"])
def test_what_may_stop_is_not(until: str) -> None:
    assert warned("final(err) < 1", f", until: '{until}'") == []
