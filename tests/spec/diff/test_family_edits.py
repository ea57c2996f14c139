"""Random edits of one claim of a family, or of who is in it: what is said of the other one, held against verdicts of both together."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from dlspec.interpreter.results.verdicts import HOLDS, SEEN
from dlspec.interpreter.verdicts.families import judged_together
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.diff.checks import LOOSER, STRICTER
from dlspec.spec.diff.claims import moves
from dlspec.spec.diff.judged_on import JudgedOn
from dlspec.spec.diff.matching import Matching
from dlspec.spec.diff.settings import side
from dlspec.spec.ir.plan import ExperimentPlan
from dlspec.spec.model.layers import LayerDefaults

from tests.spec.diff.test_claim_edits import POOL, Case, drawn, edited_check, edited_judge, resolved, results, written

FAMILIES = ("family: f", "family: f", "family: g", "")
"""What the second claim says: that it is judged with the first, or not."""


def text(first: Case, second: Case, families: tuple[str, str]) -> str:
    """A study with two claims."""
    claims = ", ".join(
        f'{name}: {{says: So., check: "{written(case.check)}", judge: {case.judge}{", " + family if family else ""}}}'
        for name, case, family in (("c", first, families[0]), ("o", second, families[1]))
    )
    head, _, _ = first.text.partition("    claims:")
    return f"{head}    claims: {{{claims}}}\n"


def met(plan: ExperimentPlan, number: int) -> int:
    """How well random results meet the first claim, judged together with the second."""
    found = results(plan, number)
    together = judged_together([judge(claim, found) for claim in plan.claims])
    return {HOLDS: 2, SEEN: 1}.get(together[0].verdict, 0)


def tried(some: random.Random) -> tuple[str, str] | None:
    """What was said of the first claim, and which ways it moved on random results; None where a study is not valid."""
    first, second = drawn(some), drawn(some)
    first.replicates = 5  # one chance in 32: enough alone, and not beside another claim
    second.points, second.variants, second.replicates, second.evaluate = first.points, first.variants, first.replicates, first.evaluate  # fmt: skip
    families = (FAMILIES[0], some.choice(FAMILIES))
    before = text(first, second, families)
    if some.random() < 0.4:
        families = (some.choice((FAMILIES[0], FAMILIES[0], "")), some.choice(FAMILIES))
    else:
        some.choice((edited_check, edited_check, edited_judge))(second, some)
    after = text(first, second, families)
    if before == after:
        return None
    try:
        plans = resolved(before), resolved(after)
    except StudyError:
        return None
    own = moves(JudgedOn(Matching(*(side(plan, LayerDefaults()) for plan in plans))))["c"]
    said = {frozenset(): "unaffected", frozenset({LOOSER}): "loosened", frozenset({STRICTER}): "tightened"}
    told = said.get(frozenset(verdict.direction for verdict in own), "perhaps")
    ways = set()
    for number in some.sample(range(POOL), 12):
        levels = [met(plan, number) for plan in plans]
        if levels[0] != levels[1]:
            ways.add("loosened" if levels[1] > levels[0] else "tightened")
    against = {"loosened": {"tightened"}, "tightened": {"loosened"}, "unaffected": {"loosened", "tightened"}, "perhaps": set()}[told]  # fmt: skip
    assert not ways & against, (told, ways, before, after)
    return told, "seen to matter" if ways else "not seen to matter"


def counted(count: int, seed: int) -> Counter[tuple[str, str]]:
    """So many random edits, none of which may be told wrongly."""
    some, counts = random.Random(seed), Counter[tuple[str, str]]()
    while counts.total() < count:
        if (one := tried(some)) is not None:
            counts[one] += 1
    return counts


def test_no_edit_of_a_family_is_told_the_wrong_way_or_passed_over() -> None:
    counts = counted(14, seed=4)
    assert {told for told, _ in counts} >= {"perhaps", "unaffected", "tightened", "loosened"}


@pytest.mark.slow
def test_three_hundred_random_edits_of_families(capsys: pytest.CaptureFixture[str]) -> None:
    counts = counted(300, seed=5)
    with capsys.disabled():
        print()
        for (told, kind), number in sorted(counts.items()):
            print(f"{number:5} {told}: {kind}")
