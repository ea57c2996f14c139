"""`dlspec report` on the command line, over folders of runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dlspec.interpreter.cli.app import app
from typer.testing import CliRunner


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for day, name in ((1, "old"), (3, "new"), (2, "middle")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        told = {"study": "small", "profile": "", "finished": datetime(2026, 1, day, tzinfo=UTC).isoformat()}
        (folder / "run.json").write_text(json.dumps(told))
    return tmp_path / "runs"


def test_the_newest_run_by_default_and_a_named_one(runs: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", "--runs", str(runs)])
    assert done.exit_code == 0 and done.stdout.strip() == str(runs / "new" / "report.html")
    assert "2026-01-03" in (runs / "new" / "report.html").read_text("utf-8")
    done = CliRunner().invoke(app, ["report", "ol", "--runs", str(runs), "-o", str(tmp_path / "page.html")])
    assert done.exit_code == 0 and done.stdout.strip() == str(tmp_path / "page.html")
    assert "2026-01-01" in (tmp_path / "page.html").read_text("utf-8") and not (runs / "old" / "report.html").exists()


def test_what_cannot_be_is_said(runs: Path, tmp_path: Path) -> None:
    for arguments, words in (
        (["nowhere", "--runs", str(runs)], "there is no run 'nowhere'"),
        (["--runs", str(tmp_path / "empty")], "no runs yet"),
        (["new", "--runs", str(runs), "-o", str(tmp_path / "no" / "such" / "page.html")], "No such file or directory"),
    ):
        error = CliRunner().invoke(app, ["report", *arguments]).exception
        assert error is not None and words in str(error)
