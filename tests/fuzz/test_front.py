"""A share of the fuzzer, the same each time: no wall-clock times, and nothing but errors with a remedy."""

from __future__ import annotations

from tests.fuzz.front import Tally, corpus, examine, mutant, run


def test_mutants_end_as_plans_or_as_errors_that_say_what_to_do() -> None:
    tally = run(seed=15, count=150, timed=False)
    assert not tally.faults, next(iter(tally.faults.items()))
    assert tally.inputs == 150 and tally.errors > 100
    assert not tally.bare, tally.bare


def test_a_seed_gives_the_same_mutants() -> None:
    import random

    texts = corpus()
    assert [mutant(texts, random.Random(3)) for _ in range(2)] == [mutant(texts, random.Random(3)) for _ in range(2)]


def test_a_fault_is_told_as_one() -> None:
    tally = Tally()
    examine("dlspec: 1\n", tally, timed=False)
    assert tally.inputs == 1 and tally.errors >= 1 and not tally.faults
