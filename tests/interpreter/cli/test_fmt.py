"""`dlspec fmt` as a user runs it: files, streams and exit codes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import RUN, Command

MESSY = "study:   s\ndlspec: 1\n\n\nexperiments:\n    e:\n        measures: {m: 1+1}   # sum\n"
CLEAN = "dlspec: 1\nstudy: s\n\nexperiments:\n  e:\n    measures: {m: 1 + 1}   # sum\n"
WRONG = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: q + 1}}}\n"


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_a_file_is_written_in_its_place(dlspec: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", MESSY)
    path.chmod(0o640)
    done = dlspec("fmt", "a.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "a.yaml: formatted\n")
    assert path.read_text() == CLEAN
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.yaml"]
    again = dlspec("fmt", "a.yaml")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_check_writes_nothing_and_tells(dlspec: Command, tmp_path: Path) -> None:
    path, other = write(tmp_path / "a.yaml", MESSY), write(tmp_path / "b.yaml", CLEAN)
    done = dlspec("fmt", "--check", "a.yaml", "b.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "a.yaml: would be formatted\n")
    assert path.read_text() == MESSY
    assert dlspec("fmt", "--check", "b.yaml").returncode == 0
    assert other.read_text() == CLEAN


def test_diff_prints_what_would_change(dlspec: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", MESSY)
    done = dlspec("fmt", "--diff", "a.yaml")
    assert done.returncode == 0 and path.read_text() == MESSY
    assert done.stdout.startswith("--- a.yaml\n+++ a.yaml (formatted)\n")
    assert (
        "-        measures: {m: 1+1}   # sum\n" in done.stdout and "+    measures: {m: 1 + 1}   # sum\n" in done.stdout
    )
    assert dlspec("fmt", "--check", "--diff", "a.yaml").returncode == 1


def test_standard_input_goes_to_standard_output(dlspec: Command) -> None:
    done = dlspec("fmt", "-", input=MESSY)
    assert (done.returncode, done.stdout, done.stderr) == (0, CLEAN, "")
    assert dlspec("fmt", "--check", "-", input=MESSY).returncode == 1
    bad = dlspec("fmt", "-", input=WRONG)
    assert bad.returncode == 2 and bad.stdout == "" and "<stdin>:3:33: unknown name 'q'" in bad.stderr
    assert dlspec("fmt", "-", "a.yaml", input=MESSY).returncode == 2


def test_a_file_that_is_not_valid_is_reported_as_by_validate_and_left(dlspec: Command, tmp_path: Path) -> None:
    path, good = write(tmp_path / "a.yaml", WRONG), write(tmp_path / "b.yaml", MESSY)
    done = dlspec("fmt", "a.yaml", "b.yaml")
    assert done.returncode == 2 and path.read_text() == WRONG
    assert done.stderr.startswith(dlspec("validate", "a.yaml").stderr.partition("\n\n")[0])
    assert good.read_text() == CLEAN, "one that is wrong keeps no other from its form"


def test_a_file_that_is_not_valid_is_no_trouble_when_asked(dlspec: Command, tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", WRONG), write(tmp_path / "b.yaml", MESSY)
    done = dlspec("fmt", "--only-valid", "a.yaml", "b.yaml")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "a.yaml: is not a valid study, and was left as it is\nb.yaml: formatted\n"


def test_what_cannot_be_read_is_trouble(dlspec: Command, tmp_path: Path) -> None:
    done = dlspec("fmt", "none.yaml", ".")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "none.yaml: cannot be read: No such file or directory",
        "Check the path, and that you may read it.",
        ".: cannot be read: Is a directory",
        "Check the path, and that you may read it.",
    ]
    assert dlspec("fmt").returncode == 2
    (tmp_path / "l.yaml").write_bytes(MESSY.encode() + b"# \xff\n")
    assert "not UTF-8" in dlspec("fmt", "l.yaml").stderr


def test_other_files_are_passed_over_when_asked(dlspec: Command, tmp_path: Path) -> None:
    other = write(tmp_path / "ci.yaml", "on:   push\n")
    study = write(tmp_path / "a.yaml", MESSY)
    assert dlspec("fmt", "ci.yaml").returncode == 2
    done = dlspec("fmt", "--only-studies", "ci.yaml", "a.yaml")
    assert done.returncode == 0 and other.read_text() == "on:   push\n" and study.read_text() == CLEAN


def test_a_link_stays_a_link(dlspec: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", MESSY)
    (tmp_path / "link.yaml").symlink_to(path)
    assert dlspec("fmt", "link.yaml").returncode == 0
    assert (tmp_path / "link.yaml").is_symlink() and path.read_text() == CLEAN


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_leaves_the_file(dlspec: Command, tmp_path: Path) -> None:
    folder = tmp_path / "shut"
    folder.mkdir()
    path = write(folder / "a.yaml", MESSY)
    folder.chmod(0o500)
    try:
        done = dlspec("fmt", "shut/a.yaml")
        assert done.returncode == 2 and "cannot be written: Permission denied" in done.stderr
        assert path.read_text() == MESSY
    finally:
        folder.chmod(0o700)


def test_a_write_that_fails_leaves_the_file(tmp_path: Path) -> None:
    """The new text is put beside the file and renamed: a full disk costs nothing."""
    path = write(tmp_path / "a.yaml", MESSY)
    broken = "import os\ndef fail(*a): raise OSError(28, 'No space left on device')\nos.fsync = fail\n" + RUN
    done = subprocess.run(
        [sys.executable, "-c", broken, "fmt", "a.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and "a.yaml: cannot be written: No space left on device" in done.stderr
    assert path.read_text() == MESSY and os.listdir(tmp_path) == ["a.yaml"]
