"""`dlspec diff` as a user runs it: sides, streams, exit codes, stored runs, and git's driver in a real repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec

from tests import forked
from tests.forked import MAIN

ROOT = Path(__file__).parents[3]
BASE = (ROOT / "tests/spec/diff/base.yaml").read_text("utf-8")
EDITED = BASE.replace("gradient: {u: forward_only}", "gradient: {u: stop}")


def run(
    command: list[str], cwd: Path, columns: int = 200, start: Any = subprocess.run, **more: Any
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": str(columns)}
    return start(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=300, **more)


def dlspec(*arguments: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-c", MAIN, *arguments], cwd, start=partial(forked.run, light=True), **more)


SMALL = "dlspec: 1\nstudy: small\nexperiments: {e: {task: {example: {x: normal()}}, measures: {m: E(x)}}}\n"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(BASE, "utf-8")
    (tmp_path / "b.yaml").write_text(EDITED, "utf-8")
    return tmp_path


def test_a_difference_is_said_in_a_sentence_and_ends_with_1(two: Path) -> None:
    done = dlspec("diff", "a.yaml", "b.yaml", cwd=two)
    assert done.returncode == 1 and not done.stderr
    assert done.stdout.startswith(
        "one factor changed: gradient of `u`, forward_only → stop in variant `forward_only` of `staircase`\n"
    )
    assert "must run again: staircase/forward_only" in done.stdout


def test_no_difference_ends_with_0(two: Path) -> None:
    (two / "b.yaml").write_text("# a comment\n" + BASE.replace("(guess - y)^2", "( guess-y ) ^ 2"), "utf-8")
    done = dlspec("diff", "a.yaml", "b.yaml", cwd=two)
    assert done.returncode == 0 and done.stdout.startswith("no difference")


@pytest.mark.parametrize(("sides", "side", "says"), [
    (("a.yaml", "bad.yaml"), "the second side, bad.yaml", "unknown name"),
    (("bad.yaml", "a.yaml"), "the first side, bad.yaml", "unknown name"),
    (("a.yaml", "none.yaml"), "none.yaml", "cannot be read"),
    (("HEAD:a.yaml", "a.yaml"), "HEAD:a.yaml", "cannot be read"),
    (("-", "-"), "only one side", ""),
    (("a.yaml",), "takes two sides", ""),
    (("a.yaml", "."), ". is a directory", ""),
])  # fmt: skip
def test_trouble_names_the_side_and_ends_with_2(two: Path, sides: tuple[str, ...], side: str, says: str) -> None:
    (two / "bad.yaml").write_text(BASE.replace("dot(v, x) + b", "dot(v, x) + nothing"), "utf-8")
    done = dlspec("diff", *sides, cwd=two)
    assert done.returncode == 2 and not done.stdout
    assert side in done.stderr and says in done.stderr and "Traceback" not in done.stderr


def test_markdown_fits_a_comment_and_folds_what_is_long(two: Path) -> None:
    done = dlspec("diff", "--md", "a.yaml", "b.yaml", cwd=two)
    assert done.returncode == 1 and len(done.stdout) < 65_536
    assert "**one factor changed: gradient of `u`" in done.stdout and "| what | change | |" not in done.stdout
    assert done.stdout.count("<details>") == done.stdout.count("</details>") == 1
    loosened = BASE.replace("<= 1e-3", "<= 1e-2").replace("0.5 * final", "0.9 * final")
    (two / "b.yaml").write_text(loosened, "utf-8")
    text = dlspec("diff", "--md", "a.yaml", "b.yaml", cwd=two).stdout
    assert (
        "| what | change | |" in text
        and text.count("> [!WARNING]") == 1
        and "staircase.learns" in text
        and "staircase.better" in text
    )


def test_on_a_narrow_terminal_lines_are_wrapped_between_words(two: Path) -> None:
    wide = BASE.replace("(guess - y)^2", "(guess - y)^2 + 1e9 * abs(guess - y) * abs(guess + y)")
    (two / "b.yaml").write_text(wide.replace("final(error, variant == forward_only) <=", "final(error) <="), "utf-8")
    whole = dlspec("diff", "a.yaml", "b.yaml", cwd=two).stdout
    narrow = dlspec("diff", "a.yaml", "b.yaml", cwd=two, columns=60).stdout
    assert max(map(len, whole.splitlines())) > 80 and max(map(len, narrow.splitlines())) <= 60
    assert narrow.split() == whole.split() and "1e9" in whole
    assert not [line for line in narrow.splitlines() if line != line.rstrip()]


def test_json_is_one_object_with_a_version(two: Path) -> None:
    done = dlspec("diff", "--json", "a.yaml", "b.yaml", cwd=two)
    found = json.loads(done.stdout)
    assert found["format_version"] == 1 and found["same"] is False and done.returncode == 1
    (study,) = found["studies"]
    (change,) = study["changes"]
    assert (
        change["path"] == ["gradient", "u"]
        and change["classes"] == ["gradient"]
        and change["variants"] == ["forward_only"]
    )
    statuses = {cell["variant"]: cell["status"] for cell in study["cells"]}
    assert statuses == {"forward_only": "again", "smooth": "same", "end_to_end": "same"}
    assert all(cell["after"]["step_flops"] > 0 and cell["after"]["parameters"] > 0 for cell in study["cells"])


def test_the_standard_input_is_a_side(two: Path) -> None:
    done = dlspec("diff", "-", "b.yaml", cwd=two, input=BASE)
    assert done.returncode == 1 and "gradient of `u`" in done.stdout


def test_directories_are_compared_study_by_study(two: Path) -> None:
    for name, files in {
        "old": {"x.yaml": BASE, "y.yaml": BASE, "gone.yaml": SMALL, "no.yaml": "a: 1"},
        "new": {"x.yaml": EDITED, "z.yaml": BASE},
    }.items():
        (two / name).mkdir()
        for file, text in files.items():
            (two / name / file).write_text(text, "utf-8")
    done = dlspec("diff", "--json", "old", "new", cwd=two)
    headlines = {study["name"]: study["headline"] for study in json.loads(done.stdout)["studies"]}
    assert (
        done.returncode == 1 and {"x.yaml", "gone.yaml"} <= set(headlines) and headlines["gone.yaml"] == "study removed"
    )


def test_stored_finals_and_verdicts_of_both_sides_stand_beside_the_change(two: Path) -> None:
    for day, (name, value) in enumerate((("a.yaml", 0.25), ("b.yaml", 0.75)), 1):
        plan = spec.resolve(spec.load(two / name))
        folder = two / "runs" / f"run-{name}"
        folder.mkdir(parents=True)
        programs = [program for experiment in plan.experiments for program in experiment.programs]
        cells = [
            {"experiment": p.experiment, "variant": p.variant, "constants": dict(p.point), "replicate": r, "digest": p.digest,
             "status": "done", "final": {m.name: value + r for m in p.measures}}
            for p in programs for r in range(p.replicates)
        ]  # fmt: skip
        claims = [{"id": f"{c.experiment}.{c.name}", "check": c.text, "verdict": "holds" if value < 0.5 else "fails"}
                  for e in plan.experiments for c in e.claims]  # fmt: skip
        contents = {
            "cells.json": cells,
            "claims.json": claims,
            "run.json": {"profile": "", "finished": f"2024-05-0{day}T12:00:00+00:00"},
        }
        for file, data in contents.items():
            (folder / file).write_text(json.dumps(data), "utf-8")
        (folder / "spec.yaml").write_text((two / name).read_text("utf-8"), "utf-8")
    found = json.loads(dlspec("diff", "--json", "a.yaml", "b.yaml", cwd=two).stdout)["stored"]
    assert found["finals"]["staircase/forward_only"]["error"] == {
        "before": "1.25 (0.25 … 2.25)",
        "after": "1.75 (0.75 … 2.75)",
    }
    assert found["verdicts"]["staircase.learns"] == {"before": "holds", "after": "fails"}
    text = dlspec("diff", "a.yaml", "b.yaml", cwd=two).stdout
    assert "stored results" in text and "1.25 (0.25 … 2.25)" in text and "holds" in text
    # A measure that means something else now has no stored value on that side.
    (two / "b.yaml").write_text(BASE.replace("E(guess != y)", "E(guess > y)"), "utf-8")
    found = json.loads(dlspec("diff", "--json", "a.yaml", "b.yaml", cwd=two).stdout)["stored"]
    assert found["finals"]["staircase/smooth"]["wrong"]["after"] == "–"
    assert found["finals"]["staircase/smooth"]["error"]["after"] == "1.75 (0.75 … 2.75)", "the newest run's"
    # Nor has one that a run's override gave another meaning.
    about = {
        "profile": "",
        "finished": "2024-05-03T12:00:00+00:00",
        "overrides": ["staircase.measures.error=E((guess - y)^4)"],
    }
    for run in (two / "runs").iterdir():
        (run / "run.json").write_text(json.dumps(about), "utf-8")
    found = json.loads(dlspec("diff", "--json", "a.yaml", "b.yaml", cwd=two).stdout)["stored"]
    assert "error" not in found["finals"]["staircase/smooth"]
    assert found["finals"]["staircase/smooth"]["spread"]["before"] == "1.75 (0.75 … 2.75)"


def test_tensorflow_is_not_loaded(two: Path) -> None:
    code = f"import sys\ntry:\n    {MAIN.replace('; ', chr(10) + '    ')}\nexcept SystemExit: pass\n"
    code += "print('loaded', *(n for n in ('tensorflow', 'keras', 'matplotlib', 'pyarrow') if n in sys.modules))"
    done = run([sys.executable, "-c", code, "diff", "a.yaml", "b.yaml"], two)
    assert done.stdout.splitlines()[-1] == "loaded", done.stderr
    twin = run([sys.executable, "-c", "import pyarrow\n" + code, "diff", "a.yaml", "b.yaml"], two)
    assert twin.stdout.splitlines()[-1] == "loaded pyarrow"


# -- git ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a study in three commits: as it was, reformatted, and with one edit; and git's driver set up."""
    command = f'"{sys.executable}" -c "{MAIN}" diff'
    git(tmp_path, "init", "-q")
    for name, value in {
        "user.name": "A", "user.email": "a@example.org", "core.pager": "cat",
        "diff.dlspec.command": f"{command} --driver", "diff.dlspec.textconv": f"{command} --textconv",
    }.items():  # fmt: skip
        git(tmp_path, "config", name, value)
    (tmp_path / ".gitattributes").write_text("studies/*.yaml diff=dlspec\n", "utf-8")
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "a.yaml"
    for message, text in {
        "first": BASE,
        "spaces": "# one\n\n" + BASE.replace("(guess - y)^2", "(guess-y) ^ 2"),
        "edit": EDITED,
    }.items():
        path.write_text(text, "utf-8")
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", message)
    return tmp_path


