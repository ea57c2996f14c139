"""A cell whose digest another one had before is known: nothing runs again for it."""

from __future__ import annotations

from dlspec.spec.diff.known_cells import with_known_cells
from dlspec.spec.diff.sections import consequences

from tests.spec.diff.test_renames import BASE, SWEPT, changes, difference


def test_a_variant_that_became_what_another_one_was_is_known() -> None:
    diff = difference(
        ('smooth:\n        loss: {squared: "(soft(score, 5) - y)^2"}', "smooth:\n        gradient: {u: forward_only}"),
        ("forward_only:\n        gradient: {u: forward_only}", "forward_only:\n        gradient: {u: stop}"),
    )
    known = {cell.name: (cell.status, cell.known_as) for cell in diff.cells if cell.status != "same"}
    assert known == {
        "staircase/forward_only": ("again", ""),
        "staircase/smooth": ("known", "staircase/forward_only"),
    }
    assert not diff.same
    assert "known from another cell, stored results stay valid: staircase/smooth (was staircase/forward_only)" in (
        consequences(diff)
    )


def test_more_replicates_or_other_measures_than_are_stored_are_not_known() -> None:
    edits = (
        ('smooth:\n        loss: {squared: "(soft(score, 5) - y)^2"}', "smooth:\n        gradient: {u: forward_only}"),
        ("forward_only:\n        gradient: {u: forward_only}", "forward_only:\n        gradient: {u: stop}"),
    )
    for more in (("replicates: 3", "replicates: 4"), ("E(guess != y)", "E(guess > y)"), ("every: 100", "every: 10")):
        status = {cell.name: cell.status for cell in difference(*edits, more).cells}
        assert status["staircase/smooth"] == "again", more
    status = {cell.name: cell.status for cell in difference(*edits, ("replicates: 3", "replicates: 2")).cells}
    assert status["staircase/smooth"] == "known"


def test_a_swept_value_that_took_the_place_of_another_one_is_known() -> None:
    diff = difference(
        ("dense: 4,", "dense: 40,"),
        ("dense: 40, dense: 1]}}}\n      d", "dense: 80, dense: 1]}}}\n      d"),
        base=SWEPT,
    )
    status = {cell.name: (cell.status, cell.known_as) for cell in diff.cells}
    assert status["e size=small d=4"] == ("known", "e size=large d=4"), changes(diff)
    assert status["e size=large d=4"] == ("again", "")
    assert with_known_cells(diff) == diff


def test_a_figure_of_some_cells_asks_for_these_alone() -> None:
    learnt = "learnt: {kind: function, title: What was learnt, x: r"
    shown = ((learnt, learnt + ", where: variant == smooth"),)
    steps = {cell.name for cell in difference(*shown).cells if cell.status == "steps"}
    assert steps == set(), "fewer are shown"
    narrow = BASE.replace(*shown[0])
    later = (learnt + ", where: variant == smooth", learnt + ", where: variant == smooth, steps: [10]")
    diff = difference(later, base=narrow)
    assert {cell.name for cell in diff.cells if cell.status != "same"} == {"staircase/smooth"}
    moved = (learnt + ", where: variant == smooth", learnt + ", where: variant == forward_only")
    diff = difference(moved, base=narrow)
    assert {cell.name for cell in diff.cells if cell.status != "same"} == {"staircase/forward_only"}


def test_the_order_of_conditions_and_of_steps_has_no_meaning() -> None:
    several = BASE.replace(
        "panel: variant}", "panel: variant, steps: [1, 10, 500], where: [variant != smooth, variant != end_to_end]}"
    )
    assert several != BASE
    swap = (
        ("[1, 10, 500]", "[500, 1, 10]"),
        ("[variant != smooth, variant != end_to_end]", "[variant != end_to_end, variant != smooth]"),
    )
    diff = difference(*swap, base=several)
    assert diff.same and not diff.changes
