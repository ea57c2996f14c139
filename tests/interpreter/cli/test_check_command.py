"""`dlspec-check`: the commands of the small distribution do what those of the whole do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from dlspec.interpreter.cli.check_command import check

from tests import forked
from tests.forked import MAIN

STUDY = "dlspec: 1\nstudy: s\nexperiments: {e: {constants: {n: 3}, measures: {m: 1 + n}}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(STUDY)
    (tmp_path / "b.yaml").write_text(STUDY.replace("1 + n", "2 + n"))
    (tmp_path / "c.yaml").write_text(STUDY.replace("n: 3", "n: 4"))
    (tmp_path / "wrong.yaml").write_text(STUDY.replace("1 + n", "q + n"))
    return tmp_path


@pytest.mark.parametrize("options", [[], ["--md"], ["--json"]])
@pytest.mark.parametrize("sides", [("a.yaml", "b.yaml"), ("a.yaml", "a.yaml"), ("a.yaml", "wrong.yaml"), ("none.yaml", "a.yaml")])  # fmt: skip
def test_diff_says_what_dlspec_diff_says(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], sides: tuple[str, str]
) -> None:
    code = check(["diff", *sides, *options])
    told = capsys.readouterr()
    command = [sys.executable, "-c", MAIN, "diff", *sides, *(options or ["--md"])]
    whole = forked.run(command, cwd=folder, capture_output=True, text=True, light=True)
    assert (code, told.out, told.err) == (whole.returncode, whole.stdout, whole.stderr)
    assert code == {"b.yaml": 1, "a.yaml": 2 if sides[0] == "none.yaml" else 0, "wrong.yaml": 2}[sides[1]]
    if code == 1:
        assert json.loads(told.out)["same"] is False if options == ["--json"] else "2 + n" in told.out


def test_merge_writes_to_ours_and_ends_as_dlspec_merge(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(["merge", "a.yaml", "b.yaml", "c.yaml", "7", "studies/s.yaml"]) == 0
    both = STUDY.replace("1 + n", "2 + n").replace("n: 3", "n: 4")
    assert (folder / "b.yaml").read_text() == both
    assert capsys.readouterr().err.startswith("studies/s.yaml: merged; ")
    (folder / "c.yaml").write_text(STUDY.replace("1 + n", "5 + n"))
    assert check(["merge", "--stdout", "a.yaml", "b.yaml", "c.yaml"]) == 1
    told = capsys.readouterr()
    assert "m: !conflict {base: 1 + n, ours: 2 + n, theirs: 5 + n}" in told.out and "1 conflict" in told.err
    assert (folder / "b.yaml").read_text() == both
    assert check(["merge", "a.yaml", "b.yaml", "none.yaml"]) == 2
