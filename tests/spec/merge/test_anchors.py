"""Anchors and aliases in a merge: an alias follows its anchor, and is written out where it has none any more."""

from __future__ import annotations

import pytest
from dlspec.spec.merge import merged
from dlspec.spec.merge.meaning import data
from dlspec.spec.merge.reading import pieces

BASE = """\
dlspec: 1
study: s
a: &x {p: 3, q: 1}
b: *x
n:
  m: &t |
    one
    two
c: 4
e: 1
o: *t
"""


@pytest.mark.parametrize(("ours", "theirs", "lines"), [
    # an alias stands for what its anchor has now, whoever changed it, and whoever wrote the alias
    ([("p: 3", "p: 5")], [("c: 4", "c: *x")], ["a: &x {p: 5, q: 1}", "c: *x"]),
    ([("p: 3", "p: 5")], [("c: 4", "c: 5")], ["a: &x {p: 5, q: 1}", "c: 5"]),
    ([("p: 3", "p: 5")], [("q: 1", "q: 2")], ["a: &x {p: 5, q: 2}"]),
    ([("two", "three")], [("e: 1", "e: [*t]")], ["three", "e: [*t]"]),
    # one side gave the anchor another name
    ([("&x", "&y"), ("*x", "*y")], [("p: 3", "p: 6")], ["a: &y {p: 6, q: 1}", "b: *y"]),
    ([("&x", "&y"), ("*x", "*y")], [("c: 4", "c: *x")], ["a: &y {p: 3, q: 1}", "b: *y", "c: {p: 3, q: 1}"]),
    # it stands no more: the value is written out
    ([("&x ", ""), ("*x", "{p: 3, q: 1}")], [("c: 4", "c: *x")], ["a: {p: 3, q: 1}", "b: {p: 3, q: 1}", "c: {p: 3, q: 1}"]),
    ([("a: &x {p: 3, q: 1}\nb: *x", "b: {p: 3, q: 1}")], [("c: 4", "c: *x")], ["b: {p: 3, q: 1}", "c: {p: 3, q: 1}"]),
    ([("  m: &t |\n    one\n    two\n", "  r: 2\n"), ("o: *t\n", "")], [("e: 1", "e: *t")], ["r: 2", 'e: "one\\ntwo\\n"']),
    # an anchor that is new on an entry that the other side changed
    ([("c: 4", "c: 5")], [("c: 4", "c: &z 4"), ("e: 1", "e: *z")], ["c: &z 5", "e: *z"]),
    ([("n:\n", "n: &n\n"), ("e: 1", "e: *n")], [("n:\n", "n:\n  r: 2\n")],
     ["n: &n", "r: 2", "e: *n"]),
    # both took one name for two things
    ([("c: 4", "c: &z 4"), ("o: *t", "o: *z")], [("e: 1", "e: &z 1")], ["c: &z 4", "e: &z 1", "o: 4"]),
])  # fmt: skip
def test_aliases_after_a_merge(ours: list[tuple[str, str]], theirs: list[tuple[str, str]], lines: list[str]) -> None:
    texts = []
    for edits in (ours, theirs):
        text = BASE
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        texts.append(text)
    found = merged(BASE, *texts)
    assert found.conflicts == ()
    assert [line.strip() for line in found.text.splitlines() if line not in BASE.splitlines()] == lines
    swapped = merged(BASE, *reversed(texts))
    assert swapped.conflicts == ()
    assert data(pieces(swapped.text)[1]) == data(pieces(found.text)[1])


def test_an_anchored_value_that_both_changed_is_one_conflict_and_its_aliases_stay() -> None:
    found = merged(BASE, BASE.replace("p: 3", "p: 5"), BASE.replace("p: 3", "p: 6"))
    assert [conflict.path for conflict in found.conflicts] == [("a", "p")]
    assert "b: *x" in found.text and "a: &x {p: !conflict {base: 3, ours: 5, theirs: 6}, q: 1}" in found.text
    whole = merged(BASE, BASE.replace("{p: 3, q: 1}", "7"), BASE.replace("{p: 3, q: 1}", "8"))
    assert [conflict.path for conflict in whole.conflicts] == [("a",)] and "b: *x" in whole.text
    resolved = whole.text.replace(whole.text[whole.text.index("!conflict") : whole.text.index("b:")], "&x 7\n")
    assert resolved == BASE.replace("{p: 3, q: 1}", "7")
