"""`dlspec merge` as git's driver: what a user does with git, in one repository that each case begins anew in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

from tests.forked import MAIN
from tests.served import served

STUDY = """\
# A study to be merged.
dlspec: 1
study: flat
experiments:
  # of three widths
  wide:
    constants: {n: 3, half: 0.5}
    functions: {near(r): abs(r) < half}
    task:
      draw: {v: "normal([n])"}
      example: {x: "normal([n])", y: "dot(v, x)"}
    architecture:
      f:
        input: x
        layers:
          - dense: {units: 8, activation: relu}
          - dense: 1
    loss: {squared: (f - y)^2}
    training: &usual
      optimizer: {adam: 0.01}
      batch: 32   # fits into the cache
      steps: 500
    measures:
      error: E((f - y)^2)
      close: E(near(f - y))
    sweep: {n: [2, 4, 8]}
    variants:
      plain: {}
      narrow:
        architecture: {f: {layers: [dense: 2, dense: 1]}}
    claims:
      learns: {says: It learns., check: "final(error, variant == plain) < 0.1"}
    figures:
      error: {kind: curves, y: error, panel: n}
  other:
    task: {example: {x: "normal([2])", y: sum(x)}}
    architecture: {g: {input: x, layers: [dense: 1]}}
    loss: {squared: (g - y)^2}
    training: *usual
    measures: {error: E((g - y)^2)}
profiles:
  quick:
    about: In short.
    experiments:
      wide: {training: {steps: 50}}
