"""A corpus of edits, each with what the diff has to say of it; and the headline held against the digests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare
from dlspec.spec.diff.changes import FACTORS
from dlspec.spec.diff.study import SideError

FOLDER = Path(__file__).parent
BASE = (FOLDER / "base.yaml").read_text("utf-8")
CORPUS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "corpus.yaml").read_text("utf-8"))


def edited(case: dict[str, Any]) -> str:
    text = BASE
    for old, new in case["edit"]:
        assert old in text, f"{case['name']}: the base has no {old!r}"
        text = text.replace(old, new)
    assert text != BASE
    return text


@cache
def difference(place: int) -> StudyDiff:
    """The difference of a case."""
    sides = (Source("before.yaml", BASE), Source("after.yaml", edited(CORPUS[place])))
    return compare(*(spec.parse(source) for source in sides))


EVERY = pytest.mark.parametrize("place", range(len(CORPUS)), ids=[case["name"] for case in CORPUS])


def test_the_corpus_is_large_and_has_no_name_twice() -> None:
    names = [case["name"] for case in CORPUS]
    assert len(names) >= 40 and len(set(names)) == len(names)
    assert sum(case["same"] for case in CORPUS) >= 10
    assert sum("one factor" in case["headline"] for case in CORPUS) >= 10


@EVERY
def test_an_edit_is_seen_for_what_it_is(place: int) -> None:
    case, diff = CORPUS[place], difference(place)
    assert diff.headline == case["headline"]
    assert diff.same == case["same"]
    assert {change.label: list(change.classes) for change in diff.changes} == case["changes"]
    assert [item.claim for item in diff.warnings] == case["warnings"]
    kinds = ("again", "measures", "steps", "new", "gone")
    cells = {kind: sorted(cell.name for cell in diff.cells if cell.status == kind) for kind in kinds}
    assert {kind: names for kind, names in cells.items() if names} == case["cells"]


@EVERY
def test_one_factor_is_said_only_of_one_value_in_one_part(place: int) -> None:
    """Held against the digests, and against every change that the diff lists, not against the headline's own rules."""
    diff = difference(place)
    trained = [c for c in diff.changes if set(c.classes) & set(FACTORS) and c.action != "renamed" and not c.scope]
    trained = [c for c in trained if not c.respelled and not c.where.profiles]
    if diff.headline.startswith("one factor changed"):
        assert len(trained) == 1 and len(trained[0].classes) == 1
        assert any(cell.status == "again" for cell in diff.cells)
    if diff.same:
        assert all(cell.status == "same" for cell in diff.cells)
    elif not trained:
        assert not diff.headline.startswith(("one factor", "confounded"))


@EVERY
def test_a_cell_must_run_again_only_for_a_reason_that_is_listed(place: int) -> None:
    diff = difference(place)
    again = {cell.variant for cell in diff.cells if cell.status == "again"}
    for variant in again:
        reasons = [c for c in diff.changes if not c.where.variants or variant in c.where.variants]
        assert [c for c in reasons if c.seeds or set(c.classes) & set(FACTORS)]


@EVERY
def test_an_edit_undone_is_no_difference_and_back_is_as_different_as_forth(place: int) -> None:
    text = edited(CORPUS[place])
    back = compare(spec.parse(Source("a", text)), spec.parse(Source("b", BASE)))
    assert back.same == difference(place).same
    assert not compare(spec.parse(Source("a", text)), spec.parse(Source("b", text))).changes


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
