"""The GitHub Action: its steps' commands, run as a runner runs them in a repository of their own."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dlspec.interpreter.cli.app import app

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
COMMANDS = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
GOOD = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1 + 1}}}\n"
WRONG = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: q + 1}}}\n"


def git(*arguments: str, cwd: Path) -> str:
    people = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **people, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "my studies").mkdir(parents=True)
    git("init", "--quiet", cwd=folder)
    (folder / "s.yaml").write_text(GOOD)
    (folder / "my studies" / "t.yml").write_text(GOOD)
    (folder / "ci.yaml").write_text("on: push\n")
    save(folder)
    return folder


def save(folder: Path) -> str:
    """Commits all; gives the commit."""
    git("add", ".", cwd=folder)
    git("commit", "--quiet", "--message", "x", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


def step(name: str, folder: Path, path: Path | None = None, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Runs a step as the runner does: bash with its options, the environment from the inputs."""
    defaults = {key: value["default"] for key, value in ACTION["inputs"].items()}
    given = {**defaults, **inputs}
    environment = {
        **os.environ,
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
        "PATH": os.pathsep.join([*([str(path)] if path else []), str(Path(sys.executable).parent), os.environ["PATH"]]),
        **{key: evaluated(value, given) for key, value in STEPS[name].get("env", {}).items()},
    }
    script = folder.parent / "step.sh"
    script.write_text(STEPS[name]["run"])
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=120)


def evaluated(text: str, inputs: dict[str, str]) -> str:
    """The first of an expression's alternatives that is not empty; there is no event here."""
    match = re.fullmatch(r"\$\{\{ (.*) \}\}", text)
    assert match is not None, text
    words = match[1].split(" || ")
    return next((inputs[w.removeprefix("inputs.")] for w in words if w.startswith("inputs.")), "")


def test_the_file_is_a_composite_action() -> None:
    assert ACTION["name"] and ACTION["description"] and ACTION["runs"]["using"] == "composite"
    assert all("default" in value and value["description"] for value in ACTION["inputs"].values())
    for name, found in STEPS.items():
        assert ("uses" in found) != ("run" in found and found["shell"] == "bash"), name
        assert "${{" not in found.get("run", ""), f"{name}: what a stranger wrote may not become part of a script"
    used = re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text("utf-8"))
    assert set(used) == set(ACTION["inputs"])


def test_valid_studies_pass_in_silence(repository: Path) -> None:
    done = step("Validate the studies", repository)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_wrong_is_annotated_and_fails_the_job(repository: Path) -> None:
    (repository / "my studies" / "t.yml").write_text(WRONG)
    done = step("Validate the studies", repository)
    assert done.returncode != 0
    assert done.stdout.startswith("::error file=my studies/t.yml,line=3,col=33,") and done.stdout.count("::error") == 1
    assert step("Validate the studies", repository, files="s.yaml").returncode == 0


def test_the_form_is_checked_when_asked(repository: Path) -> None:
    assert step("Check their form", repository).returncode == 0
    (repository / "s.yaml").write_text(GOOD.replace("1 + 1", "1+1"))
    done = step("Check their form", repository)
    assert done.returncode != 0 and done.stderr == "s.yaml: would be formatted\n"
    assert STEPS["Check their form"]["if"].startswith("${{ inputs.format == 'true'")


def stand_in(folder: Path, code: int) -> Path:
    """A folder with a `dlspec` that writes down how it was called, and ends with a code."""
    folder.mkdir()
    path = folder / "dlspec"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{folder}/calls"\necho "**what changed**"\nexit {code}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


def test_every_changed_study_is_compared_with_the_base(repository: Path, tmp_path: Path) -> None:
    """Which comparisons the step asks for, and what it does with each answer; the comparing has tests of its own."""
    base = git("rev-parse", "HEAD", cwd=repository)
    (repository / "s.yaml").write_text(GOOD.replace("1 + 1", "2 + 1"))
    (repository / "my studies" / "t.yml").write_text(GOOD.replace("1 + 1", "3 + 1"))
    (repository / "ci.yaml").write_text("on: [push]\n")
    (repository / "new.yaml").write_text(GOOD)
    save(repository)
    summary = tmp_path / "summary.md"
    same = stand_in(tmp_path / "same", 0)
    assert step("Show what changed", repository, same, base=base).returncode == 0
    assert not summary.exists()
    differs = stand_in(tmp_path / "differs", 1)
    assert step("Show what changed", repository, differs, base=base).returncode == 0
    assert (differs / "calls").read_text().splitlines() == [
        f"diff --md {base}:my studies/t.yml my studies/t.yml",
        f"diff --md {base}:s.yaml s.yaml",
    ]
    assert summary.read_text() == "## my studies/t.yml\n\n**what changed**\n\n## s.yaml\n\n**what changed**\n\n"
    trouble = step("Show what changed", repository, stand_in(tmp_path / "trouble", 2), base=base)
    assert trouble.returncode == 0 and trouble.stdout.count("::warning file=") == 2


@pytest.mark.parametrize("base", ["", "0" * 40])
def test_without_a_base_nothing_is_compared(repository: Path, tmp_path: Path, base: str) -> None:
    folder = stand_in(tmp_path / "none", 1)
    done = step("Show what changed", repository, folder, base=base)
    assert (done.returncode, done.stdout) == (0, "There is no commit to compare with.\n")
    assert not (folder / "calls").exists()


def test_a_base_that_a_shallow_clone_lacks_is_fetched(repository: Path, tmp_path: Path) -> None:
    base = git("rev-parse", "HEAD", cwd=repository)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=repository)
    (repository / "s.yaml").write_text(GOOD.replace("1 + 1", "2 + 1"))
    save(repository)
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--depth=1", repository.as_uri(), str(clone), cwd=tmp_path)
    assert subprocess.run(["git", "cat-file", "-e", base], cwd=clone, capture_output=True).returncode != 0
    folder = stand_in(tmp_path / "bin", 1)
    done = step("Show what changed", clone, folder, base=base)
    assert done.returncode == 0, done.stderr
    assert (folder / "calls").read_text() == f"diff --md {base}:s.yaml s.yaml\n"


@pytest.mark.skipif("diff" not in COMMANDS, reason="this version has no `dlspec diff`")
def test_the_summary_shows_the_real_difference(repository: Path, tmp_path: Path) -> None:
    assert shutil.which("dlspec", path=str(Path(sys.executable).parent))
    base = git("rev-parse", "HEAD", cwd=repository)
    (repository / "s.yaml").write_text(GOOD.replace("1 + 1", "2 + 1"))
    save(repository)
    done = step("Show what changed", repository, base=base)
    assert done.returncode == 0 and done.stdout == "", done.stderr
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("## s.yaml\n\n") and "measures" in text
