"""A corpus of edits, each with what the diff has to say of it; and the headline held against the digests."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare
from dlspec.spec.diff.changes import FACTORS, Cell
from dlspec.spec.diff.sections import warned
from dlspec.spec.diff.study import SideError

from tests.spec.diff.pairs import BOTH_WAYS, FOLDER, PAIRS, Pair, difference, same_when_undone, text_of

BASE = (FOLDER / "base.yaml").read_text("utf-8")
VALID = [pair for pair in PAIRS if pair.exit != 2]


def marked(pair: Pair) -> object:
    """A pair as a test's parameter; one that is not met yet has to fail."""
    marks = [pytest.mark.xfail(reason=pair.pending, strict=True)] if pair.pending else []
    return pytest.param(pair, id=pair.name, marks=marks)


def _trained(cell: Cell) -> bool:
    return any(side is not None and side.steps for side in (cell.before, cell.after))


def _other_numbers(cell: Cell) -> bool:
    """Whether a cell is trained otherwise; where nothing is trained, measured otherwise at initialisation."""
    if cell.before is None or cell.after is None:
        return False
    return cell.before.digest != cell.after.digest or (not _trained(cell) and cell.status in ("again", "measures"))


EVERY = pytest.mark.parametrize("pair", VALID, ids=lambda pair: pair.name)


def test_the_corpus_is_large_and_has_no_name_twice() -> None:
    names = Counter(pair.name for pair in PAIRS)
    assert len(names) >= 250 and not [name for name, count in names.items() if count > 1]
    assert len({pair.study for pair in PAIRS}) >= 10
    assert sum(pair.exit == 0 for pair in PAIRS) >= 50
    assert sum("one factor" in str(pair.headline) for pair in PAIRS) >= 100
    assert sum(bool(pair.warnings) for pair in PAIRS) >= 100


@pytest.mark.parametrize("pair", [marked(pair) for pair in VALID])
def test_an_edit_is_seen_for_what_it_is(pair: Pair) -> None:
    faults = pair.faults(difference(pair.name))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.exit == 2], ids=lambda pair: pair.name)
def test_a_side_that_is_no_valid_study_is_refused(pair: Pair) -> None:
    with pytest.raises(spec.StudyError):
        difference(pair.name)


@EVERY
def test_one_factor_is_said_only_of_one_value_in_one_part(pair: Pair) -> None:
    """Held against the digests, and against every change that the diff lists, not against the headline's own rules."""
    diff = difference(pair.name)
    trained = [c for c in diff.changes if set(c.classes) & set(FACTORS) and c.action != "renamed" and not c.scope]
    trained = [c for c in trained if not c.respelled and not c.where.profiles]
    if diff.headline.startswith("one factor changed"):
        values = {(change.path, change.before, change.after, change.classes) for change in trained}
        assert len(values) == 1 and len(trained[0].classes) == 1  # one value, that several experiments may share
        assert any(_other_numbers(cell) for cell in diff.cells)
    if diff.same:
        assert all(cell.status == "same" for cell in diff.cells)
    elif not trained:
        assert not diff.headline.startswith(("one factor", "confounded"))


@EVERY
def test_no_clause_of_a_headline_names_an_experiment_twice(pair: Pair) -> None:
    for clause in difference(pair.name).headline.split("; "):
        named = re.findall(r" (?:in experiment|variants? [^;]*? of) (`\w+`)", clause)
        assert len(named) == len(set(named)), clause


def test_warnings_that_say_the_same_of_several_claims_are_one_line() -> None:
    diff = difference("fewer replicates in a profile")
    names = "learns, mostly, mean, ratio, chance, best, least, soon, early, slope, rising, sane and other"
    assert len(diff.warnings) == 13
    assert list(warned(diff)) == [
        f"signs: {names} in profile quick: loosened: it is judged over 2 replicates instead of 3"
    ]


@EVERY
def test_a_cell_must_run_again_only_for_a_reason_that_is_listed(pair: Pair) -> None:
    diff = difference(pair.name)
    for cell in [cell for cell in diff.cells if cell.status == "again"]:
        experiment, variant = cell.experiment, cell.variant
        own = [change for change in diff.changes if change.experiment in ("", experiment)]
        reasons = [c for c in own if not c.where.variants or not variant or variant in c.where.variants]
        # where nothing is trained, all there is may have to be measured again, over more examples say
        parts = {*FACTORS} if _trained(cell) else {*FACTORS, "measure"}
        assert [c for c in reasons if c.seeds or set(c.classes) & parts]


@pytest.mark.parametrize("pair", [pair for pair in VALID if pair.name in BOTH_WAYS], ids=lambda pair: pair.name)
def test_an_edit_undone_is_as_different_as_done(pair: Pair) -> None:
    assert same_when_undone(pair.name) == difference(pair.name).same


@pytest.mark.parametrize("study", sorted({pair.study for pair in PAIRS}))
def test_a_study_differs_in_nothing_from_itself(study: str) -> None:
    text = text_of(study)
    diff = compare(*(spec.parse(Source("study.yaml", text)) for _ in range(2)))
    assert not diff.changes and diff.same


def test_what_a_derived_experiment_takes_over_is_one_change_said_once() -> None:
    derived = BASE.replace("  width:\n", "  again:\n    base: staircase\n    training: {steps: 500}\n  width:\n")
    sides = (Source("a", derived), Source("b", derived.replace("batch: 64", "batch: 32")))
    diff = compare(*(spec.parse(source) for source in sides))
    assert diff.headline == "one factor changed: batch, 64 → 32 in experiments `staircase` and `again`"
    sides = (
        Source("a", derived),
        Source("b", derived.replace("batch: 64", "batch: 32").replace("steps: 500", "steps: 600")),
    )
    diff = compare(*(spec.parse(source) for source in sides))
    assert "one factor" not in diff.headline


def test_a_name_that_seems_unused_and_is_not_is_never_passed_over() -> None:
    """Digests have the last word, whatever the rules of names say."""
    from dlspec.spec.diff import classes

    text = BASE.replace("normal([d]) / d", "normal([d]) / (d + 1)")
    live = classes.Reach._part
    classes.Reach._part = lambda self, path: "text"  # type: ignore[method-assign]
    try:
        diff = compare(spec.parse(Source("a", BASE)), spec.parse(Source("b", text)))
    finally:
        classes.Reach._part = live  # type: ignore[method-assign]
    assert [change.classes for change in diff.changes] == [("task",)]


def test_an_error_in_a_profile_of_an_experiment_that_is_the_same_is_said() -> None:
    bad = BASE.replace(
        "experiments:\n      staircase: {training",
        "experiments:\n      width: {training: {stepz: 3}}\n      staircase: {training",
    )
    assert bad != BASE
    sides = (Source("a", bad), Source("b", bad.replace("batch: 64", "batch: 32")))
    with pytest.raises(SideError) as raised:
        compare(*(spec.parse(source) for source in sides))
    assert raised.value.side == "after"
    (problem,) = raised.value.problems
    assert "stepz" in problem.message and problem.span is not None and problem.span.source.name == "b"
