"""The revision of a study, in repositories made for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dlspec.interpreter.results.git_revision import revision


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *settings, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "one.yaml"
    path.write_text("dlspec: 1\n")
    git(tmp_path, "init", "-q")
    return path


def test_a_commit_and_what_differs_from_it(study: Path) -> None:
    root = study.parents[1]
    assert revision(study) is None, "no commit yet"
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    commit = git(root, "rev-parse", "HEAD")
    assert revision(study) == {"commit": commit, "dirty": False}
    (root / "runs").mkdir()
    (root / "runs" / "run.json").write_text("{}")
    assert revision(study) == {"commit": commit, "dirty": False}, "what runs leave doesn't count"
    study.write_text("dlspec: 1\n# changed\n")
    assert revision(study) == {"commit": commit, "dirty": True}
    other = study.with_name("other.yaml")
    git(root, "checkout", "-q", ".")
    other.write_text("dlspec: 1\n")
    assert revision(other) == {"commit": commit, "dirty": True}, "git doesn't know this study"
    assert revision(study) == {"commit": commit, "dirty": False}


def test_there_may_be_no_repository_and_no_git(tmp_path: Path, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert revision(Path(tmp_path.parent / "one.yaml")) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(study) is None
