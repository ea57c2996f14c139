"""Data files are found from a study's own folder on, wherever its text comes from: a revision, an editor, another folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dlspec.interpreter.api.diff_inputs import read
from dlspec.interpreter.cli.language_session import folder_of
from dlspec.spec import parse, resolve
from dlspec.spec.editor import OpenStudy

STUDY = """dlspec: 1
study: beside
experiments:
  e:
    task: {data: {file: data/d.csv, train: 0.5}, example: {x: d.a}}
    measures: {mean: E(x)}
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repository = tmp_path / "repository"
    (repository / "studies" / "data").mkdir(parents=True)
    (repository / "studies" / "data" / "d.csv").write_text("a\n1.5\n2.5\n3.5\n")
    path = repository / "studies" / "s.yaml"
    path.write_text(STUDY)
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    return path


def test_of_a_revision(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study.parent)
    for side in ("HEAD:studies/s.yaml", "HEAD:./s.yaml", "s.yaml", str(study)):
        assert resolve(parse(read(side))).experiments[0].programs[0].data.train == 1


def test_in_an_editor(study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(OpenStudy("s.yaml", STUDY, folder_of(study.as_uri())).problems()) == 0
    assert "cannot be read" in OpenStudy("s.yaml", STUDY, folder_of("untitled:s.yaml")).problems()[0].message


def test_an_editor_knows_the_columns(study: Path) -> None:
    text = STUDY.replace("x: d.a", "x: d.")
    one = OpenStudy("s.yaml", STUDY, folder_of(study.as_uri()))
    one.problems()
    one.update(text)
    line = next(number for number, words in enumerate(text.splitlines()) if "x: d." in words)
    column = text.splitlines()[line].index("x: d.") + len("x: d.")
    found = {item.label: item.detail for item in one.complete(line, column)}
    assert found == {"a": "real, 1.5 to 3.5"}
