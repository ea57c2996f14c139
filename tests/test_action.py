"""The GitHub Action: its steps' commands, run as a runner runs them in a repository of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
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


def step(name: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Runs a step as the runner does: bash with its options, the environment from the inputs, an event that is a file."""
    defaults = {key: "" if "${{" in value["default"] else value["default"] for key, value in ACTION["inputs"].items()}
    given = {**defaults, **{key.replace("_", "-"): value for key, value in inputs.items()}}
    programs = folder.parent / "bin"
    programs.mkdir(exist_ok=True)
    program(programs / "dlspec-check", f'exec "{sys.executable}" -m dlspec.interpreter.cli.check_command "$@"')
    environment = {
        **os.environ,
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_REPOSITORY": "owner/repository",
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
        "GITHUB_EVENT_PATH": str(folder.parent / "event.json"),
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
        **{key: evaluated(value, given) for key, value in STEPS[name].get("env", {}).items()},
    }
    script = folder.parent / "step.sh"
    script.write_text(STEPS[name]["run"])
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=120)


def program(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


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
    text = (ROOT / "action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert not re.findall(r"\$\{\{[^}]*(title|body|head|label[^ -])", text)


def test_the_job_installs_no_tensorflow() -> None:
    assert '"$GITHUB_ACTION_PATH/check"' in STEPS["Install the small distribution of dlspec"]["run"]


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


STUDY = """dlspec: 1
study: NAME
experiments:
  e:
    task: {example: {x: normal()}}
    measures: {m: "E(x)", n: "E(x^2)"}
    claims: {low: {says: It is low., check: final(m) < 0.5}}
profiles:
  quick: {experiments: {e: {replicates: 1}}}
"""


def study(name: str, **more: str) -> str:
    """A study; `more` are replacements."""
    text = STUDY.replace("NAME", name)
    for old, new in more.items():
        text = text.replace({"check": "final(m) < 0.5", "quick": "{replicates: 1}"}[old], new)
    return text


def review(folder: Path, base: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    done = step("Show what changed", folder, base=base, **inputs)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_renamed_added_removed_and_changed_studies_are_shown_once_each(repository: Path, tmp_path: Path) -> None:
    names = ("changed", "kept", "moved", "gone", "rewritten")
    for name in names:
        (repository / f"{name}.yaml").write_text(study(name))
    base = save(repository)
    (repository / "changed.yaml").write_text(study("changed", check="final(m) < 0.25"))
    (repository / "kept.yaml").write_text("# a comment\n" + study("kept"))
    (repository / "moved.yaml").rename(repository / "elsewhere.yaml")
    (repository / "gone.yaml").unlink()
    (repository / "rewritten.yaml").unlink()
    text = study("rewritten").replace("    ", "        ").replace("E(x^2)", "E(x^4)").replace("normal()", "uniform()")
    (repository / "anew.yaml").write_text(text.replace("says: It is low.", "says: 'It is as low as nobody thought.'"))
    (repository / "it's `new`; $(touch here).yaml").write_text(GOOD.replace("study: s", "study: new"))
    (repository / "link.yaml").symlink_to("/etc/hostname")
    (repository / "ci.yaml").write_text("on: [push]\n")
    save(repository)
    done = review(repository, base)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    text = (tmp_path / "summary.md").read_text()
    assert re.findall("^### (.*)$", text, re.MULTILINE) == [
        "`anew.yaml`", "`changed.yaml`", "`gone.yaml`", "`it's ?new?; $(touch here).yaml`", "`kept.yaml`",
        "`moved.yaml → elsewhere.yaml`",
    ]  # fmt: skip
    assert "rewritten.yaml" in text.partition("### `changed")[0], "what became of it is found by what stays alike"
    assert "study removed" in text and "removed with its study: It is low." in text and "study added" in text
    assert not (repository / "here").exists() and "hostname" not in text


def test_a_loosened_claim_fails_the_job_unless_a_label_says_so(repository: Path, tmp_path: Path) -> None:
    (repository / "a.yaml").write_text(study("a"))
    base = save(repository)
    (repository / "a.yaml").write_text(study("a", check="final(m) < 0.25"))
    save(repository)
    assert review(repository, base, fail_on_loosened="true").returncode == 0, "it asks more"
    (repository / "a.yaml").write_text(study("a", check="final(m) < 0.75"))
    save(repository)
    assert review(repository, base).returncode == 0
    done = review(repository, base, fail_on_loosened="true")
    assert done.returncode == 1 and done.stdout.startswith("::error file=a.yaml,title=dlspec::e.low: ")
    assert "The label claims may be loosened would allow it." in done.stdout
    labels = [{"name": "claims may be loosened"}]
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7, "labels": labels}}))
    done = review(repository, base, fail_on_loosened="true")
    assert done.returncode == 0 and done.stdout.count("::error") == 0 and "::notice file=a.yaml" in done.stdout
    assert review(repository, base, fail_on_loosened="true", loosened_label="other").returncode == 1


