"""docs/gallery.md is what the kept results and the examples as they are say."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.interpreter.results.registration import FULL, compared, read_registrations, registration_file

from benchmarks import gallery, grids
from benchmarks.kept import NOT_YET, read_kept
from benchmarks.paper import meaning

HELD = json.loads(gallery.DATA.read_text("utf-8"))
DECLARED = read_kept(grids.DATA)
STUDY = """\
dlspec: 1
study: s
title: It is so
about: What it is about.
source: {paper: A paper}
experiments:
  one:
    about: A part.
    measures: {m: 1 + 1}  # a comment
    claims: {so: {says: It is so., check: final(m) == 2}}
profiles: {quick: {experiments: {one: {replicates: 1}}}}
"""


def test_the_page_is_what_the_kept_results_say_of_the_examples_as_they_are() -> None:
    assert list(HELD) == [path.stem for path in gallery.cases()]
    assert gallery.PAGE.read_text("utf-8") == gallery.page(HELD, DECLARED), (
        "`python -m benchmarks.gallery --page` writes it"
    )
    for path in gallery.cases():
        held = HELD[path.stem]
        assert held["study"] == gallery.checksum(path), f"run `python -m benchmarks.gallery --only {path.stem}`"
        assert [claim["claim"] for claim in held["claims"]] == list(gallery.said(spec.load(path).study))
    figures = {name for item in HELD.values() for name in item["figures"]}
    assert figures == {path.name for path in gallery.FIGURES.iterdir()}


@pytest.mark.parametrize(
    ("words", "others"),
    [
        ("title: It is so", "title: It is otherwise"),
        ("about: What it is about.", "about: Something else."),
        ("{paper: A paper}", "{paper: Another}"),
        ("about: A part.", "about: The whole."),
        ("# a comment", "# another"),
        ("says: It is so.", "says: Is it so?"),
        ("replicates: 1", "replicates: 2"),
    ],
)
def test_words_and_profiles_change_without_a_run(tmp_path: Path, words: str, others: str) -> None:
    assert _checksum(tmp_path, STUDY.replace(words, others)) == _checksum(tmp_path, STUDY)


@pytest.mark.parametrize(("before", "after"), [("== 2", "== 3"), ("1 + 1", "1 + 2"), ("so: {says", "other: {says")])
def test_what_is_run_and_judged_does_not(tmp_path: Path, before: str, after: str) -> None:
    assert _checksum(tmp_path, STUDY.replace(before, after)) != _checksum(tmp_path, STUDY)


def _checksum(folder: Path, text: str) -> str:
    (folder / "s.yaml").write_text(text, "utf-8")
    return gallery.checksum(folder / "s.yaml")


def test_a_claim_that_was_not_judged_says_so() -> None:
    claim, *others = HELD["adam"]["claims"]
    page = gallery.page({"adam": HELD["adam"] | {"claims": others}}, {})
    says = gallery.said(spec.load(gallery.CASES / "adam.yaml").study)[claim["claim"]]
    assert f"- **{NOT_YET}**: {says}" in page
    assert claim["check"] + "`  " not in page


def test_nothing_on_the_page_hangs_on_the_folder_that_it_was_made_in() -> None:
    claim = {"evidence": [], "value": 1.0, "range": [0.5, 2.0], "needed": None, "looks": ["holds with 2 replicates"]}
    assert gallery.seen_now(claim) == ["saw 1, from 0.5 to 2"]
    assert "judged before" not in gallery.PAGE.read_text("utf-8")


REGISTERED = [path for path in gallery.cases() if registration_file(path).exists()]


@pytest.mark.parametrize("path", REGISTERED, ids=lambda path: path.stem)
def test_a_registered_case_was_run_as_it_was_registered(path: Path) -> None:
    registration = compared(path, spec.resolve(spec.load(path)))
    assert registration is not None and registration["differences"] == []
    kept = HELD[path.stem]["registration"]
    assert kept == registration
    runs = registration["runs_before"]
    assert (f"UTC, after {runs} earlier run" in gallery.page({path.stem: HELD[path.stem]}, {})) == (runs > 0)


def test_cases_that_were_registered_say_so() -> None:
    assert {path.stem for path in REGISTERED} == {name for name, item in HELD.items() if item.get("registration")}
    assert len(REGISTERED) >= 3


# -- settings that were declared before they were run ---------------------------------------------------------------------


@pytest.mark.parametrize("path", grids.grids(), ids=lambda path: path.stem)
def test_a_grid_is_of_a_case_and_as_it_was_registered(path: Path) -> None:
    assert path.stem in HELD and path.stem in grids.SHOWN
    registration = compared(path, spec.resolve(spec.load(path)))
    assert registration is not None and registration["differences"] == [] and registration["runs_before"] == 0


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_kept_of_a_grid_is_of_all_that_was_declared(name: str) -> None:
    item, path = DECLARED[name], grids.GRIDS / f"{name}.yaml"
    own = read_registrations(path)[FULL]
    assert item["study"] == meaning(path)
    assert {part: own[part] for part in ("time", "digest")} == {
        part: item["registration"][part] for part in ("time", "digest")
    }
    assert item["registration"]["differences"] == []
    (plan,) = spec.resolve(spec.load(path)).experiments
    assert [claim["claim"] for claim in item["claims"]] == [claim.name for claim in plan.claims]
    for part in (*item["claims"], *item["numbers"]):
        every = product(*(plan.axes[axis] for axis in part["axes"]))
        assert [tuple(one["at"]) for one in part["settings"]] == [tuple(map(str, place)) for place in every]
    assert all(
        0 <= one["true"] + one["false"] <= item["replicates"] for claim in item["claims"] for one in claim["settings"]
    )
    assert all(len(one["values"]) == item["replicates"] for number in item["numbers"] for one in number["settings"])


def test_a_grid_tells_each_setting_whichever_way_it_came_out() -> None:
    path = grids.GRIDS / "ring.yaml"
    settings = [{"at": ["usual", "0.1"], "true": 5, "false": 0}, {"at": ["usual", "0.2"], "true": 0, "false": 5},
                {"at": ["other", "0.1"], "true": 1, "false": 3}]  # fmt: skip
    axes = ["variant", "rate"]
    values = [[1.0] * 5, [1.0, 2.0, 3.0, 2.0, 2.0], [4.0, None, 4.0, 4.0, None]]
    item = {
        "replicates": 5,
        "registration": {"time": "2026-01-02T03:04:05+00:00", "runs_before": 0, "differences": []}, "processor": "P", "packages": {"a": "1"}, "numerics": 1,
        "claims": [{"claim": name, "axes": axes, "settings": settings, "verdict": "fails"} for name in ("few", "one")],
        "numbers": [{"called": "modes", "axes": axes, "settings": [{"at": one["at"], "values": own} for one, own in zip(settings, values, strict=True)]}],
    }  # fmt: skip
    told = "\n".join(grids.section(path, item))
    assert (
        told.count("**holds in 1 of 3 settings**; in 1 no replicate agrees; in 1 some do not agree, or are not decided")
        == 2
    )
    assert "| variant | rate | `few` | `one` | modes |" in told
    assert "| usual | 0.1 | 5 of 5 | 5 of 5 | 1 |" in told
    assert "| usual | 0.2 | 0 of 5 | 0 of 5 | 2 (1 … 3) |" in told
    assert "| other | 0.1 | 1 of 5, 1 not decided | 1 of 5, 1 not decided | 4, 2 never |" in told
    assert "as they were registered on 2026-01-02 03:04 UTC. 5 replicates" in told
    assert NOT_YET in "\n".join(grids.section(path, None))
