"""Random studies: a rename beside an edit leaves the edit's changes as they are, and exchanged names need no new cell."""

from __future__ import annotations

import re
from typing import Any

import yaml
from dlspec.spec.diff import StudyDiff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spec.diff.test_properties import EDITS, difference, renamed, studies, text_of

SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = [
    "e",
    "half",
    "offset",
    "dim",
    "gap",
    "step",
    "v",
    "b",
    "f",
    "guess",
    "squared",
    "error",
    "near",
    "longer",
    "cut",
]


def edited(document: Any, name: str) -> Any:
    """A document with one of the edits."""
    (*steps, last), value = EDITS[name]
    changed = yaml.safe_load(yaml.safe_dump(document, sort_keys=False))
    node = changed["experiments"]["e"]
    for step in steps:
        node = node.setdefault(step, {})
    node[last] = value
    return changed


def listed(diff: StudyDiff, old: str = "", new: str = "") -> set[tuple[str | None, ...]]:
    """What changed beside names: paths and values, with one name written otherwise."""
    changes = [(c.label, c.action, c.before, c.after) for c in diff.changes if c.action != "renamed"]

    def now(text: str | None) -> str | None:
        return re.sub(rf"\b{old}\b", new, text) if old and text is not None else text

    return {tuple(map(now, change)) for change in changes}


@SLOW
@given(studies(), st.sampled_from(NAMES), st.sampled_from(sorted(EDITS)))
def test_a_rename_leaves_the_changes_of_an_edit_as_they_are(document: Any, name: str, edit: str) -> None:
    before, after = text_of(document), edited(document, edit)
    alone = difference(before, text_of(after))
    both = difference(before, text_of(renamed(after, name, f"{name}_2")))
    assert [(c.before, c.after) for c in both.changes if c.action == "renamed"] == [(name, f"{name}_2")]
    assert listed(both) == listed(alone, name, f"{name}_2")
    messages = [re.sub(rf"\b{name}\b", f"{name}_2", item.message) for item in alone.warnings]
    assert [item.message for item in both.warnings] == messages


@SLOW
@given(studies(), st.permutations(["plain", "cut", "longer"]))
def test_variants_whose_names_are_exchanged_need_no_new_cell(document: Any, order: list[str]) -> None:
    changed = yaml.safe_load(yaml.safe_dump(document, sort_keys=False))
    variants = changed["experiments"]["e"]["variants"]
    names = dict(zip(variants, order, strict=True))
    changed["experiments"]["e"]["variants"] = {names[name]: patch for name, patch in variants.items()}
    diff = difference(text_of(document), text_of(changed))
    assert {cell.status for cell in diff.cells} <= {"same"}
    moved = {old: new for old, new in names.items() if old != new}
    assert {c.before: c.after for c in diff.changes if c.action == "renamed"} == moved
    assert [c.label for c in diff.changes if c.action != "renamed"] == (
        ["e.claims.learns.check"] if "plain" in moved else []
    )
    assert diff.same == ("plain" not in moved), "the claim speaks of another variant"


@SLOW
@given(studies(), st.permutations(["half", "offset"]), st.permutations(["error", "near"]))
def test_names_exchanged_wherever_they_stand_mean_the_same(
    document: Any, numbers: list[str], judged: list[str]
) -> None:
    text = text_of(document)
    names = dict(zip(["half", "offset", "error", "near"], [*numbers, *judged], strict=True))
    swapped = re.sub(r"\b(half|offset|error|near)\b", lambda match: names[match[1]], text)
    diff = difference(text, swapped)
    assert diff.same and {change.action for change in diff.changes} <= {"renamed"}
