"""docs/gallery.md is what the kept results and the examples as they are say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dlspec import spec

from benchmarks import gallery
from benchmarks.kept import NOT_YET

HELD = json.loads(gallery.DATA.read_text("utf-8"))
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
    assert gallery.PAGE.read_text("utf-8") == gallery.page(HELD), "`python -m benchmarks.gallery --page` writes it"
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
    page = gallery.page({"adam": HELD["adam"] | {"claims": others}})
    says = gallery.said(spec.load(gallery.CASES / "adam.yaml").study)[claim["claim"]]
    assert f"- **{NOT_YET}**: {says}" in page
    assert claim["check"] + "`  " not in page
