"""Profiles are part of a study: each difference of one is named, classed, warned of and costed."""

from __future__ import annotations

import json

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare
from dlspec.spec.diff.json_form import data
from dlspec.spec.diff.markdown import markdown
from dlspec.spec.diff.sections import consequences, warned
from dlspec.spec.diff.study import SideError

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 4}
    sweep: {n: [4, 8]}
    task: {example: {x: "normal([5])", y: sum(x)}}
    architecture: {f: {input: x, layers: [dense: {units: n}, dense: 1]}}
    loss: {squared: "(f - y)^2"}
    training: {optimizer: {sgd: {learning_rate: 0.01}}, batch: 32, steps: 100}
    measures: {error: E((f - y)^2)}
    replicates: 4
    claims:
      falls: {says: It falls., check: final(error) < 0.5}
      big: {says: It is large., check: final(error) >= 0.98, judge: mean}
    figures: {error: {kind: curves, y: error}}
  other:
    base: e
    training: {steps: 50}
profiles:
  quick:
    about: A short one.
    experiments:
      e:
        training: {steps: 20}
        replicates: 3
        claims: {big: {check: final(error) >= 0.97}}
        figures: {error: {caption: Short.}}
"""
LOOSER = (">= 0.97", ">= 0.5")


def difference(*edits: tuple[str, str], before: str = STUDY) -> StudyDiff:
    after = before
    for old, new in edits:
        assert after.count(old) == 1, old
        after = after.replace(old, new)
    return compare(spec.parse(Source("a", before)), spec.parse(Source("b", after)))


@pytest.mark.parametrize(
    ("edit", "path", "classes", "warnings"),
    [
        (LOOSER, "claims.big.check", ("claim",), ["e.big in profile quick: loosened: the threshold moved from 0.97 to 0.5"]),
        ((">= 0.97", ">= 0.99"), "claims.big.check", ("claim",), []),
        (("{big: {check: final(error) >= 0.97}}", "{big: null}"), "claims.big", ("claim",), ["e.big in profile quick: removed: It is large."]),
        (("replicates: 3", "replicates: 2"), "replicates", ("measure",), ["e.falls", "e.big"]),
        (("steps: 20", "steps: 30"), "training.steps", ("training",), []),
        (("caption: Short.", "scale: {y: log}"), "figures.error.scale.y", ("figure",), []),
        (("steps: 20}", "steps: 20}\n        seed: 3"), "seed", ("training",), []),
    ],
)  # fmt: skip
def test_a_difference_in_a_profile_alone_is_seen(
    edit: tuple[str, str], path: str, classes: tuple[str, ...], warnings: list[str]
) -> None:
    diff = difference(edit)
    found = {change.label: change for change in diff.changes}[f"e.{path}"]
    assert not diff.same and (found.classes, found.where.profiles) == (classes, ("quick",))
    assert "in profile `quick`" in diff.headline
    assert all(item.profile == "quick" for item in diff.warnings)
    texts = list(warned(diff))
    assert len(texts) == len(warnings)
    assert all(text.startswith(start) for text, start in zip(texts, warnings, strict=True))
    assert {cell.status for cell in diff.cells} == {"same"} and not diff.unchanged.keys() & {"e"}
    trained = classes == ("training",)
    assert {cell.status for cell in diff.profiles["quick"]} == {"again" if trained else "same"}
    assert any("in profile quick: none of 2 cells" in text for text in consequences(diff)) == trained


def test_another_judge_in_a_profile_is_warned_of() -> None:
    diff = difference((">= 0.97}", ">= 0.97, judge: {share: 0.4}}"))
    assert [(item.claim, item.profile) for item in diff.warnings] == [("big", "quick")]
    assert diff.warnings[0].message.startswith("perhaps loosened")


def test_what_differs_without_a_profile_too_is_said_once() -> None:
    diff = difference(('(f - y)^2"}', 'abs(f - y)"}'))
    assert [change.label for change in diff.changes if change.path[0] == "loss"] == [
        "e.loss.squared",
        "other.loss.squared",
    ]
    assert not any(change.where.profiles for change in diff.changes)
    assert {cell.status for cell in diff.profiles["quick"]} == {"again"}
    assert any(text.startswith("in profile quick") for text in consequences(diff))


def test_a_profile_that_comes_or_goes_is_said_with_what_it_changes() -> None:
    without = STUDY[: STUDY.index("profiles:")]
    added = compare(spec.parse(Source("a", without)), spec.parse(Source("b", STUDY)))
    (change,) = added.changes
    assert (change.path, change.action, change.scope) == (("profiles", "quick"), "added", "profile")
    assert [part.label for part in change.parts] == ["e.training.steps", "e.replicates", "e.claims.big.check", "e.figures.error.caption"]  # fmt: skip
    assert change.classes == ("training", "measure", "claim") and not added.same
    (warning,) = added.warnings
    assert (warning.claim, warning.profile) == ("big", "quick") and "0.98 to 0.97" in warning.message
    assert [cell.status for cell in added.profiles["quick"]] == ["new", "new"]
    removed = compare(spec.parse(Source("a", STUDY)), spec.parse(Source("b", without)))
    assert [cell.status for cell in removed.profiles["quick"]] == ["gone", "gone"]
    assert not removed.same and not removed.warnings, "what stays is stricter"
    strict = STUDY.replace(">= 0.97", ">= 0.99")
    removed = compare(spec.parse(Source("a", strict)), spec.parse(Source("b", without)))
    assert [item.message for item in removed.warnings] == [
        "removed with its profile; without it, loosened: the threshold moved from 0.99 to 0.98"
    ]


def test_a_profile_that_trains_nothing_otherwise_has_nothing_to_run() -> None:
    without = STUDY[: STUDY.index("profiles:")]
    judged = without + "profiles: {loose: {experiments: {e: {claims: {big: null}}}}}\n"
    diff = compare(spec.parse(Source("a", without)), spec.parse(Source("b", judged)))
    assert not diff.profiles and not diff.same
    assert [item.message for item in diff.warnings] == ["compared with no profile, removed: It is large."]


def test_a_renamed_profile_is_the_same_and_one_renamed_with_a_change_shows_that() -> None:
    diff = difference(("  quick:", "  fast:"))
    assert diff.same and [change.action for change in diff.changes] == ["renamed"]
    diff = difference(("  quick:", "  fast:"), LOOSER)
    assert not diff.same and [(item.claim, item.profile) for item in diff.warnings] == [("big", "fast")]


def test_an_error_in_a_profile_that_came_is_said() -> None:
    with pytest.raises(SideError) as raised:
        difference(("profiles:\n", "profiles:\n  bad: {experiments: {e: {training: {stepz: 3}}}}\n"))
    assert raised.value.side == "after" and "stepz" in raised.value.problems[0].message


def test_all_forms_say_it() -> None:
    diff = difference(LOOSER)
    form = json.loads(json.dumps(data([("s", diff)])))
    (study,) = form["studies"]
    assert form["same"] is False and study["warnings"][0]["profile"] == "quick"
    assert [cell["status"] for cell in study["profiles"]["quick"]] == ["same", "same"]
    text = markdown([("s", diff)])
    assert "e.big in profile quick: loosened" in text and "in profile quick likewise" in text


def test_a_claim_or_a_curve_that_is_called_as_a_text_is_none() -> None:
    named = STUDY.replace("      falls: {says", "      title: {says")
    diff = difference(("      title: {says: It falls., check: final(error) < 0.5}\n", ""), before=named)
    assert ("e.claims.title", ("claim",)) in [(change.label, change.classes) for change in diff.changes]