def git(cwd: Path, *arguments: str) -> str:
    done = run(["git", *arguments], cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_git_diff_shows_the_difference_by_meaning(repository: Path) -> None:
    text = git(repository, "diff", "HEAD~1", "HEAD")
    assert "one factor changed: gradient of `u`, forward_only → stop" in text and "@@" not in text
    assert "no difference: both mean the same" in git(repository, "diff", "HEAD~2", "HEAD~1")
    (repository / "studies/a.yaml").write_text("dlspec: 1\nbroken: [", "utf-8")
    text = git(repository, "diff")
    assert "not compared by meaning" in text and "+broken: [" in text
    (repository / "studies/new.yaml").write_text(BASE, "utf-8")
    git(repository, "add", "-A")
    assert "+study: steps" in git(repository, "diff", "--cached", "--", "studies/new.yaml")


def test_git_log_shows_paths_that_changed_and_no_formatting(repository: Path) -> None:
    text = git(repository, "log", "-p", "-2", "--format=commit %s", "--", "studies")
    edit, spaces = text.split("commit spaces")
    assert (
        "-staircase/forward_only.gradient.u: forward_only" in edit
        and "+staircase/forward_only.gradient.u: stop" in edit
    )
    changed = [line for line in edit.splitlines() if re.match(r"[-+](?![-+])", line)]
    assert len(changed) == 2
    assert not [line for line in spaces.splitlines() if re.match(r"[-+](?![-+])", line)]


def test_a_side_may_be_a_revision(repository: Path) -> None:
    done = dlspec("diff", "HEAD~1:studies/a.yaml", "studies/a.yaml", cwd=repository)
    assert done.returncode == 1 and "gradient of `u`" in done.stdout
    done = dlspec("diff", "HEAD~1:./a.yaml", "a.yaml", cwd=repository / "studies")
    assert done.returncode == 1 and "gradient of `u`" in done.stdout
    done = dlspec("diff", "HEAD~2:studies", "HEAD~1:studies", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert dlspec("diff", "HEAD~2:studies", "studies", cwd=repository).returncode == 1


def conflicting(repository: Path) -> Path:
    """Two branches change the same line, and are being merged."""
    git(repository, "checkout", "-qb", "other", "HEAD~1")
    path = repository / "studies/a.yaml"
    path.write_text(
        path.read_text("utf-8").replace("gradient: {u: forward_only}", "gradient: {u: {scale: 0.5}}"), "utf-8"
    )
    git(repository, "commit", "-qam", "other")
    assert run(["git", "merge", "-"], repository).returncode == 1
    return path


def test_git_shows_a_file_that_is_not_merged(repository: Path) -> None:
    path = conflicting(repository)
    (repository / "plain.txt").write_text("also shown", "utf-8")
    git(repository, "add", "plain.txt")
    text = git(repository, "diff", "--cached")
    assert "dlspec diff studies/a.yaml" in text and "not merged yet: 1 conflict, the first on line" in text
    assert "not compared" not in text and "→ stop" in text
    path.unlink()
    text = git(repository, "diff", "--cached")
    assert "not merged yet. From ours to theirs:" in text and "→ stop" in text


def test_git_goes_on_when_nobody_reads_any_more(repository: Path) -> None:
    (repository / "studies/a.yaml").write_text(BASE.replace("(guess - y)^2", "abs(guess - y)"), "utf-8")
    done = run(["sh", "-c", "git diff | head -1; git log -p | head -1; git diff > /dev/full; true"], repository)
    assert "died" not in done.stderr and "Traceback" not in done.stderr and "internal error" not in done.stderr
    for arguments in (
        ["studies/a.yaml", "studies/a.yaml", "0" * 40, "100644", "studies/a.yaml", "0" * 40, "100644"],
        ["x"],
    ):
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-c", MAIN, "diff", "--driver", *arguments]
        closed = subprocess.run(command, cwd=repository, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
        os.close(writing)
        assert (closed.returncode, closed.stderr) == (0, "")


def test_the_driver_shows_what_it_cannot_read_and_never_fails(two: Path) -> None:
    sides = ("0" * 40, "100644")
    done = dlspec("diff", "--driver", "a.yaml", "none", *sides, "b.yaml", *sides, cwd=two)
    assert done.returncode == 0 and "not compared: none: No such file or directory" in done.stdout and not done.stderr
    (two / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for command in (("--driver", "a.yaml", "a.yaml", *sides, "bytes.yaml", *sides), ("--textconv", "bytes.yaml")):
        done = dlspec("diff", *command, cwd=two)
        assert done.returncode == 0 and done.stdout and not done.stderr
