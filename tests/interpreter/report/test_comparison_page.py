"""The page of two runs: what differs, verdicts and finals side by side, curves over each other; nothing in it is taken for HTML."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlspec.interpreter.api.run_comparison import Comparison
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.figures.run_comparison import draw
from dlspec.interpreter.results.run_list import RunRecord
from dlspec.interpreter.verdicts.run_comparison import compare
from typer.testing import CliRunner

from .conftest import STUDY, run_in
from .test_page import Read

OTHER = STUDY.replace("steps: 20", "steps: 30").replace("final(error) < 1000", "final(error) < 0.001")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, RunRecord]:
    folder = tmp_path_factory.mktemp("both")
    return run_in(folder, STUDY.replace("<em onclick", "<em ondrag")), run_in(folder, OTHER)


@pytest.fixture(scope="module")
def comparison(both: tuple[RunRecord, RunRecord]) -> Path:
    warnings: list[str] = []
    made = Comparison(*both, warnings.append).report()
    assert warnings == []
    return made


def test_all_that_differs_is_there_and_words_stay_words(both: tuple[RunRecord, RunRecord], comparison: Path) -> None:
    assert comparison.parent.name == "comparisons" and comparison.stem == f"{both[0].name}--{both[1].name}"
    found = Read(comparison.read_text("utf-8"))
    text = " ".join(found.text.split())
    assert "steps, 20 → 30" in text and "training.steps" in text, "the headline, and the change in its place"
    assert "1 of 2 verdicts changed: e.small." in text
    assert "It is <em ondrag" in text and "It is <em onclick" in text, "a sentence that changed stands as both had it"
    assert not {"em", "iframe", "i", "object"} & {tag for tag, _ in found.elements}
    assert "deep, size = 8error0.0952 (0.0476 … 0.143)0.0952 (0.0476 … 0.143)0 in all 3" in found.text
    figures = [given for tag, given in found.elements if tag == "figure"]
    assert [given["id"] for given in figures] == ["figure-e-both"]
    assert "A plain, size = 4" in text and "B plain, size = 4" in text, "the numbers behind the curves"
    places = {given["id"] for _, given in found.elements if "id" in given}
    links = {given["href"] or "" for tag, given in found.elements if tag == "a"}
    assert {link[1:] for link in links} <= places and all(link.startswith("#") for link in links)


def test_the_command_writes_it_also_of_an_archive(
    both: tuple[RunRecord, RunRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = both
    runs = str(first.folder.parent)
    file = tmp_path / "both.html"
    done = CliRunner().invoke(app, ["report", second.name, "--against", first.name, "--runs", runs, "-o", str(file)])
    assert (done.exit_code, done.stdout.strip()) == (0, str(file)), done.stderr
    assert f"A: {first.name}" in file.read_text("utf-8")
    CliRunner().invoke(app, ["pack", first.name, "--runs", runs, "-o", "first.dlspec.zip"])
    done = CliRunner().invoke(app, ["report", second.name, "--against", "first.dlspec.zip", "--runs", runs])
    assert (done.exit_code, done.stdout.strip()) == (0, f"{first.name}--{second.name}.html"), done.stderr
    assert "1 of 2 verdicts changed" in Path(done.stdout.strip()).read_text("utf-8")


def test_what_was_trained_alike_under_another_name_stands_side_by_side(tmp_path: Path) -> None:
    """A sweep that is added around a cell gives it another name, and leaves its numbers."""
    alone = STUDY.replace("sweep: {size: [4, 8]}", "sweep: {}")
    numbers = compare(run_in(tmp_path, alone), run_in(tmp_path))
    errors = {final.program: final for final in numbers.finals if final.measure == "error"}
    assert list(errors) == [
        "plain (B: plain, size = 4)",
        "deep (B: deep, size = 4)",
        "plain, size = 8",
        "deep, size = 8",
    ]
    for name, final in errors.items():
        assert final.same == name.endswith("4)")
        assert len(final.first) == (3 if final.same else 0) and len(final.second) == 3
    (drawn,) = {axis for axis in draw(numbers, tmp_path / "both.svg") if axis.suffix == ".svg"}
    assert "A plain (B: plain, size = 4)" in drawn.read_text("utf-8")
