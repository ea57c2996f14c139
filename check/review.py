"""What a change means for its reviewers: a summary of the job, one comment on the pull request, and a check of the claims.

The GitHub Action runs it. All that it is given stands in the environment: nothing that a stranger wrote becomes part of a command.

    FILES             patterns of git, separated by white space
    BASE              the commit to compare with
    COMMENT           `true`: writes the comment, where there is a token
    FAIL_ON_LOOSENED  `perhaps` or `true`: fails where a claim asks less than before, or may, unless the pull request has the
                      label LABEL; `certain`: where one asks less for certain; `false`: never
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from changed_studies import ChangedStudy, GitError, changed_studies, has_commit, plain
from dlspec import spec
from dlspec.interpreter.api.diff_inputs import Two
from dlspec.interpreter.api.diff_studies import compared_files, parsed_sides
from dlspec.spec.diagnostics.machine_formats import github
from dlspec.spec.diagnostics.problems import Problem
from dlspec.spec.diff import StudyDiff, compare
from dlspec.spec.diff.markdown import markdown
from dlspec.spec.diff.sections import warning_lines
from pull_request import NoAnswer, PullRequest

PASSED, FAILED = 0, 1
NEVER, CERTAIN, PERHAPS = "false", "certain", "perhaps"
STRICTNESS = {"": NEVER, NEVER: NEVER, CERTAIN: CERTAIN, PERHAPS: PERHAPS, "true": PERHAPS}
"""When a claim that asks less fails the job, by what the input says."""


@dataclass(frozen=True)
class Reviewed:
    """A study that differs, and how; `trouble` says why that is not known."""

    study: ChangedStudy
    diff: StudyDiff | None
    trouble: str = ""

    def loosened(self, strictness: str) -> list[str]:
        """The claims that ask less than before (and with `perhaps` those that may), with how."""
        warnings = self.diff.warnings if self.diff is not None else ()
        asks_less = [item for item in warnings if item.certain or strictness == PERHAPS]
        return [line for item in asks_less for line in warning_lines([item])]  # one a claim: they are counted


def reviewed(studies: Sequence[ChangedStudy]) -> list[Reviewed]:
    """Compares the two sides of each study; what went from one file to another is known there."""
    troubles = {study.path: _trouble(study) for study in studies}
    by_path = {study.path: study for study in studies if not troubles[study.path]}
    pairs = [Two(path, study.before, study.after) for path, study in by_path.items()]
    reviews = [Reviewed(study, None, troubles[study.path]) for study in studies if troubles[study.path]]
    diffs = dict(compared_files(pairs))
    for path, study in by_path.items():
        if path not in diffs and study.before is not None and study.after is not None:
            diffs[path] = compare(*parsed_sides(study.before, study.after))
    return reviews + [Reviewed(by_path[path], diffs[path]) for path in sorted(diffs)]


def _trouble(study: ChangedStudy) -> str:
    """Why a study cannot be compared; empty where it can."""
    for side, source in (("base", study.before), ("change", study.after)):
        try:
            problems = spec.validate(spec.parse(source)) if source is not None else ()
        except spec.StudyError as error:
            problems = tuple(error.problems)
        if wrong := next((problem for problem in problems if problem.severity == "error"), None):
            return f"not compared: it is no valid study in the {side}: {wrong.message}"
    return ""


def page(studies: Sequence[Reviewed]) -> str:
    """All differences as Markdown."""
    troubles = [f"### `{item.study.name}`\n\n{plain(item.trouble)}\n" for item in studies if item.trouble]
    diffs = [(item.study.name, item.diff) for item in studies if item.diff is not None]
    return "\n".join([*troubles, *([markdown(diffs)] if diffs else [])])


def main() -> int:
    """Compares, tells, and returns the exit code."""
    base = os.environ.get("BASE", "")
    if not base.strip("0"):
        print("There is no commit to compare with.")
        return PASSED
    asked = os.environ.get("FAIL_ON_LOOSENED", "").strip().lower()
    if asked not in STRICTNESS:
        _tell("error", f"`fail-on-loosened` is `true`, `perhaps`, `certain` or `false`, and not `{plain(asked)}`")
        return FAILED
    strict = STRICTNESS[asked] != NEVER
    patterns = os.environ.get("FILES", "").split()
    try:
        if not has_commit(base):
            raise GitError(f"the commit to compare with, {plain(base)}, is not there and cannot be fetched")
        studies = reviewed(changed_studies(base, "HEAD", patterns))
    except GitError as error:
        _tell("error" if strict else "warning", f"the change could not be shown: {error}")
        return FAILED if strict else PASSED
    text = page(studies)
    if studies and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(f"## What the change means\n\n{text}\n")
    for item in studies:
        if item.trouble:
            _tell("warning", item.trouble, item.study)
    request = PullRequest.of_event()
    if os.environ.get("COMMENT") == "true" and request is not None:
        mark = hashlib.sha256(" ".join(patterns).encode()).hexdigest()[:8]
        try:
            request.comment(f"<!-- dlspec {mark} -->", text if studies else None)
        except NoAnswer as error:
            _tell("notice", f"no comment was written: {error}. The job's summary holds the same.")
    return _judged(studies, request, STRICTNESS[asked]) if strict else PASSED


def _judged(studies: Sequence[Reviewed], request: PullRequest | None, strictness: str) -> int:
    """Whether the claims ask as much as before, or a label says that they may ask less."""
    loosened = [
        (item, text)
        for item in studies
        for text in item.loosened(strictness) or ([item.trouble] if item.trouble else [])
    ]
    if not loosened:
        return PASSED
    label = os.environ.get("LABEL", "")
    allowed = bool(label) and request is not None and label in request.labels()
    for item, text in loosened:
        _tell("notice" if allowed else "error", text, item.study)
    if allowed:
        print(f"The label {plain(label)} allows it.")
        return PASSED
    may = ", or may" if strictness == PERHAPS else ""
    print(f"{len(loosened)} of the claims ask less than before{may}. The label {plain(label)} would allow it.")
    return FAILED


def _tell(severity: str, text: str, study: ChangedStudy | None = None) -> None:
    """An annotation of GitHub, at a file if it is there."""
    file = study.after.name if study is not None and study.after is not None else ""
    command = github({file: [Problem(text, None, "", severity)]})
    print(command if file else command.replace("file=,", "", 1))


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main())
