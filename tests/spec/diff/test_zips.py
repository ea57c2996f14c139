"""Axes that go in step: whatever changes which cells there are is said, with those cells."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import StudyDiff, compare

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 4, k: 1, q: 2}
    sweep: {n: [4, 8, 16], k: [1, 2, 3]}
    ZIP
    task: {example: {x: "normal([5])", y: "sum(x) * k"}}
    architecture: {f: {input: x, layers: [dense: {units: n}, dense: 1]}}
    loss: {squared: "(f - y)^2"}
    training: {optimizer: {sgd: {learning_rate: 0.01}}, batch: 32, steps: 100}
    measures: {error: E((f - y)^2)}
    claims: {falls: {says: Width helps., check: "final(error) < 0.5"}}
"""


def study(zipped: str = "", **words: str) -> str:
    text = STUDY.replace("ZIP", f"zip: {zipped}" if zipped else "")
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def difference(before: str, after: str) -> StudyDiff:
    return compare(spec.parse(Source("a", before)), spec.parse(Source("b", after)))


def statuses(diff: StudyDiff) -> list[str]:
    return sorted(cell.status for cell in diff.cells)


def test_a_zip_that_comes_and_goes_is_named_with_its_cells() -> None:
    diff = difference(study("[[n, k]]"), study())
    assert not diff.same and diff.headline.startswith("zip removed: [k, n]") and not diff.warnings
    assert statuses(diff) == ["new"] * 6 + ["same"] * 3
    diff = difference(study(), study("[[n, k]]"))
    assert not diff.same and diff.headline.startswith("zip added: [k, n]; claim `falls` loosened")
    assert statuses(diff) == ["gone"] * 6 + ["same"] * 3
    (change,) = diff.changes
    assert (change.path, change.action, change.scope) == (("zip",), "added", "zip")
    assert change.classes == ("task", "architecture")


def test_values_that_meet_in_another_way_are_other_cells() -> None:
    turned = study("[[n, k]]").replace("[1, 2, 3]", "[3, 2, 1]")
    diff = difference(study("[[n, k]]"), turned)
    assert not diff.same and diff.headline.startswith("zip changed: k=1 n=4, k=3 n=16 → k=3 n=4, k=1 n=16")
    assert statuses(diff) == ["gone", "gone", "new", "new", "same"]
    twice = [study("[[n, k]]").replace("[1, 2, 3]", values) for values in ("[1, 1, 2]", "[1, 2, 2]")]
    assert not difference(*twice).same


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (study("[[n, k]]"), study("[[k, n]]")),
        (study("[[n]]"), study()),
        (study("[[n, k]]"), study("[[k, n]]").replace("n: [4, 8, 16], k: [1, 2, 3]", "k: [3, 1, 2], n: [16, 4, 8]")),
        (study(), study().replace("[1, 2, 3]", "[3, 2, 1]")),
        (study("[[n, k]]"), study("[[n, k]]").replace(" k: ", " kk: ").replace(", k]", ", kk]").replace("* k", "* kk")),
    ],
)
def test_the_same_cells_written_otherwise_are_no_difference(before: str, after: str) -> None:
    diff = difference(before, after)
    assert diff.same and set(statuses(diff)) == {"same"}