def test_what_asks_less_for_certain_and_what_may_are_told_apart(repository: Path) -> None:
    text = study("a")
    (repository / "a.yaml").write_text(text)
    base = save(repository)
    (repository / "a.yaml").write_text(text.replace("final(m) < 0.5", "lowest(m) + 0 * final(m) < 0.5"))
    save(repository)
    assert [
        review(repository, base, fail_on_loosened=how).returncode for how in ("perhaps", "true", "certain", "false")
    ] == [1, 1, 0, 0]
    (repository / "a.yaml").write_text(text.replace("final(m) < 0.5", "final(m) < 0.75"))
    save(repository)
    done = review(repository, base, fail_on_loosened="certain")
    assert done.returncode == 1 and done.stdout.endswith(
        "1 of the claims ask less than before. The label claims may be loosened would allow it.\n"
    )
    done = review(repository, base, fail_on_loosened="perhap")
    assert done.returncode == 1 and done.stdout.startswith("::error title=dlspec::`fail-on-loosened` is ")


def test_a_claim_that_goes_with_its_study_counts(repository: Path) -> None:
    (repository / "b.yaml").write_text(study("b"))
    base = save(repository)
    (repository / "b.yaml").unlink()
    save(repository)
    done = review(repository, base, fail_on_loosened="true")
    assert done.returncode == 1 and "::error title=dlspec::e.low: removed with its study: It is low.\n" in done.stdout


def test_what_cannot_be_compared_is_said_and_is_not_let_through(repository: Path, tmp_path: Path) -> None:
    base = git("rev-parse", "HEAD", cwd=repository)
    (repository / "s.yaml").write_text(WRONG)
    save(repository)
    done = review(repository, base)
    assert done.returncode == 0 and done.stdout.startswith("::warning file=s.yaml,title=dlspec::not compared: ")
    assert "no valid study in the change: unknown name 'q'" in (tmp_path / "summary.md").read_text()
    assert review(repository, base, fail_on_loosened="true").returncode == 1
    done = review(repository, "1" * 40)
    assert done.returncode == 0 and done.stdout.startswith("::warning title=dlspec::the change could not be shown: ")
    assert review(repository, "1" * 40, fail_on_loosened="true").returncode == 1


@pytest.mark.parametrize("base", ["", "0" * 40])
def test_without_a_base_nothing_is_compared(repository: Path, tmp_path: Path, base: str) -> None:
    done = review(repository, base)
    assert (done.returncode, done.stdout) == (0, "There is no commit to compare with.\n")
    assert not (tmp_path / "summary.md").exists()


def test_a_base_that_a_shallow_clone_lacks_is_fetched(repository: Path, tmp_path: Path) -> None:
    base = git("rev-parse", "HEAD", cwd=repository)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=repository)
    (repository / "s.yaml").write_text(GOOD.replace("1 + 1", "2 + 1"))
    save(repository)
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--depth=1", repository.as_uri(), str(clone), cwd=tmp_path)
    assert subprocess.run(["git", "cat-file", "-e", base], cwd=clone, capture_output=True).returncode != 0
    done = review(clone, base)
    assert done.returncode == 0, done.stderr
    assert "### `s.yaml`" in (tmp_path / "summary.md").read_text()


# -- the comment ---------------------------------------------------------------------------------------------------------