"""
Edit = tuple[str, str]
LONGER: Edit = ("steps: 500", "steps: 1000")
LONGEST: Edit = ("steps: 500", "steps: 2000")
BATCH: Edit = ("batch: 32", "batch: 64")
HALF: Edit = ("half: 0.5", "half: 0.25")


def edited(*edits: Edit, text: str = STUDY) -> str:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


class Repository:
    """A repository with one study, and the driver as the documentation sets it up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.study = folder / "a.yaml"
        people = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        quiet = {
            "HOME": str(folder.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "true",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        self.environment = {**os.environ, **people, **quiet}
        self.said = ""

    def git(self, *arguments: str, code: int = 0) -> str:
        """Runs git, and gives all that it and the driver said."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, env=self.environment, timeout=120
        )
        self.said = (done.stdout + done.stderr).decode()
        assert done.returncode == code, self.said
        return self.said

    def commit(self, text: str, message: str = "x") -> None:
        """Commits the study with a text."""
        self.study.write_bytes(text.encode())
        self.git("commit", "-qam", message)

    def branch(self, name: str, *texts: str, at: str = "first") -> None:
        """A branch with a commit for each text; we are on it."""
        self.git("checkout", "-qfB", name, at)
        for number, text in enumerate(texts):
            self.commit(text, f"{name} {number}")

    @property
    def text(self) -> str:
        return self.study.read_bytes().decode()

    def merged(self, base: str, ours: str, theirs: str, code: int = 0) -> str:
        """`git merge` of two branches; gives the text."""
        self.branch("base", *([base] if base != STUDY else []))
        self.branch("theirs", theirs, at="base")
        self.branch("ours", ours, at="base")
        self.git("merge", "--no-edit", "theirs", code=code)
        return self.text


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    folder = tmp_path_factory.mktemp("git") / "repository"
    folder.mkdir()
    repository = Repository(folder)
    with served(MAIN, folder.parent) as command:
        repository.git("init", "-qb", "first")
        repository.git("config", "core.autocrlf", "false")
        repository.git("config", "merge.dlspec.name", "studies, by meaning")
        repository.git("config", "merge.dlspec.driver", f"{command} merge %O %A %B %L %P")
        (folder / ".gitattributes").write_text("*.yaml merge=dlspec\n")
        repository.study.write_text(STUDY)
        repository.git("add", "-A")
        repository.git("commit", "-qm", "first")
        yield repository


@pytest.fixture
def repository(shared: Repository) -> Iterator[Repository]:
    yield shared
    shared.git("reset", "-q", "--hard")


def test_the_study_is_valid() -> None:
    spec.validate(spec.parse(Source("a.yaml", STUDY)))


# -- what git does -------------------------------------------------------------------------------------------------------


def test_rebase_onto_takes_a_branch_without_what_it_stood_on(repository: Repository) -> None:
    repository.branch("main", edited(LONGER))
    repository.branch("topic", edited(BATCH))
    repository.branch("feature", edited(BATCH, HALF), at="topic")
    said = repository.git("rebase", "--onto", "main", "topic", "feature")
    assert repository.text == edited(LONGER, HALF)
    assert "a.yaml: merged; " in said
    assert repository.git("log", "--format=%s", "-2") == "feature 0\nmain 0\n"


def test_cherry_pick_and_revert_take_one_commit_of_neighbouring_lines(repository: Repository) -> None:
    repository.branch("main", edited(LONGER))
    repository.branch("topic", edited(HALF), edited(HALF, BATCH))
    repository.git("checkout", "-q", "main")
    repository.git("cherry-pick", "-x", "topic")
    assert repository.text == edited(LONGER, BATCH)
    assert "(cherry picked from commit" in repository.git("log", "-1", "--format=%B")
    said = repository.git("revert", "--no-edit", "HEAD~1")
    assert repository.text == edited(BATCH)
    assert "a.yaml: merged; " in said
    repository.branch("main", edited(LONGER), edited(LONGEST))
    repository.git("revert", "--no-edit", "HEAD~1", code=1)
    assert "steps: !conflict\n        base: 1000\n        ours: 2000\n        theirs: 500\n" in repository.text
    repository.git("revert", "--abort")


def test_stash_pop(repository: Repository) -> None:
    repository.branch("main")
    repository.study.write_text(edited(LONGER))
    repository.git("stash")
    repository.commit(edited(BATCH))
    repository.git("stash", "pop")
    assert repository.text == edited(LONGER, BATCH)
    assert repository.git("status", "--porcelain") == " M a.yaml\n" and not repository.git("stash", "list")
    repository.git("stash")
    repository.commit(edited(LONGEST))
    said = repository.git("stash", "pop", code=1)
    assert "a.yaml: 1 conflict to be resolved, marked with `!conflict`" in said and "stash entry is kept" in said
    assert "steps: !conflict\n        base: 500\n        ours: 2000\n        theirs: 1000\n" in repository.text
    repository.git("reset", "-q", "--hard")
    repository.git("stash", "drop")


def test_merge_squash_leaves_the_result_staged(repository: Repository) -> None:
    repository.branch("topic", edited(HALF), edited(HALF, BATCH))
    repository.branch("main", edited(LONGER))
    said = repository.git("merge", "--squash", "topic")
    assert "a.yaml: merged; " in said
    assert repository.text == edited(LONGER, HALF, BATCH)
    assert repository.git("status", "--porcelain") == "M  a.yaml\n"


def test_a_side_is_taken_whole_by_git_and_its_own_strategies_do_not_decide(repository: Repository) -> None:
    repository.branch("theirs", edited(LONGEST, HALF))
    repository.branch("ours", edited(LONGER, BATCH))
    said = repository.git("merge", "--no-edit", "-X", "theirs", "theirs", code=1)
    assert "1 conflict to be resolved" in said and "steps: !conflict" in repository.text
    repository.git("checkout", "--theirs", "a.yaml")
    assert repository.text == edited(LONGEST, HALF)
    repository.git("checkout", "--ours", "a.yaml")
    assert repository.text == edited(LONGER, BATCH)
    repository.git("checkout", "--merge", "a.yaml")
    assert "steps: !conflict" in repository.text and "half: 0.25" in repository.text


def test_what_is_resolved_by_hand_is_a_study_as_any_other(repository: Repository) -> None:
    repository.merged(STUDY, edited(LONGER, HALF), edited(LONGEST, ("half: 0.5", "half: 0.125")), code=1)
    assert repository.said.count("a merge left") == 2 and "2 conflicts to be resolved, each marked" in repository.said
    mark = "!conflict {base: 0.5, ours: 0.25, theirs: 0.125}"
    assert mark in repository.text
    half_done = repository.text.replace(mark, "0.2")
    with pytest.raises(spec.StudyError) as caught:
        spec.parse(Source("a.yaml", half_done))
    assert [problem.message.partition(":")[0] for problem in caught.value.problems] == [
        "a merge left `steps` undecided"
    ]
    # committed all the same, and merged again: the mark stays, and it is said
    repository.study.write_text(half_done)
    repository.git("commit", "-qam", "half done")
    repository.branch("more", edited(BATCH))
    repository.git("checkout", "-q", "ours")
    said = repository.git("merge", "--no-edit", "more", code=1)
    assert repository.text == half_done.replace(*BATCH)
    assert "a merge left `steps` undecided" in said and "it is not valid, as ours alone" in said
    done = edited(("steps: 500", "steps: 1500"), BATCH, ("half: 0.5", "half: 0.2"))
    repository.commit(done)
    repository.branch("third", edited(("units: 8", "units: 9")))
    repository.git("checkout", "-q", "ours")
    repository.git("merge", "--no-edit", "third")
    assert repository.text == edited(("units: 8", "units: 9"), text=done)


# -- line ends -----------------------------------------------------------------------------------------------------------


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


@pytest.mark.parametrize(("base", "ours", "theirs", "both"), [
    (crlf(STUDY), crlf(edited(LONGER)), crlf(edited(BATCH)), crlf(edited(LONGER, BATCH))),
    (STUDY, edited(LONGER), crlf(edited(BATCH)), crlf(edited(LONGER, BATCH))),
    (STUDY, crlf(edited(LONGER)), edited(BATCH), crlf(edited(LONGER, BATCH))),
    (crlf(STUDY), edited(LONGER), crlf(edited(BATCH)), edited(LONGER, BATCH)),
    (STUDY, edited(LONGER, ("flat\n", "flat\r\n")), edited(BATCH), edited(LONGER, BATCH)),
])  # fmt: skip
def test_line_ends_are_those_of_the_side_that_changed_them(
    repository: Repository, base: str, ours: str, theirs: str, both: str
) -> None:
    assert repository.merged(base, ours, theirs) == both


# -- what both sides change ----------------------------------------------------------------------------------------------

RENAMED: tuple[Edit, ...] = (("  wide:\n", "  broad:\n"), ("      wide: ", "      broad: "))
FAR = '      far: {says: Far., check: "final(error) < 9"}\n'
NEAR = '      near: {says: Near., check: "final(close) > 0"}\n'
CLAIMS = "    figures:\n"
OTHERS_TRAINING = "    training: *usual\n"
SLOW = "  slow: {about: At length., experiments: {wide: {replicates: 9}}}\n"
TINY = "  tiny: {about: A try., experiments: {wide: {replicates: 1}}}\n"
VARIANTS = "    claims:\n"
BIG, LONG = "      big: {training: {batch: 256}}\n", "      long: {training: {steps: 900}}\n"


@pytest.mark.parametrize(("ours", "theirs", "both"), [
    # an experiment under another name, and changed
    (RENAMED, (LONGER,), edited(*RENAMED, LONGER)),
    (RENAMED, (("{steps: 50}", "{steps: 60}"), HALF), edited(*RENAMED, ("{steps: 50}", "{steps: 60}"), HALF)),
    # additions to one list
    (((CLAIMS, FAR + CLAIMS),), ((CLAIMS, NEAR + CLAIMS),), edited((CLAIMS, FAR + NEAR + CLAIMS))),
    (((VARIANTS, BIG + VARIANTS),), ((VARIANTS, LONG + VARIANTS),), edited((VARIANTS, BIG + LONG + VARIANTS))),
    ((("[2, 4, 8]", "[2, 4, 8, 16]"),), (("[2, 4, 8]", "[2, 4, 6, 8]"),), edited(("[2, 4, 8]", "[2, 4, 6, 8, 16]"))),
    ((("y: error, ", "y: [error, close], "),), (("panel: n}", "panel: n, title: Errors}"),),
     edited(("y: error, ", "y: [error, close], "), ("panel: n}", "panel: n, title: Errors}"))),
    # anchors and aliases
    ((BATCH,), ((OTHERS_TRAINING, "    training: {optimizer: {sgd: 0.1}, batch: 32, steps: 500}\n"),),
     edited((OTHERS_TRAINING, "    training: {optimizer: {sgd: 0.1}, batch: 32, steps: 500}\n")).replace("batch: 32   #", "batch: 64   #")),
    ((LONGER,), ((OTHERS_TRAINING, OTHERS_TRAINING + "    replicates: 4\n"),),
     edited(LONGER, (OTHERS_TRAINING, OTHERS_TRAINING + "    replicates: 4\n"))),
    # comments
    ((("# of three widths", "# of four widths"),), (("# of three widths", "# of three widths, here"),),
     edited(("  # of three widths\n", "  # of four widths\n  # of three widths, here\n"))),
    ((("# fits into the cache", "# fits into the cache of ours"),), (LONGER, ("# A study to be merged.", "# A study.")),
     edited(("# fits into the cache", "# fits into the cache of ours"), LONGER, ("# A study to be merged.", "# A study."))),
    # profiles
    ((("{steps: 50}", "{steps: 60}"),), (LONGER,), edited(("{steps: 50}", "{steps: 60}"), LONGER)),
    ((("  quick:\n", SLOW + "  quick:\n"),), (("  quick:\n", TINY + "  quick:\n"),), edited(("  quick:\n", SLOW + TINY + "  quick:\n"))),
])  # fmt: skip
def test_changes_of_both_are_in_the_result(
    repository: Repository, ours: tuple[Edit, ...], theirs: tuple[Edit, ...], both: str
) -> None:
    assert repository.merged(STUDY, edited(*ours), edited(*theirs)) == both
    assert "a.yaml: merged; " in repository.said
    spec.validate(spec.parse(Source("a.yaml", repository.text)))


@pytest.mark.parametrize(("ours", "theirs", "marks", "says"), [
    # one name for two things
    ((CLAIMS, FAR + CLAIMS), (CLAIMS, FAR.replace("< 9", "< 8") + CLAIMS),
     ['      far: {says: Far., check: !conflict {ours: "final(error) < 9", theirs: "final(error) < 8"}}\n'],
     ["a merge left `check` undecided: ours says final(error) < 9, theirs says final(error) < 8"]),
    ((VARIANTS, BIG + VARIANTS), (VARIANTS, BIG.replace("256", "128") + VARIANTS),
     ["      big: {training: {batch: !conflict {ours: 256, theirs: 128}}}\n"],
     ["a merge left `batch` undecided: ours says 256, theirs says 128"]),
    # what one side removed and the other changed
    (("      narrow:\n        architecture: {f: {layers: [dense: 2, dense: 1]}}\n", ""), ("dense: 2, ", "dense: 3, "),
     ["      narrow: !conflict\n", "        ours: !removed\n"],
     ["a merge left `narrow` undecided: ours removes it, theirs says ", "or remove `narrow:` too."]),
    (HALF, ("half: 0.5", "half: 0.125"), ["half: !conflict {base: 0.5, ours: 0.25, theirs: 0.125}"],
     ["a merge left `half` undecided: ours says 0.25, theirs says 0.125; the base says 0.5"]),
    # in a profile
    (("{steps: 50}", "{steps: 60}"), ("{steps: 50}", "{steps: 70}"),
     ["      wide: {training: {steps: !conflict {base: 50, ours: 60, theirs: 70}}}\n"],
     ["a merge left `steps` undecided: ours says 60, theirs says 70; the base says 50"]),
    # layers that both put in one place
    (("          - dense: 1\n", "          - relu\n          - dense: 1\n"), ("          - dense: 1\n", "          - tanh\n          - dense: 1\n"),
     ["          - !conflict\n            ours:\n              - relu\n            theirs:\n              - tanh\n"],
     ["a merge left this undecided: ours says [relu], theirs says [tanh]", "Write the items that belong here, each as an item of its own"]),
    # what may mean something else now
    (("          - dense: {", "          - dense: 6\n          - dense: {"),
     (VARIANTS, "      frozen: {gradient: {f.dense_2: stop}}\n" + VARIANTS), [],
     ["theirs names layer `dense_2` of network `f`, which is now another layer", "a.yaml: merged; ",
      "a.yaml: check the points above: correct them, or take the file as it is"]),
    # what does not go together
    (("      narrow:\n        architecture: {f: {layers: [dense: 2, dense: 1]}}\n", ""),
     (CLAIMS, FAR.replace("error)", "error, variant == narrow)") + CLAIMS), [],
     ["narrow", "a.yaml: merged without a conflict, but both together are not valid"]),
])  # fmt: skip
def test_what_cannot_stand_together_stops_git(
    repository: Repository, ours: Edit, theirs: Edit, marks: list[str], says: list[str]
) -> None:
    text = repository.merged(STUDY, edited(ours), edited(theirs), code=1)
    assert all(mark in text for mark in marks) and bool(marks) == ("!conflict" in text), text
    assert all(part in repository.said for part in says) and "CONFLICT (content)" in repository.said
