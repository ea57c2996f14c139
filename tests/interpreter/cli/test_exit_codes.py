"""How commands end where the system fails them: one clear line, the right exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.cli.exit_codes import ERROR, INTERRUPTED, ended
from dlspec.interpreter.cli.standard_output import Output, OutputLost
from dlspec.spec.new_study import first_spec, schema_place
from rich.console import Console

from tests import forked

MAIN = "from dlspec.interpreter.__main__ import main; main()"


def dlspec(*arguments: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    start = subprocess.run if "env" in more else partial(forked.run, light=arguments[:1] != ("run",))
    more = {"stdout": subprocess.PIPE, "env": {**os.environ, "NO_COLOR": "1"}, **more}
    return start(
        [sys.executable, "-c", MAIN, *arguments], cwd=cwd, stderr=subprocess.PIPE, text=True, timeout=120, **more
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a study, and files that are none."""
    (tmp_path / "first.yaml").write_text(first_spec("first", "x"), "utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"study: caf\xe9\n")
    (tmp_path / "folder.yaml").mkdir()
    return tmp_path


FULL = (
    ("schema",), ("ops",), ("ops", "hinge"), ("validate", "first.yaml"), ("show", "first.yaml"), ("plan", "first.yaml"),
    ("diff", "first.yaml", "first.yaml", "--json"), ("fmt", "-"), ("runs", "--json"), ("new", "second"),
)  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", FULL, ids=" ".join)
def test_a_full_standard_output_is_told_in_one_line(arguments: tuple[str, ...], folder: Path) -> None:
    text = (folder / "first.yaml").read_text("utf-8")
    with open("/dev/full", "w") as full:
        done = dlspec(*arguments, cwd=folder, stdout=full, input=text)
    assert done.returncode == 1
    assert done.stderr == "standard output cannot be written: No space left on device\n"


UNHEARD = {
    ("validate", "latin.yaml"): 1, ("validate", "first.yaml"): 0, ("fmt", "latin.yaml"): 2, ("diff", "latin.yaml", "first.yaml"): 2,
    ("ops", "hinj"): 1, ("new", "a b"): 2, ("merge", "first.yaml", "first.yaml", "first.yaml"): 0, ("plan", "first.yaml"): 0,
    ("runs", "show", "nothing"): 1, ("fmt", "--check", "first.yaml"): 0,
}  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", UNHEARD, ids=" ".join)
def test_a_full_standard_error_changes_no_exit_code(arguments: tuple[str, ...], folder: Path) -> None:
    """A diff of two sides of which one cannot be read ended with 1, as if they differed; a merge, as if there were a conflict."""
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", MAIN, *arguments]
        done = forked.run(command, light=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=full, timeout=120)
    assert done.returncode == UNHEARD[arguments]


@pytest.mark.parametrize(
    "arguments", [("schema",), ("ops",), ("show", "first.yaml"), ("validate", "first.yaml")], ids=" ".join
)
def test_a_reader_that_left_is_no_matter(arguments: tuple[str, ...], folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = dlspec(*arguments, cwd=folder, stdout=writing)
    os.close(writing)
    assert done.returncode == 1 and done.stderr == ""


def test_a_run_whose_reader_left_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich ends a process where a reader left; a run's folder comes after what is printed first."""
    monkeypatch.setattr("dlspec.interpreter.cli.standard_output.to_nowhere", lambda: None)
    output = Output()

    def left() -> None:
        try:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        except BrokenPipeError:
            Console().on_broken_pipe()

    with monkeypatch.context() as patched:
        patched.setattr(os, "dup2", lambda *_: None)
        output.show(left)
    assert isinstance(output.error, BrokenPipeError)
    output.show(pytest.fail)


def test_streams_that_are_closed_lead_nowhere_and_not_into_the_next_file(folder: Path) -> None:
    command = f'exec "{sys.executable}" -c "{MAIN}" new second >&- 2>&- <&-'
    assert subprocess.run(["sh", "-c", command], cwd=folder, timeout=120).returncode == 0
    assert (folder / "second.yaml").read_text("utf-8") == first_spec("second", schema_place(folder))


def test_letters_that_a_terminal_cannot_write_are_written_in_another_way(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        (folder / "first.yaml").read_text("utf-8").replace("steps: 500", "steps: 400"), "utf-8"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = dlspec("diff", "first.yaml", "other.yaml", cwd=folder, env=environment)
    assert done.returncode in (0, 1) and done.stderr == ""


READING = ("validate", "run", "plan", "show", "fmt", "export", "diff")


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("none.yaml", "No such file or directory"),
        ("folder.yaml", "Is a directory"),
        ("latin.yaml", "byte 0xe9 is not UTF-8"),
    ],
)
def test_files_that_cannot_be_read(command: str, file: str, why: str, folder: Path) -> None:
    sides = (file, "first.yaml") if command == "diff" and file != "folder.yaml" else (file,)
    if command == "diff" and len(sides) == 1:
        pytest.skip("two directories can be compared")
    done = dlspec(command, *sides, cwd=folder)
    assert done.returncode == (2 if command in ("diff", "fmt") else 1)
    assert file in done.stderr and why in done.stderr and "internal error" not in done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""


PLACES = (
    ("new", "schemas/place.yaml"), ("schema", "--write"), ("ops", "--write"), ("runs", "--runs", "first.yaml"),
    ("report", "--runs", "first.yaml"), ("run", "first.yaml", "--runs", "first.yaml"),
)  # fmt: skip


@pytest.mark.parametrize("arguments", PLACES, ids=" ".join)
def test_places_that_cannot_be_written(arguments: tuple[str, ...], folder: Path) -> None:
    (folder / "schemas").write_text("", "utf-8")
    (folder / "docs").write_text("", "utf-8")
    done = dlspec(*arguments, cwd=folder)
    assert done.returncode == 1 and done.stdout == ""
    assert 1 <= len(done.stderr.splitlines()) <= 2 and "internal error" not in done.stderr


LESS = "Raise the process's memory limit (`ulimit -v`, a container's limit), or use fewer rows, cells or processes at a time.\n"
CASES: dict[str, tuple[Callable[[], BaseException], int, str]] = {
    "a spec": (lambda: spec.StudyError(spec.Problem("wrong", hint="Mend it.")), ERROR, "wrong\nMend it.\n"),
    "Ctrl-C": (KeyboardInterrupt, INTERRUPTED, "interrupted\n"),
    "a closed pipe": (lambda: BrokenPipeError(errno.EPIPE, "Broken pipe"), ERROR, ""),
    "a full output": (lambda: OutputLost(28, "No space left"), ERROR, "standard output cannot be written: No space left\n"),
    "a file": (lambda: PermissionError(13, "Permission denied", "x"), ERROR, "x: Permission denied\n"),
    "memory": (MemoryError, ERROR, f"there is not enough memory\n{LESS}"),
    "an array": (lambda: MemoryError("Unable to allocate 9 GiB"), ERROR, f"there is not enough memory: Unable to allocate 9 GiB\n{LESS}"),
    "address space": (lambda: OSError(errno.ENOMEM, "Cannot allocate memory"), ERROR, f"there is not enough memory\n{LESS}"),
    "the system": (
        lambda: OSError(errno.EMFILE, "Too many open files"), ERROR,
        "the system refused an operation: Too many open files\nDLSPEC_TRACEBACK=1 shows which.\n",
    ),
    "an exit": (lambda: SystemExit(3), 3, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_end_has_its_line_and_its_code(name: str, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make, code, said = CASES[name]
    monkeypatch.setattr("dlspec.interpreter.cli.exit_codes.to_nowhere", lambda: None)

    def command() -> None:
        raise make()

    assert ended(command) == code
    assert capsys.readouterr().err == said


def test_an_internal_error_is_one_of_our_own_and_names_what_is_kept(capsys: Any) -> None:
    def command() -> None:
        error = KeyError("v@1")
        error.add_note("what was trained is kept in runs/store")
        raise error

    assert ended(command) == ERROR
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("internal error: KeyError: 'v@1'.")
    assert rest == ["What was trained is kept in runs/store.", "DLSPEC_TRACEBACK=1 shows where it arose."]


def test_ctrl_c_before_anything_runs_is_one_line(folder: Path) -> None:
    code = "import signal, sys\nimport dlspec.spec as s\ndef load(*_): raise KeyboardInterrupt\ns.read = load\n"
    done = subprocess.run(
        [sys.executable, "-c", code + MAIN.replace("; ", "\n"), "validate", "first.yaml"],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (130, "interrupted")
