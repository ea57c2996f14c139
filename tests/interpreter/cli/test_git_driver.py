"""git's side of `dlspec diff` in real repositories: conflicts, renames, modes, binaries, and files that are no studies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dlspec.spec.source.conflict_marks import conflict_sides
from dlspec.spec.source.undecided_sides import undecided_sides

from tests.forked import MAIN

ROOT = Path(__file__).parents[3]
BASE = (ROOT / "tests/spec/diff/base.yaml").read_text("utf-8")
OURS = BASE.replace("gradient: {u: forward_only}", "gradient: {u: stop}")
THEIRS = BASE.replace("gradient: {u: forward_only}", "gradient: {u: {scale: 0.5}}")


def git(cwd: Path, *arguments: str, code: int = 0) -> str:
    people = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **people, "NO_COLOR": "1", "HOME": str(cwd), "XDG_CACHE_HOME": str(cwd.parent / "cache"),
                   "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": "200"}  # fmt: skip
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == code and (code or not done.stderr), done.stderr
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a study and a text in one commit, and git's driver set up."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    command = f'"{sys.executable}" -c "{MAIN}" diff'
    for name, value in {
        "core.pager": "cat", "diff.dlspec.command": f"{command} --driver", "diff.dlspec.textconv": f"{command} --textconv",
    }.items():  # fmt: skip
        git(folder, "config", name, value)
    save(folder, {".gitattributes": "*.yaml diff=dlspec\n", "a.yaml": BASE, "zz.txt": "plain\n"})
    return folder


def save(folder: Path, files: dict[str, str | None]) -> None:
    """Commits files, and the removal of those that are None."""
    for name, text in files.items():
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text, "utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")


def conflict(folder: Path, theirs: str | None) -> None:
    """A merge stops at two edits of one line, or at an edit and a removal; a text that is merged comes after the study."""
    git(folder, "checkout", "-qb", "other")
    save(folder, {"a.yaml": theirs, "zz.txt": "theirs\n"})
    git(folder, "checkout", "-q", "main")
    save(folder, {"a.yaml": OURS})
    git(folder, "merge", "other", code=1)


def test_a_conflict_is_shown_by_meaning_and_the_files_behind_it_too(repository: Path) -> None:
    conflict(repository, THEIRS)
    text = git(repository, "diff", "--cached")
    assert "dlspec diff a.yaml\nnot merged yet: 1 conflict, the first on line " in text
    assert "From ours to theirs:\n" in text and "stop → scale(0.5)" in text and "+theirs" in text
    text = git(repository, "diff", "--no-index", "--", "a.yaml", "zz.txt", code=1)
    assert "renamed" not in text
    for side in ("--ours", "--theirs", "--base"):
        text = git(repository, "diff", side)
        assert "not merged yet: 1 conflict" in text and text.count("\n@@") == 1, side
        assert re.search(r"not compared by meaning: b/a\.yaml:\d+:1: this line marks a merge", text)


def test_both_sides_and_the_file_with_marks_are_put_the_same_way(repository: Path) -> None:
    conflict(repository, THEIRS)
    text = git(repository, "diff")
    changed = [line for line in text.splitlines() if re.match(r"[-+ ]{2}", line) and line[:2].strip()]
    assert changed[-5:] == [
        "++<<<<<<< HEAD",
        " +staircase/forward_only.gradient.u: stop",
        "++=======",
        "+ staircase/forward_only.gradient.u: scale(0.5)",
        "++>>>>>>> other",
    ]
    assert len(text.splitlines()) < 20 and text.count("@@@") == 2


def test_a_conflict_that_dlspec_merge_left_is_shown_the_same_way(repository: Path) -> None:
    merge = f'"{sys.executable}" -c "{MAIN}" merge %O %A %B %L %P'
    git(repository, "config", "merge.dlspec.driver", merge)
    save(repository, {".gitattributes": "*.yaml diff=dlspec merge=dlspec\n"})
    conflict(repository, THEIRS)
    assert "!conflict" in (repository / "a.yaml").read_text("utf-8")
    text = git(repository, "diff")
    changed = [line for line in text.splitlines() if re.match(r"[-+ ]{2}", line) and line[:2].strip()]
    assert changed[-5:] == [
        "++<<<<<<< ours",
        " +staircase/forward_only.gradient.u: stop",
        "++=======",
        "+ staircase/forward_only.gradient.u: scale(0.5)",
        "++>>>>>>> theirs",
    ]
    assert len(text.splitlines()) < 20
    assert "not merged yet: 1 conflict, the first on line " in git(repository, "diff", "--cached")


@pytest.mark.parametrize(("text", "ours", "theirs"), [
    ("l:\n- a\n- !conflict\n  base: [b]\n  ours: [c, d]\n  theirs: []\n- e\n", "l:\n- a\n- c\n- d\n- e\n", "l:\n- a\n- e\n"),
    ("m: {k: !conflict {ours: {x: 1}, theirs: 'y: 2'}}\n", "m: {k: {x: 1}}\n", "m: {k: 'y: 2'}\n"),
])  # fmt: skip
def test_the_sides_of_a_file_that_dlspec_merge_left(text: str, ours: str, theirs: str) -> None:
    result = undecided_sides(text)
    assert result is not None and (result.ours, result.theirs) == (ours, theirs)
    assert (
        undecided_sides("a: 1\n") is None
        and undecided_sides("# !conflict\n") is None
        and undecided_sides("[!conflict") is None
    )


def test_a_side_that_removed_the_file_is_named(repository: Path) -> None:
    conflict(repository, None)
    text = git(repository, "diff", "--cached")
    assert "It was removed by theirs, and changed by ours:\n" in text and "forward_only → stop" in text
    assert "+theirs" in text


def test_a_path_that_git_cuts_short_is_found_and_one_side_alone_is_said(repository: Path) -> None:
    """`git diff --relative` leaves out the folder; renamed to two names, a file has no side, one side, and one side."""
    for name in ("d", "e"):
        (repository / name).mkdir()
    save(repository, {"a.yaml": None, "d/a.yaml": BASE, "e/b.yaml": BASE.replace("study: steps", "study: other")})
    git(repository, "checkout", "-qb", "other")
    git(repository, "mv", "e/b.yaml", "e/theirs.yaml")
    save(repository, {"d/a.yaml": THEIRS})
    git(repository, "checkout", "-q", "main")
    git(repository, "mv", "e/b.yaml", "e/ours.yaml")
    save(repository, {"d/a.yaml": OURS})
    git(repository, "merge", "other", code=1)
    command = [sys.executable, "-c", MAIN, "diff", "--driver", "a.yaml"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=300)
    assert "From ours to theirs:" in done.stdout and done.returncode == 0
    text = git(repository, "diff", "--cached", "--", "e")
    said = re.findall(r"dlspec diff (\S+)\nnot merged yet\. (.*)", text)
    assert said == [
        ("e/b.yaml", "Both sides removed or renamed it."), ("e/ours.yaml", "Only ours has it."), ("e/theirs.yaml", "Only theirs has it."),
    ]  # fmt: skip


def test_renames_modes_and_binaries_are_said(repository: Path) -> None:
    """A pure rename, a rename with an edit, a mode, a link, a binary: each in few lines."""
    for name in ("b.yaml", "c.yaml", "m.yaml", "l.yaml"):
        (repository / name).write_text(BASE.replace("study: steps", f"study: {name[0]}"), "utf-8")
    (repository / "d.yaml").write_bytes(b"\0\1")
    save(repository, {})
    (repository / "b.yaml").rename(repository / "b2.yaml")
    (repository / "c.yaml").rename(repository / "c2.yaml")
    (repository / "c2.yaml").write_text(OURS.replace("study: steps", "study: c"), "utf-8")
    (repository / "d.yaml").write_bytes(b"\0\2")
    (repository / "m.yaml").chmod(0o755)
    (repository / "l.yaml").unlink()
    (repository / "l.yaml").symlink_to("a.yaml")
    git(repository, "add", "-A")
    parts = {part.splitlines()[0]: part for part in git(repository, "diff", "--cached", "-M").split("dlspec diff ")[1:]}
    assert parts["a/b.yaml b/b2.yaml"] == (
        "a/b.yaml b/b2.yaml\nrenamed from b.yaml to b2.yaml\nthe content is the same\n\n"
    )
    assert parts["a/c.yaml b/c2.yaml"].startswith(
        "a/c.yaml b/c2.yaml\nrenamed from c.yaml to c2.yaml\none factor changed"
    )
    assert parts["a/d.yaml b/d.yaml"] == "a/d.yaml b/d.yaml\nBinary files a/d.yaml and b/d.yaml differ\n\n"
    assert parts["a/m.yaml b/m.yaml"] == "a/m.yaml b/m.yaml\nmode 100644 → 100755\nthe content is the same\n\n"
    removed, added = parts["a/l.yaml /dev/null"], parts["/dev/null b/l.yaml"]
    assert "-study: l" in removed and added.endswith("+a.yaml\n\\ No newline at end of file\n\n")
    text = git(repository, "diff", "--cached", "--no-ext-diff", "--", "d.yaml")
    assert text.count("binary, 2 bytes, SHA-256") == 2


def test_what_is_no_valid_study_is_shown_as_it_is_with_why(repository: Path) -> None:
    wrong = BASE.replace("dot(v, x) + b", "dot(v, x) + nothing")
    save(repository, {"a.yaml": wrong, "ci.yaml": "on: push\n"})
    save(repository, {"a.yaml": wrong.replace("replicates: 3", "replicates: 4"), "ci.yaml": "on: [push]\n"})
    text = git(repository, "diff", "HEAD~1", "HEAD")
    assert text.count("not compared by meaning") == 1 and "a/a.yaml:" in text and "+on: [push]" in text
    text = git(repository, "diff", "--no-ext-diff", "HEAD~1", "HEAD")
    assert [line for line in text.splitlines() if re.match(r"[-+](?![-+])", line)] == [
        "-    replicates: 3", "+    replicates: 4", "-on: push", "+on: [push]",
    ]  # fmt: skip
    assert "+# no valid study: unknown name 'nothing'" in git(repository, "diff", "--no-ext-diff", "HEAD~2", "HEAD")


@pytest.mark.parametrize(("text", "sides"), [
    ("a\n<<<<<<< x\nb\n||||||| base\no\n=======\nc\n>>>>>>> y\n", ("a\nb\n", "a\nc\n")),
    ("<<<<<<< x\r\nb\r\n=======\r\n>>>>>>> y\r\nz", ("b\r\nz", "z")),
    ("a\n=======\nb\n", None),
    ("<<<<<<< x\nb\n", None),
    ("<<<<<<< x\nb\n=======\n<<<<<<< z\n>>>>>>> y\n", None),
    (">>>>>>> y\n", None),
])  # fmt: skip
def test_the_sides_of_a_file_with_marks(text: str, sides: tuple[str, str] | None) -> None:
    result = conflict_sides(text)
    assert (None if result is None else (result.ours, result.theirs)) == sides
