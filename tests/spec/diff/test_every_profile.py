"""Random edits of random studies with profiles: what differs in any profile is never passed over, and equal meaning never told.

What differs is found without the diff: every profile of both sides is resolved whole, and its digests and claims are compared.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from dlspec.spec.check.memo import Common
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.diff.changes import FACTORS
from dlspec.spec.format import formatted
from dlspec.spec.passes.digests import Digests
from dlspec.spec.resolve.document import Document

from tests.spec.diff.pairs import compared, document, resolved
from tests.spec.diff.random_studies import EDITS, edited, study
from tests.spec.diff.test_properties import spaced, text_of


def meaning(read: Document) -> dict[str, Any]:
    """All cells and claims of each profile: training, measures, steps, samples and replicates; check, judge and family."""
    found: dict[str, Any] = {}
    for profile in (None, *read.study.profiles):
        plan, digests = resolved(read, profile, (), (), Common()), Digests()
        for experiment in plan.experiments:
            for claim in experiment.claims:
                found[f"{profile} {experiment.name} claim {claim.name}"] = (claim.tree, str(claim.judge), claim.family)
            for program in experiment.programs:
                measures = {item.name: digests.measure(program, item) for item in program.measures}
                shown = {(digests.sample(program, term, probe.examples), probe.steps) for probe in program.probes for term in probe.terms.values()}  # fmt: skip
                steps = tuple(program.training.evaluations) if program.training else ()
                found[f"{profile} cell {program.name}"] = (program.digest, measures, steps, shown, program.replicates)
    return found


def trained(read: Document) -> set[str]:
    """The digests of all cells without a profile."""
    plan = resolved(read, None, (), (), Common())
    return {program.digest for experiment in plan.experiments for program in experiment.programs}


def tried(some: random.Random) -> str:
    """One study, some edits and a rewrite; what kind of pair it was. Empty where an edit is no valid study."""
    base = study(some)
    before = text_of(base)
    chosen = [
        (edit, some.choice(["", "", *base["profiles"]]), some.choice([*base["experiments"]]))
        for edit in some.sample(EDITS, some.choice((0, 1, 1, 2, 2, 3)))
    ]
    changed = base
    for edit, profile, experiment in chosen:
        changed = edited(changed, edit, profile, experiment)
    after = text_of(changed)
    rewritten = text_of(spaced(changed, some), some.randint(1, 1000))
    try:
        reads = document(before), document(after)
        meanings = [meaning(read) for read in reads]
        rewritten = formatted(Source("s.yaml", rewritten)) if some.random() < 0.5 else rewritten
    except StudyError:
        return ""
    diff = compared(before, rewritten)
    differs = meanings[0] != meanings[1]
    known = (before, after, diff.headline)
    assert not (differs and diff.same), known
    assert not diff.headline.startswith("no difference") or (diff.same and not diff.changes and not diff.warnings), (
        known
    )
    if some.random() < 0.2:
        assert compared(after, rewritten).same, known
    if not chosen:
        assert diff.same and not diff.changes, known
        return "equal"
    if diff.headline.startswith("one factor"):
        kinds = {edit[0] for edit, profile, experiment in chosen if _trains(base, reads[0], edit, profile, experiment)}
        assert len(kinds) < 2, known
    return f"{len(chosen)} edits: {'different' if differs else 'texts or nothing'}"


def _trains(base: Any, read: Document, edit: Any, profile: str, experiment: str) -> bool:
    """Whether an edit alone decides what is trained, without a profile."""
    if edit[0] not in FACTORS or profile:
        return False
    try:
        return trained(document(text_of(edited(base, edit, profile, experiment)))) != trained(read)
    except StudyError:
        return False


def counted(count: int, seed: int) -> Counter[str]:
    """So many random pairs, and of which kinds they were."""
    some, counts = random.Random(seed), Counter[str]()
    while counts.total() < count:
        if kind := tried(some):
            counts[kind] += 1
    return counts


def test_what_differs_in_any_profile_is_told_and_equal_meaning_is_not() -> None:
    counts = counted(12, seed=1)
    assert counts["equal"] and counts["1 edits: different"] and counts["2 edits: different"]


@pytest.mark.slow
def test_two_thousand_random_edits_of_studies_with_profiles(capsys: pytest.CaptureFixture[str]) -> None:
    counts = counted(2000, seed=2)
    with capsys.disabled():
        print()
        for kind, number in sorted(counts.items()):
            print(f"{number:5} {kind}")
