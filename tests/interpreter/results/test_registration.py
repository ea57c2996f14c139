"""Registered claims, and earlier looks at them: what a run says of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.api.planning import unsettled
from dlspec.interpreter.results.earlier_looks import earlier_looks, looks_text
from dlspec.interpreter.results.errors import StoreError
from dlspec.interpreter.results.registration import (
    FULL,
    compared,
    read_registrations,
    register,
    registration_file,
    registration_text,
)
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.passes.registration import claim_meaning, judged_on

STUDY = """
dlspec: 1
study: line
experiments:
  e:
    task: {example: {x: "normal([3])"}}
    measures: {m: E(sum(x))}
    replicates: 5
    claims:
      small: {says: It is small., check: final(m) < 1}
      none: {says: It is none., check: "within(final(m), -0.1, 0.1)", judge: equivalent}
profiles:
  quick: {experiments: {e: {replicates: 3}}}
"""


def plan(text: str = STUDY, profile: str | None = None, folder: str = "") -> spec.StudyPlan:
    return spec.resolve(spec.parse(Source("line.yaml", text, folder)), profile)


def test_what_was_registered_is_the_same_after_changes_that_mean_nothing(tmp_path: Path) -> None:
    study = tmp_path / "line.yaml"
    assert compared(study, plan()) is None, "nothing is registered"
    assert register(study, plan(), 0, {}) == registration_file(study) == tmp_path / "line.registered.json"
    same = (
        STUDY.replace("It is small.", "It is not large.")
        .replace("final(m) < 1", "final(m) < 1.0")
        .replace("sum(x)", "sum( x )")
    )
    found = compared(study, plan(same))
    assert found is not None and found["differences"] == []
    assert registration_text(found)[0].startswith("claims and design are as registered on 20")
    assert compared(study, plan(profile="quick")) is None, "a profile is registered by itself"
    register(study, plan(profile="quick"), 0, read_registrations(study))
    assert read_registrations(study).keys() == {FULL, "quick"}, "the other stays"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("final(m) < 1", "final(m) < 2", "claim e.small: check `final(m) < 1` → `final(m) < 2`"),
        ("judge: equivalent", "judge: {share: 0.5}", "claim e.none: judge `equivalent` → `share 0.5`"),
        ("judge: equivalent", "judge: equivalent, family: f", "claim e.none: family `none` → `f`"),
        ("      small: {says: It is small., check: final(m) < 1}\n", "", "claim e.small: registered, and not asked"),
        ("replicates: 5", "replicates: 6", "experiment e: replicates 5 → 6"),
        ("replicates: 5", "replicates: 5\n    seed: 1", "experiment e: seeds 0 → 1"),
        ("normal([3])", "normal([4])", "experiment e: other training, tasks or measures"),
    ],
)
def test_every_change_of_claims_or_design_is_told(old: str, new: str, line: str, tmp_path: Path) -> None:
    study = tmp_path / "line.yaml"
    register(study, plan(), 2, {})
    assert old in STUDY
    found = compared(study, plan(STUDY.replace(old, new)))
    assert found is not None and found["differences"] == [line]
    assert registration_text(found)[0].endswith("after 2 earlier runs:")


def test_a_damaged_registration_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    study = tmp_path / "line.yaml"
    for text, why in (
        ("{", "Expecting"),
        ('{"format_version": 9}', "format_version is 9"),
        ("{}", "it has no 'format_version'"),
    ):
        registration_file(study).write_text(text, "utf-8")
        with pytest.raises(StoreError, match=why):
            compared(study, plan())


def _run(root: Path, name: str, about: Mapping[str, Any], claims: list[dict[str, Any]]) -> None:
    (root / name).mkdir()
    (root / name / "run.json").write_text(
        json.dumps({"study": "line", "finished": "2026-01-01T00:00:00+00:00", **about}), "utf-8"
    )
    (root / name / "claims.json").write_text(json.dumps(claims), "utf-8")


def test_earlier_looks_are_those_on_other_data(tmp_path: Path) -> None:
    claim = {"id": "e.small", "says": "", "check": "final(m) < 1", "verdict": "holds", "counted": 5, "undefined": 0}
    seeds = {"seeds": {"e": [0]}}
    _run(tmp_path, "same", seeds, [claim])
    _run(tmp_path, "three", seeds, [{**claim, "counted": 3, "verdict": "seen"}])
    _run(tmp_path, "again", seeds, [{**claim, "counted": 3, "verdict": "seen"}])
    _run(tmp_path, "seed", {"seeds": {"e": [7]}}, [{**claim, "verdict": "fails"}])
    _run(tmp_path, "open", {"seeds": {"e": [8]}}, [{**claim, "verdict": "inconclusive"}])
    _run(tmp_path, "other_check", {"seeds": {"e": [9]}}, [{**claim, "check": "final(m) < 2"}])
    old = {key: value for key, value in claim.items() if key not in ("counted", "undefined")}
    _run(tmp_path, "format_1", {"seeds": {"e": [11]}}, [old])
    _run(tmp_path, "quick", {**seeds, "profile": "quick"}, [{**claim, "counted": 1, "verdict": "seen"}])
    _run(tmp_path, "other_study", {"study": "other", "seeds": {"e": [5]}}, [claim])
    looks = earlier_looks(tmp_path, "line", {"profile": "", **seeds}, [claim])
    assert sorted(looks["e.small"]) == [
        "fails with seed 7",
        "holds by `final(m) < 2` with seed 9",
        "seen with 3 replicates",
        "seen with profile quick, 1 replicate",
    ]
    assert looks_text(looks["e.small"]).startswith("judged differently before, 4×: ")


def test_earlier_looks_at_other_data_or_by_other_checks_are_told(tmp_path: Path) -> None:
    """Files, training, measures, constants and judges that are others, under other names, too; what means the same is no look."""

    def claims(text: str) -> list[dict[str, Any]]:
        (item,) = plan(text, folder=str(tmp_path)).experiments
        marks = judged_on(item, item.claims)
        return [
            {
                "id": f"e.{one.name}",
                "check": one.text,
                "verdict": "fails",
                "counted": 5,
                "undefined": 0,
                "meaning": claim_meaning(one),
                "judged_on": marks[one.name],
            }
            for one in item.claims
            if one.name != "none"
        ]

    data = tmp_path / "rows.csv"
    rows = STUDY.replace('{example: {x: "normal([3])"}}', "{data: {file: rows.csv}, example: {x: rows.v}}").replace(
        "sum(x)", "1.0 * x"
    )
    rows = rows.replace("final(m) < 1", "final(m) < c").replace("    task:", "    constants: {c: 1}\n    task:")
    about = {"seeds": {"e": [0]}, "language": 1, "numerics": 1}
    data.write_text("v\n1\n2\n3\n")
    _run(tmp_path, "constant", about, claims(rows.replace("{c: 1", "{c: 2")))
    _run(tmp_path, "spaced", about, claims(rows.replace("final(m) < c", "final( m ) < c")))
    _run(tmp_path, "renamed", about, claims(rows.replace("small:", "tiny:").replace("E(1.0 * x)", "E(2.0 * x)")))
    _run(tmp_path, "same", about, claims(rows))
    data.write_text("v\n1\n2\n4\n")
    _run(tmp_path, "file", about, claims(rows))
    _run(tmp_path, "older", {**about, "numerics": 0}, claims(rows))
    data.write_text("v\n1\n2\n3\n")
    looks = earlier_looks(tmp_path, "line", {"profile": "", **about}, claims(rows))
    assert sorted(looks["e.small"]) == [
        "fails by another judge, family or constant",
        "fails with other cells, data, training or measures",
    ]


def test_plan_says_what_would_settle_the_claims_of_the_newest_run(tmp_path: Path) -> None:
    claim = {"id": "e.small", "says": "", "check": "final(m) < 1", "verdict": "inconclusive", "needed": 12}
    _run(tmp_path, "old", {"finished": "2025-01-01T00:00:00+00:00"}, [{**claim, "needed": 99}])
    _run(tmp_path, "new", {}, [claim, {**claim, "id": "e.none", "check": "another check"}])
    (tmp_path / "new" / "spec.yaml").write_text(STUDY.replace("replicates: 5", "replicates: 3"), "utf-8")
    assert unsettled(plan(), tmp_path, print) == [
        {"id": "e.small", "verdict": "inconclusive", "needed": 12, "run": "new"}
    ]
    assert unsettled(plan(profile="quick"), tmp_path, print) == [], "a profile has runs of its own"
    (tmp_path / "new" / "spec.yaml").write_text(STUDY.replace("normal([3])", "normal([4])"), "utf-8")
    assert unsettled(plan(), tmp_path, print) == [], "the same words of other numbers"
