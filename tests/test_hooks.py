"""The hooks of `.pre-commit-hooks.yaml`, run by the real pre-commit in a repository of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
MESSY = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1+1}}}\n"
CLEAN = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1 + 1}}}\n"
WRONG = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: q + 1}}}\n"


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    home = cwd.parent / "home"
    quiet = {"PRE_COMMIT_HOME": str(home), "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PRE_COMMIT_COLOR": "never"}
    people = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, "PATH": path, **quiet, **people, "NO_COLOR": "1"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=300)


def pre_commit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "pre_commit", *arguments, cwd=cwd)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose hooks are the file's own entries, in the language `system`: `dlspec` is installed already.

    A user's `language: python` differs only in that pre-commit installs dlspec first, which takes a network.
    """
    folder = tmp_path / "repository"
    folder.mkdir()
    run("git", "init", "--quiet", cwd=folder)
    hooks: list[dict[str, Any]] = [{**hook, "language": "system"} for hook in HOOKS]
    configuration = {"repos": [{"repo": "local", "hooks": hooks}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    (folder / "ci.yml").write_text("on:   push\n")
    run("git", "add", ".", cwd=folder)
    assert pre_commit("install", cwd=folder).returncode == 0
    return folder


def commit(folder: Path) -> subprocess.CompletedProcess[str]:
    run("git", "add", ".", cwd=folder)
    return run("git", "commit", "--message", "x", cwd=folder)


def test_the_file_is_a_manifest(tmp_path: Path) -> None:
    done = pre_commit("validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [hook["id"] for hook in HOOKS] == ["dlspec-validate", "dlspec-fmt"]
    assert {hook["language"] for hook in HOOKS} == {"python"}


def test_a_valid_study_in_its_form_is_committed(repository: Path) -> None:
    (repository / "s.yaml").write_text(CLEAN)
    done = commit(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dlspec validate" in done.stderr and "Passed" in done.stderr


def test_a_study_that_is_wrong_is_held_back_with_the_place(repository: Path) -> None:
    (repository / "s.yaml").write_text(WRONG)
    done = commit(repository)
    assert done.returncode == 1
    assert "s.yaml:3:33: unknown name 'q'" in done.stderr + done.stdout
    assert (repository / "s.yaml").read_text() == WRONG


def test_a_study_out_of_form_is_put_into_it(repository: Path) -> None:
    (repository / "s.yaml").write_text(MESSY)
    done = commit(repository)
    assert done.returncode == 1 and "files were modified by this hook" in done.stderr + done.stdout
    assert (repository / "s.yaml").read_text() == CLEAN
    assert commit(repository).returncode == 0
    assert (repository / "ci.yml").read_text() == "on:   push\n"
