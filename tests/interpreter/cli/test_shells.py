"""Completion as the shells do it: bash, zsh and fish are asked, where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = """\
dlspec: 1
study: small
experiments:
  e: {measures: {m: 1 + 1}, variants: {first: {}, second: {constants: {d: 2}}}}
  other: {measures: {m: 2}}
profiles:
  quick: {experiments: {other: {replicates: 2}}}
"""
CASES = [
    ("dlspec val", {"validate"}),
    ("dlspec run --keep", {"--keep-weights"}),
    ("dlspec run small.yaml -p ", {"quick"}),
    ("dlspec run small.yaml --only e/", {"e/first", "e/second"}),
    ("dlspec ops softm", {"softmax"}),
    ("dlspec new --from spectral", {"spectral_bias"}),
    ("dlspec runs show small-2026", {"small-20260101T000000Z"}),
    ("dlspec runs value small --experiment ", {"e"}),
    ("dlspec run gone.yaml -p ", set()),
]
BASH = """\
COMP_LINE="$1"; read -ra COMP_WORDS <<< "$1"
case "$1" in *" ") COMP_WORDS+=("");; esac
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_dlspec_completion dlspec
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A study, a run, and a command `dlspec` in front of all others."""
    (tmp_path / "small.yaml").write_text(STUDY)
    run = tmp_path / "runs" / "small-20260101T000000Z"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"finished": "2026-01-01T00:00:00+00:00", "study": "small"}')
    cell = '{"experiment": "e", "variant": "", "constants": {}, "replicate": 0, "digest": "", "status": "done", "final": {}}'
    (run / "cells.json").write_text(f"[{cell}]")
    command = tmp_path / "bin" / "dlspec"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nfrom dlspec.interpreter.__main__ import main\nmain()\n")
    command.chmod(0o755)
    return tmp_path


def said(shell: str, script: str, place: Path, *words: str, **more: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    environment = {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "HOME": str(place), **more}
    flags = {
        "bash": ["--norc", "-c", script, "bash"],
        "zsh": ["-f", "-c", script, "zsh"],
        "fish": ["--no-config", "-c", script],
    }[shell]
    done = subprocess.run(
        [path, *flags, *words], cwd=place, env=environment, capture_output=True, text=True, timeout=120
    )
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize(("line", "completed"), CASES)
def test_bash_completes(line: str, completed: set[str], place: Path) -> None:
    script = said("bash", "dlspec --show-completion", place, _DLSPEC_COMPLETE="source_bash")
    assert set(said("bash", f"{script}\n{BASH}", place, line).split()) == completed


@pytest.mark.parametrize(("line", "completed"), CASES[:3])
def test_zsh_completes(line: str, completed: set[str], place: Path) -> None:
    script = said("zsh", "dlspec", place, _DLSPEC_COMPLETE="source_zsh")
    assert "compdef _dlspec_completion dlspec" in script
    shown = said("zsh", "dlspec", place, _DLSPEC_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=line)
    assert all(word in shown for word in completed)
    said("zsh", f"autoload -Uz compinit; compinit -u\n{script}", place)


def test_zsh_completes_at_the_first_key(place: Path) -> None:
    """`--install-completion` leaves a file that zsh loads as a function at the first Tab."""
    (place / "_dlspec").write_text(said("zsh", "dlspec --show-completion; true", place))
    around = "compdef() {}; _arguments() { print -r -- $@ }; fpath+=$PWD; autoload -Uz _dlspec"
    assert "validate" in said("zsh", f"{around}; words=(dlspec val) CURRENT=2; _dlspec", place)


@pytest.mark.parametrize(("line", "completed"), CASES[:4])
def test_fish_completes(line: str, completed: set[str], place: Path) -> None:
    script = said("fish", "dlspec", place, _DLSPEC_COMPLETE="source_fish")
    shown = said("fish", f"{script}\ncomplete -C '{line}'", place)
    assert {part.split("\t")[0] for part in shown.splitlines()} == completed
