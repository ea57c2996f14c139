"""What is shown of a claim tells how it came out: a number that fails is never rounded to one that holds, nor the other way round."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.results.verdicts import Verdict
from dlspec.interpreter.verdicts.evidence_text import lines
from dlspec.interpreter.verdicts.run_comparison import seen

from .test_judge import verdict


def shown(found: Verdict) -> str:
    """All that the terminal and the page say of what was seen."""
    return " ".join([found.decision.strength, *lines([asdict(part) for part in found.evidence]), found.reason])


@pytest.mark.parametrize(
    ("comparison", "value", "digits"),
    [
        ("<= 0.05", 0.05001, "0.05001"), ("< 0.05", 0.049999, "0.049999"), ("<= 0.05", 0.05, "0.05"), ("<= 0.06", 0.05001, "0.05"),
        ("<= 0.3", float(np.float32(0.3)), "0.30000001"), ("== 0.3", 3 * 0.1, "0.30000000000000004"),
        (">= 1", 49 * (1 / 49), "0.9999999999999999"), ("> 12345", 12345.5, "12346"), (">= d", 1.99999, "1.99999"),
    ],
)  # fmt: skip
def test_digits_show_on_which_side_of_its_bound_a_number_lies(comparison: str, value: float, digits: str) -> None:
    found = verdict(f"final(error, variant == a, d == 2) {comparison.replace('d', '2')}", lambda *_: value)
    assert found.verdict == ("seen" if found.evidence[0].holds else "fails")
    end = "closest" if found.evidence[0].holds else "farthest off"
    assert lines([asdict(part) for part in found.evidence]) == [f"saw {digits}; {end}: replicate 0: {digits}"]
    assert seen(found) == digits


def test_equal_numbers_beside_one_another_need_no_more_digits_than_others() -> None:
    found = verdict(
        "final(error, variant == a, d == 2) == final(error, variant == b, d == 2)", lambda *_: 0.9777777777777777
    )
    assert shown(found).endswith("0.978 against 0.978 ")


def test_each_place_is_told_from_its_own_bound() -> None:
    found = verdict("within(final(error, variant == a), 0, d)", lambda *_: 2.0001)
    assert "saw d = 1: 2; d = 2: 2.0001; d = 4: 2; farthest off: d = 1, replicate 0: 2" in shown(found)


def test_two_measures_and_neighbours_on_an_axis_are_told_apart() -> None:
    paired = verdict(
        "final(error, variant == a) <= final(error, variant == b)", lambda v, *_: 0.050011 if v == "a" else 0.05001
    )
    assert "0.050011 against 0.05001" in shown(paired)
    along = verdict("increasing(final(error), d)", lambda v, d, *_: 0.05 - 1e-7 * d)
    assert "from 0.0499998 at d = 2 to 0.0499996 at d = 4" in shown(along)


def test_intervals_show_on_which_side_of_nothing_they_end() -> None:
    def near(v: str, d: float, r: int, s: int) -> float:
        return 1.00002 + 1e-7 * r

    ratio = shown(verdict("final(error) > 1", near, "geometric_mean"))
    assert "mean ratio 1.00002" in ratio and "interval 1.0000" in ratio and "interval 1 to" not in ratio
    mean = shown(verdict("final(error) > 1", near, "mean"))
    assert "mean margin 2.01e-05" in mean


def test_a_share_shows_on_which_side_of_the_share_asked_for_it_lies() -> None:
    """Three of three: by Clopper and Pearson at least 0.05^(1/3) = 0.36840 of seeds."""
    bound = 0.05 ** (1 / 3)
    for asked, verdict_wanted, words in (
        (0.3684, "seen", "at least 37 % of seeds"),
        (0.36841, "inconclusive", "at least 36.8 % of seeds"),
    ):
        found: Any = verdict("final(error) > 0", lambda v, d, r, s: 1.0 + r, f"{{share: {asked}}}")
        assert (found.verdict, bound >= asked) == (verdict_wanted, verdict_wanted == "seen")
        assert words in shown(found) and f"asked for {100 * asked:.6g} %" in shown(found)
