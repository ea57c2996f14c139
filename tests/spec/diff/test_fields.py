"""No field of the models passes unseen: another value of each is a difference, in an experiment and in a profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dlspec.spec.diff import StudyDiff

from tests.spec.diff import field_edits, table_edits
from tests.spec.diff.field_edits import NEUTRAL, REMOVED, Path, base_document, edited, edits, in_profile, text
from tests.spec.diff.pairs import compared

Edit = tuple[str, Path, Any]
ALONE = {
    "Experiment.base",
    "Experiment.variants",
    "Profile.experiments",
    "Experiment.zip",
    "Task.data",
    "Evaluate.log",
    "Training.evaluate",
    "Training.optimizer",
}
"""Edits that replace or need what others change, or are told elsewhere."""
HOW: dict[str, Callable[..., Any]] = {"in the experiment": edited, "in a profile": in_profile}


def told(diff: StudyDiff, path: Path) -> bool:
    """Whether a difference is told at the place of an edit, above it or below it."""
    steps: list[str] = []
    for step in path[1:] if path[0] == "experiments" and len(path) > 2 else path:
        if isinstance(step, int):  # layers are told by their names
            break
        steps.append(step.partition("(")[0])
    for change in diff.changes:
        own = [*([change.experiment] if change.experiment else []), *change.path]
        if not change.opened and all(a == b for a, b in zip(own, steps, strict=False)):
            return True
    return False


def in_rounds(how: str) -> list[list[Edit]]:
    """The edits, sorted into rounds in which no one is of what another one is of."""
    rounds: list[list[Edit]] = []
    alone: list[list[Edit]] = []
    for edit in edits():
        name, path, value = edit
        if how == "in a profile" and path[:2] not in (field_edits.E, field_edits.SWEPT, field_edits.STAGED):
            continue
        if value is REMOVED or name in ALONE:
            alone.append([edit])
            continue
        for own in rounds:
            if not any(_touch(path, other) for _, other, _ in own):
                own.append(edit)
                break
        else:
            rounds.append([edit])
    return rounds + alone


def _touch(one: Path, other: Path) -> bool:
    return all(a == b or {type(a), type(b)} == {int} for a, b in zip(one, other, strict=False))


def test_every_field_has_an_edit_or_a_reason_for_none() -> None:
    held = {name for name, _, _ in edits()}
    assert field_edits.written_by_hand() == held | NEUTRAL.keys()
    assert not held & NEUTRAL.keys()


@pytest.mark.parametrize("how", HOW)
def test_an_edit_of_each_field_is_told_at_its_place(how: str) -> None:
    before = base_document()
    for edits_of_round in in_rounds(how):
        after = before
        for _, path, value in edits_of_round:
            after = HOW[how](after, path, value)
        diff = compared(text(before), text(after))
        assert not diff.same
        unseen = [name for name, path, _ in edits_of_round if name not in ALONE and not told(diff, path)]
        assert not unseen, (unseen, [change.label for change in diff.changes])


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_an_edit_of_each_field_alone_is_a_difference(how: str) -> None:
    before = base_document()
    unseen = []
    for name, path, value in edits():
        if how == "in a profile" and (path[0] != "experiments" or len(path) < 3 or name == "Experiment.base"):
            continue
        diff = compared(text(before), text(HOW[how](before, path, value)))
        if diff.same or (name not in ALONE and not told(diff, path)):
            unseen.append((name, diff.headline))
    assert not unseen


@pytest.mark.parametrize("table", table_edits.TABLES)
def test_another_value_of_each_argument_of_each_row_is_told_at_its_place(table: str) -> None:
    count = 0
    for before, after, changed in table_edits.rounds(table):
        diff = compared(text(before), text(after))
        assert not diff.same
        paths = [change.path for change in diff.changes]
        for row, name in changed:
            steps = [path for path in paths if any(row in step for step in path[:3])]
            assert any(name in path or name == "of" for path in steps), (row, name)
        count += len(changed)
    rows, _ = table_edits.TABLES[table]
    assert count == sum(map(len, rows.values()))
