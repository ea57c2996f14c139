"""Random claims: judges say what a second evaluator says. `python -m tests.fuzz.claims`, and `.judges`, judge more."""

from __future__ import annotations

from collections import Counter

from tests.fuzz import judges
from tests.fuzz.claims import judged, wrong

SETS = 12


def test_verdicts_are_those_of_a_second_evaluator() -> None:
    found = [one for seed in range(SETS) for one in judged(seed, 12)]
    assert [one for one in found if wrong(*one)] == []
    decided = Counter(worth for _, worth, _ in found)
    assert len(found) > 9 * SETS and min(decided[worth] for worth in ("true", "false", "open")) > SETS


def test_each_judge_says_what_plain_arithmetic_says() -> None:
    found = [one for seed in range(SETS) for one in judges.judged(seed, 12)]
    assert [one for one in found if judges.wrong(*one)] == []
    decided = Counter(worth for _, worth, _ in found)
    assert len(found) > 8 * SETS and min(decided[worth] for worth in ("holds", "seen", "fails", "inconclusive")) >= 2
