"""Two directories: files under another name, and experiments that went from one file to another."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlspec.interpreter.api.diff_studies import compared
from dlspec.spec.diff import StudyDiff
from dlspec.spec.diff.sections import consequences

STUDY = """
dlspec: 1
study: {name}
experiments:
{experiments}"""
EXPERIMENT = """  {name}:
    task: {{example: {{x: "normal([{size}])", y: "sum(x)"}}}}
    architecture: {{f: {{input: x, layers: [dense: {{units: 4, activation: {activation}}}, dense: 1]}}}}
    loss: {{squared: "(f - y)^2"}}
    training: {{optimizer: {{sgd: {{learning_rate: 0.01}}}}, batch: 32, steps: 100}}
    measures: {{error: E((f - y)^2)}}
    claims: {{learns: {{says: It learns., check: "final(error) < {bound}"}}}}
"""


def experiment(name: str, size: int = 5, activation: str = "relu", bound: float = 0.1) -> str:
    """An experiment as it is written."""
    return EXPERIMENT.format(name=name, size=size, activation=activation, bound=bound)


WIDE = experiment("wide", 70, "tanh").replace("sgd", "adam").replace("sum(x)", "max(x) * min(x)")


def study(name: str, *experiments: str) -> str:
    """A study as it is written."""
    return STUDY.format(name=name, experiments="".join(experiments))


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two empty directories."""
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    return folders


def difference(
    sides: tuple[Path, Path], before: dict[str, str], after: dict[str, str]
) -> tuple[bool, dict[str, StudyDiff]]:
    """Whether two directories of studies are the same, and their differences by file."""
    for folder, files in zip(sides, (before, after), strict=True):
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    found = compared(str(sides[0]), str(sides[1]), Path("nowhere"))
    return found.same, dict(found.diffs)


def changes(diff: StudyDiff) -> dict[str, tuple[str, str | None, str | None]]:
    """Each change's action and values, by its path."""
    return {change.label: (change.action, change.before, change.after) for change in diff.changes}


def test_a_file_under_another_name_means_the_same(sides: tuple[Path, Path]) -> None:
    text = study("s", experiment("e"))
    same, diffs = difference(sides, {"old.yaml": text}, {"new.yaml": f"# a comment\n{text}"})
    assert same and changes(diffs["new.yaml"]) == {"file": ("renamed", "old.yaml", "new.yaml")}
    assert diffs["new.yaml"].headline == "the same meaning: renamed: file `old.yaml` → `new.yaml`"


def test_a_renamed_file_that_changed_shows_the_change_and_the_loosened_claim(sides: tuple[Path, Path]) -> None:
    before = {"old.yaml": study("s", experiment("e")), "other.yaml": study("t", WIDE)}
    changed = study("s", experiment("e", bound=0.9)).replace("0.01", "0.02")
    same, diffs = difference(sides, before, {"new.yaml": changed, "other.yaml": study("t", WIDE)})
    assert not same and list(diffs) == ["new.yaml"]
    assert changes(diffs["new.yaml"]) == {
        "file": ("renamed", "old.yaml", "new.yaml"),
        "e.training.optimizer.learning_rate": ("changed", "0.01", "0.02"),
        "e.claims.learns.check": ("changed", "final(error) < 0.1", "final(error) < 0.9"),
    }
    assert [item.message for item in diffs["new.yaml"].warnings] == ["loosened: the threshold moved from 0.1 to 0.9"]


def test_an_experiment_that_went_to_another_file_keeps_its_results(sides: tuple[Path, Path]) -> None:
    before = {"one.yaml": study("s", experiment("e"), WIDE), "two.yaml": study("t", experiment("g", 9))}
    after = {"one.yaml": study("s", experiment("e")), "two.yaml": study("t", experiment("g", 9), WIDE)}
    same, diffs = difference(sides, before, after)
    assert not same
    assert diffs["one.yaml"].headline == "experiment `wide` moved to `two.yaml`" and not diffs["one.yaml"].cells
    assert diffs["two.yaml"].headline == "experiment `wide` moved from `one.yaml`"
    assert [(cell.name, cell.status) for cell in diffs["two.yaml"].cells] == [("wide", "same")]
    assert not diffs["one.yaml"].warnings


def test_an_experiment_that_went_to_another_file_and_changed_shows_the_change(sides: tuple[Path, Path]) -> None:
    before = {"one.yaml": study("s", experiment("e"), WIDE), "two.yaml": study("t", experiment("g", 9))}
    looser = WIDE.replace("< 0.1", "< 0.5")
    _, diffs = difference(
        sides,
        before,
        {"one.yaml": study("s", experiment("e")), "new.yaml": study("n", looser), "two.yaml": before["two.yaml"]},
    )
    assert changes(diffs["new.yaml"])["wide.claims.learns.check"][0] == "changed"
    assert [item.claim for item in diffs["new.yaml"].warnings] == ["learns"]
    assert diffs["new.yaml"].headline.startswith("study added; experiment `wide` moved from `one.yaml`")


def test_an_experiment_that_was_copied_is_known_from_the_file_that_it_is_in(sides: tuple[Path, Path]) -> None:
    before = {"one.yaml": study("s", experiment("e"), WIDE), "two.yaml": study("t", experiment("g", 9))}
    _, diffs = difference(sides, before, {**before, "two.yaml": study("t", experiment("g", 9), WIDE)})
    (cell,) = diffs["two.yaml"].cells
    assert (cell.status, cell.known_as) == ("known", "wide in one.yaml")
    assert "known from another cell, stored results stay valid: wide (was wide in one.yaml)" in consequences(
        diffs["two.yaml"]
    )


def test_a_file_that_is_gone_warns_of_its_claims(sides: tuple[Path, Path]) -> None:
    before = {"one.yaml": study("s", experiment("e")), "two.yaml": study("t", WIDE)}
    _, diffs = difference(sides, before, {"one.yaml": before["one.yaml"]})
    assert diffs["two.yaml"].headline == "study removed"
    assert [item.claim for item in diffs["two.yaml"].warnings] == ["learns"]


def test_experiments_of_a_file_that_is_gone_are_where_they_went(sides: tuple[Path, Path]) -> None:
    before = {"one.yaml": study("s", experiment("e")), "two.yaml": study("t", WIDE, experiment("g", 9, "sigmoid", 3))}
    _, diffs = difference(sides, before, {"one.yaml": study("s", experiment("e"), WIDE)})
    assert diffs["two.yaml"].headline == "study removed; experiment `wide` moved to `one.yaml`"
    assert [item.experiment for item in diffs["two.yaml"].warnings] == ["g"]
    assert diffs["one.yaml"].headline == "experiment `wide` moved from `two.yaml`"
