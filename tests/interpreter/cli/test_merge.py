"""`dlspec merge` as a user runs it: files, exit codes, and git's merge driver in real repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec

from tests import forked
from tests.forked import MAIN
from tests.served import served

ROOT = Path(__file__).parents[3]
BASE = (ROOT / "tests/spec/diff/base.yaml").read_text("utf-8")
STOP = ("gradient: {u: forward_only}", "gradient: {u: stop}")
SCALED = ("gradient: {u: forward_only}", "gradient: {u: {scale: 0.5}}")
LONGER = ("      batch: 64\n      steps: 1000", "      batch: 64\n      steps: 2000   # until it is flat")
WIDER_BATCH = ("      batch: 64\n", "      batch: 128\n")


def run(command: list[str], cwd: Path, start: Any = subprocess.run, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": "200"}
    environment |= {"GIT_EDITOR": "true"}
    return start(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=300, **more)


def dlspec(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-c", MAIN, *arguments], cwd, partial(forked.run, light=True))


def edited(*edits: tuple[str, str], text: str = BASE) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def three(folder: Path, base: str, ours: str, theirs: str) -> None:
    for name, text in {"base": base, "ours": ours, "theirs": theirs}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")


FILES = ("base.yaml", "ours.yaml", "theirs.yaml")


def test_two_changes_are_merged_into_ours_and_it_is_said_what_they_come_to(tmp_path: Path) -> None:
    three(tmp_path, BASE, edited(LONGER), edited(STOP))
    done = dlspec("merge", *FILES, "7", "studies/a.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "ours.yaml").read_text("utf-8") == edited(LONGER, STOP)
    assert done.stderr.startswith(
        "studies/a.yaml: merged; confounded now, which neither side is alone: gradient and training both changed"
    )
    three(tmp_path, BASE, edited(LONGER), edited(WIDER_BATCH))
    done = dlspec("merge", *FILES, cwd=tmp_path)
    assert done.returncode == 0 and "confounded" not in done.stderr
    assert done.stderr.startswith("ours.yaml: merged; against the common base: 2 values of training changed")
    three(tmp_path, BASE, edited(LONGER, STOP), edited(WIDER_BATCH))
    done = dlspec("merge", *FILES, cwd=tmp_path)
    assert done.returncode == 0 and "merged; confounded, as ours alone: gradient and training" in done.stderr


def test_the_result_may_go_elsewhere(tmp_path: Path) -> None:
    three(tmp_path, BASE, edited(LONGER), edited(STOP))
    printed = dlspec("merge", "--stdout", *FILES, cwd=tmp_path)
    assert printed.stdout == edited(LONGER, STOP) and (tmp_path / "ours.yaml").read_text("utf-8") == edited(LONGER)
    assert dlspec("merge", "-o", "new.yaml", *FILES, cwd=tmp_path).returncode == 0
    assert (tmp_path / "new.yaml").read_text("utf-8") == edited(LONGER, STOP)


def test_a_conflict_is_marked_and_no_command_takes_the_file_until_it_is_resolved(tmp_path: Path) -> None:
    three(tmp_path, BASE, edited(STOP), edited(SCALED, LONGER))
    done = dlspec("merge", *FILES, "7", "a.yaml", cwd=tmp_path)
    assert done.returncode == 1 and "a.yaml: 1 conflict to be resolved, marked with `!conflict`" in done.stderr
    text = (tmp_path / "ours.yaml").read_text("utf-8")
    assert "gradient: {u: !conflict {base: forward_only, ours: stop, theirs: {scale: 0.5}}}" in text
    assert "steps: 2000   # until it is flat" in text
    number = next(place for place, line in enumerate(text.splitlines(), 1) if "!conflict" in line)
    column = text.splitlines()[number - 1].index("!conflict") + 1
    for command in (["validate"], ["run"], ["plan"], ["fmt"], ["show"]):
        told = dlspec(*command, "ours.yaml", cwd=tmp_path)
        assert told.returncode in (1, 2), command
        assert f"ours.yaml:{number}:{column}: a merge left `u` undecided" in told.stderr
        assert "ours says stop, theirs says {scale: 0.5}; the base says forward_only" in told.stderr
        assert "Write the value after `u:` in place of `!conflict` and all its sides." in told.stderr
    resolved = text.replace("!conflict {base: forward_only, ours: stop, theirs: {scale: 0.5}}", "stop")
    (tmp_path / "ours.yaml").write_text(resolved, "utf-8")
    assert dlspec("validate", "ours.yaml", cwd=tmp_path).returncode == 0


def test_changes_that_do_not_go_together_end_with_1_and_the_reason(tmp_path: Path) -> None:
    three(tmp_path, BASE, GONE, USED)
    done = dlspec("merge", *FILES, cwd=tmp_path)
    assert done.returncode == 1 and "unknown name 'half'" in done.stderr
    assert "ours.yaml: merged without a conflict, but both together are not valid" in done.stderr
    assert "far: E(abs" in (tmp_path / "ours.yaml").read_text("utf-8")


@pytest.mark.parametrize(("ours", "says"), [
    (BASE + "broken: [\n", "ours: "), ("a: 1\n", "ours is not a study"), ("- x\n", "ours is not a study"), ("", "ours is not a study"),
])  # fmt: skip
def test_what_is_no_study_is_merged_as_text_by_git(tmp_path: Path, ours: str, says: str) -> None:
    three(tmp_path, BASE, ours, edited(STOP))
    done = dlspec("merge", *FILES, "9", "a.yaml", cwd=tmp_path)
    assert f"a.yaml: not merged by meaning, but as text: {says}" in done.stderr and "Traceback" not in done.stderr
    text = (tmp_path / "ours.yaml").read_text("utf-8")
    if ours.startswith(BASE):
        assert done.returncode == 1 and text == edited(STOP) + "broken: [\n"
        assert f"a.yaml:{text.count(chr(10))}:9: this '[' is not closed" in done.stderr
        assert done.stderr.endswith("a.yaml: merged without a conflict; it is not valid, as ours alone\n")
    else:
        assert done.returncode == 1 and "<<<<<<<<< ours\n" in text and ">>>>>>>>> theirs\n" in text
        assert "a.yaml: 1 conflict to be resolved, marked with `<<<<<<<<<`" in done.stderr
    (tmp_path / "ours.yaml").write_bytes(b"\xff\xfe\x00")
    done = dlspec("merge", *FILES, cwd=tmp_path)
    assert "ours is not UTF-8" in done.stderr and done.returncode == 2, "git merges no binary files"
    assert (tmp_path / "ours.yaml").read_bytes() == b"\xff\xfe\x00"


BROKEN = BASE + "broken: [\n"
GONE = edited(("      half: 0.5\n", ""), ("near(r): abs(r) < half", "near(r): abs(r) < 0.5"))
USED = edited(("error: E((guess - y)^2)", "error: E((guess - y)^2)\n      far: E(abs(guess - y) > 4 * half)"))


@pytest.mark.parametrize(("base", "ours", "theirs", "code", "says"), [
    # both mended what was wrong in the base
    (BROKEN, edited(LONGER), edited(STOP), 0, ["a.yaml: merged; there is no valid common base to compare it with"]),
    (BROKEN, GONE, USED, 1, ["unknown name 'half'", "a.yaml: merged without a conflict, but both together are not valid"]),
    # one side is no YAML, and the other takes that away
    (BROKEN, BROKEN.replace("steps: 1000", "steps: 900"), BASE, 0, ["a.yaml: merged; there is no valid common base"]),
    # files that are no studies are git's alone
    ("a: 1\nb: 2\n\n\nc: 3\n", "a: 2\nb: 2\n\n\nc: 3\n", "a: 1\nb: 2\n\n\nc: 4\n", 0, []),
])  # fmt: skip
def test_what_git_merged_as_text_is_checked_like_any_other_merge(
    tmp_path: Path, base: str, ours: str, theirs: str, code: int, says: list[str]
) -> None:
    three(tmp_path, base, ours, theirs)
    done = dlspec("merge", *FILES, "7", "a.yaml", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    first, *rest = done.stderr.splitlines()
    assert first.startswith("a.yaml: not merged by meaning, but as text: the base")
    assert bool(rest) == bool(says) and all(text in done.stderr for text in says)
    assert "<<<" not in (tmp_path / "ours.yaml").read_text("utf-8")


def test_trouble_ends_with_2_and_changes_nothing(tmp_path: Path) -> None:
    three(tmp_path, BASE, BASE, BASE)
    done = dlspec("merge", "base.yaml", "ours.yaml", "none.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "none.yaml: cannot be read" in done.stderr
    assert done.stderr.endswith("Check the path, and that you may read it.\n")
    done = dlspec("merge", "-o", "no/where.yaml", *FILES, cwd=tmp_path)
    assert done.returncode == 2 and "no/where.yaml: cannot be written" in done.stderr
    assert dlspec("merge", "--stdout", "-o", "x", *FILES, cwd=tmp_path).returncode == 2


def test_tensorflow_is_not_loaded(tmp_path: Path) -> None:
    three(tmp_path, BASE, edited(LONGER), edited(STOP))
    code = f"import sys\ntry:\n    {MAIN.replace('; ', chr(10) + '    ')}\nexcept SystemExit: pass\n"
    code += "print('loaded', *(n for n in ('tensorflow', 'keras', 'matplotlib', 'pyarrow') if n in sys.modules))"
    done = run([sys.executable, "-c", code, "merge", *FILES], tmp_path)
    assert done.stdout.splitlines()[-1] == "loaded", done.stderr


# -- git ---------------------------------------------------------------------------------------------------------------


def git(cwd: Path, *arguments: str, code: int = 0) -> str:
    done = run(["git", *arguments], cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(MAIN, tmp_path_factory.mktemp("driver")) as command:
        yield f"{command} merge %O %A %B %L %P"


@pytest.fixture
def repository(tmp_path: Path, driver: str) -> Path:
    """A repository with one study, and the driver as the documentation sets it up."""
    git(tmp_path, "init", "-qb", "main")
    for name, value in {
        "user.name": "A", "user.email": "a@example.org", "merge.dlspec.name": "studies, by meaning",
        "merge.dlspec.driver": driver,
    }.items():  # fmt: skip
        git(tmp_path, "config", name, value)
    (tmp_path / ".gitattributes").write_text("*.yaml merge=dlspec\n", "utf-8")
    commit(tmp_path, "first")
    return tmp_path


def commit(repository: Path, message: str, *edits: tuple[str, str]) -> Path:
    path = repository / "a.yaml"
    path.write_text(edited(*edits, text=path.read_text("utf-8") if path.exists() else BASE), "utf-8")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", message)
    return path


def branched(repository: Path, ours: tuple[str, str], theirs: tuple[str, str]) -> Path:
    """Two branches from one commit, `main` and `other`; we are on `main`."""
    git(repository, "checkout", "-qb", "other")
    commit(repository, "other", theirs)
    git(repository, "checkout", "-q", "main")
    return commit(repository, "mine", ours)


def test_git_merge_takes_neighbouring_changes_together(repository: Path) -> None:
    path = branched(repository, LONGER, WIDER_BATCH)
    said = git(repository, "merge", "--no-edit", "other")
    assert "a.yaml: merged; against the common base: 2 values of training changed" in said
    assert "batch: 128\n      steps: 2000   # until it is flat" in path.read_text("utf-8")
    assert not git(repository, "status", "--porcelain", "-uno")
    git(repository, "reset", "-q", "--hard", "HEAD~1")
    (repository / ".git/info/attributes").write_text("*.yaml -merge\n*.yaml merge=text\n", "utf-8")
    assert "CONFLICT" in git(repository, "merge", "--no-edit", "other", code=1), "the twin: git's own merge"


def test_git_merge_stops_at_a_conflict_and_goes_on_when_it_is_resolved(repository: Path) -> None:
    path = branched(repository, STOP, SCALED)
    said = git(repository, "merge", "--no-edit", "other", code=1)
    assert (
        "CONFLICT (content)" in said
        and "a.yaml: 1 conflict" in said
        and "UU a.yaml" in git(repository, "status", "--porcelain")
    )
    text = path.read_text("utf-8")
    assert "<<<<" not in text and "!conflict {base: forward_only, ours: stop, theirs: {scale: 0.5}}" in text
    path.write_text(
        text.replace("!conflict {base: forward_only, ours: stop, theirs: {scale: 0.5}}", "{scale: 0.5}"), "utf-8"
    )
    git(repository, "add", "a.yaml")
    git(repository, "commit", "-qm", "resolved")
    assert path.read_text("utf-8") == edited(SCALED)


def test_git_rebase_and_cherry_pick_use_it(repository: Path) -> None:
    path = branched(repository, LONGER, WIDER_BATCH)
    git(repository, "checkout", "-q", "other")
    git(repository, "rebase", "-q", "main")
    assert "batch: 128\n      steps: 2000   # until it is flat" in path.read_text("utf-8")
    git(repository, "checkout", "-qb", "third", "main")
    git(repository, "reset", "-q", "--hard", "main~1")
    commit(repository, "third", STOP)
    git(repository, "cherry-pick", "main")
    assert path.read_text("utf-8") == edited(STOP, LONGER)
    git(repository, "checkout", "-q", "other")
    commit(repository, "undecided", ("steps: 2000   #", "steps: 3000   #"))
    git(repository, "checkout", "-q", "third")
    commit(repository, "more", ("steps: 2000   #", "steps: 4000   #"))
    assert "CONFLICT" in git(repository, "cherry-pick", "other", code=1)
    assert "steps: !conflict" in path.read_text("utf-8")
    told = dlspec("validate", "a.yaml", cwd=repository)
    assert "a merge left `steps` undecided: ours says 4000, theirs says 3000; the base says 2000" in told.stderr
    git(repository, "cherry-pick", "--abort")
    assert path.read_text("utf-8").count("!conflict") == 0


def test_git_merges_a_study_that_one_side_renamed(repository: Path) -> None:
    git(repository, "checkout", "-qb", "other")
    git(repository, "mv", "a.yaml", "b.yaml")
    git(repository, "commit", "-qm", "renamed")
    (repository / "b.yaml").write_text(edited(WIDER_BATCH), "utf-8")
    git(repository, "commit", "-qam", "and changed")
    git(repository, "checkout", "-q", "main")
    commit(repository, "mine", LONGER)
    said = git(repository, "merge", "--no-edit", "other")
    assert "b.yaml: merged; against the common base: 2 values of training changed" in said
    assert (repository / "b.yaml").read_text("utf-8") == edited(
        LONGER, ("batch: 64\n      steps: 2000", "batch: 128\n      steps: 2000")
    )
    assert not (repository / "a.yaml").exists()


def test_git_merges_a_study_that_both_sides_added(repository: Path) -> None:
    for branch, text in {"other": edited(LONGER), "main": edited(STOP)}.items():
        git(repository, "checkout", "-q", *(["-b", "other"] if branch == "other" else ["main"]))
        (repository / "new.yaml").write_text(text, "utf-8")
        git(repository, "add", "-A")
        git(repository, "commit", "-qm", branch)
    assert "new.yaml: 2 conflicts" in git(repository, "merge", "--no-edit", "other", code=1)
    text = (repository / "new.yaml").read_text("utf-8")
    assert "steps: !conflict\n        ours: 1000\n        theirs: 2000" in text
    assert "u: !conflict {ours: stop, theirs: forward_only}" in text


def test_git_merges_branches_that_have_two_common_bases(repository: Path) -> None:
    """A base that git makes of two, in which this conflict was not decided either."""
    path = branched(repository, STOP, SCALED)
    git(repository, "branch", "main-1", "main")
    git(repository, "branch", "other-1", "other")
    for branch, taken in {"main": "other-1", "other": "main-1"}.items():
        git(repository, "checkout", "-q", branch)
        git(repository, "merge", "--no-edit", taken, code=1)
        path.write_text(edited(STOP if branch == "main" else SCALED), "utf-8")
        git(repository, "commit", "-qam", f"{branch} keeps its own")
    said = git(repository, "merge", "--no-edit", "main", code=1)
    text = path.read_text("utf-8")
    assert "CONFLICT" in said and "<<<<" not in text and text.count("ours: {scale: 0.5}, theirs: stop") == 1
    with pytest.raises(spec.StudyError, match="a merge left `u` undecided"):
        spec.load(path)