GH = """
import json, os, sys
from pathlib import Path
folder = Path(__file__).parent
state = folder / "comments.json"
method, path = sys.argv[sys.argv.index("--method") + 1], sys.argv[sys.argv.index("--method") + 2]
with (folder / "calls").open("a") as calls:
    calls.write(f"{method} {path}\\n")
if (folder / "refuses").exists() and method != "GET":
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
comments = json.loads(state.read_text()) if state.exists() else []
place, _, query = path.partition("?")
assert place.startswith("repos/owner/repository/issues/")
if method == "GET" and place.endswith("/labels"):
    print((folder / "labels.json").read_text())
elif method == "GET":
    page = int(query.rpartition("page=")[2])
    print(json.dumps(comments[100 * (page - 1):100 * page]))
else:
    body = json.load(sys.stdin)["body"]
    bot = {"type": "Bot", "login": "github-actions[bot]"}
    if method == "POST":
        assert place == "repos/owner/repository/issues/7/comments"
        comments.append({"id": 1000 + len(comments), "user": bot, "body": body})
    else:
        (one,) = [item for item in comments if item["id"] == int(place.rpartition("/")[2])]
        assert one["user"] == bot
        one["body"] = body
    state.write_text(json.dumps(comments))
    print("{}")
"""


@pytest.fixture
def gh(repository: Path) -> Path:
    """A folder on the path with a `gh` that keeps comments in a file, and the event of a pull request."""
    folder = repository.parent / "bin"
    folder.mkdir()
    (folder / "gh.py").write_text(GH)
    program(folder / "gh", f'exec "{sys.executable}" "{folder / "gh.py"}" "$@"')
    (folder / "labels.json").write_text("[]")
    stranger = {"id": 1, "user": {"type": "User", "login": "someone"}, "body": "<!-- dlspec"}
    (folder / "comments.json").write_text(json.dumps([{**stranger, "id": number} for number in range(100)]))
    (repository.parent / "event.json").write_text(json.dumps({"pull_request": {"number": 7, "labels": []}}))
    return folder


def bodies(gh: Path) -> list[str]:
    """The comments that the job wrote."""
    return [item["body"] for item in json.loads((gh / "comments.json").read_text()) if item["user"]["type"] == "Bot"]


def test_one_comment_is_written_and_then_written_anew(repository: Path, gh: Path) -> None:
    base = git("rev-parse", "HEAD", cwd=repository)
    assert review(repository, base, token="t").returncode == 0
    assert bodies(gh) == [], "nothing differs, and there is nothing to correct"
    for number in (2, 3):
        (repository / "s.yaml").write_text(GOOD.replace("1 + 1", f"{number} + 1"))
        save(repository)
        assert review(repository, base, token="t").stdout == ""
        (body,) = bodies(gh)
        assert re.match(r"<!-- dlspec [0-9a-f]{8} -->\n### `s.yaml`\n", body) and f"{number} + 1" in body
    review(repository, base, token="t", files="s.yaml")
    assert len(bodies(gh)) == 2, "another job, on other files, has a comment of its own"
    git("checkout", "--quiet", base, "--", "s.yaml", cwd=repository)
    save(repository)
    review(repository, base, token="t")
    assert bodies(gh)[0].endswith("No study differs from the base any more.")


def test_without_a_token_or_a_permission_there_is_the_summary_alone(repository: Path, gh: Path, tmp_path: Path) -> None:
    base = git("rev-parse", "HEAD", cwd=repository)
    (repository / "s.yaml").write_text(GOOD.replace("1 + 1", "2 + 1"))
    save(repository)
    done = review(repository, base)
    assert done.returncode == 0 and done.stdout.startswith(
        "::notice title=dlspec::no comment was written: there is no token"
    )
    assert not (gh / "calls").exists() and "### `s.yaml`" in (tmp_path / "summary.md").read_text()
    review(repository, base, token="t", comment="false")
    assert not (gh / "calls").exists()
    (gh / "refuses").touch()
    done = review(repository, base, token="t")
    assert done.returncode == 0 and "not accessible by integration (HTTP 403)" in done.stdout and bodies(gh) == []


def test_the_labels_of_now_count(repository: Path, gh: Path) -> None:
    """Not those when the job began: it can be run again once there is a label."""
    (repository / "a.yaml").write_text(study("a"))
    base = save(repository)
    (repository / "a.yaml").write_text(study("a", check="final(m) < 0.75"))
    save(repository)
    assert review(repository, base, token="t", fail_on_loosened="true").returncode == 1
    (gh / "labels.json").write_text(json.dumps([{"name": "claims may be loosened"}]))
    assert review(repository, base, token="t", fail_on_loosened="true").returncode == 0
