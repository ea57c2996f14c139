"""What `dlspec merge` and `dlspec-check merge` do with files: three are read, the merge is written, and what came of it is said."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.source.conflicts import TAG
from dlspec.spec.source.text import UNREAD

from ..api.merged_versions import VERSIONS, merged_versions
from ..results.atomic_files import replace_file
from ..results.git_command import git
from ..results.optional_outputs import reason
from .problems_told import tell_problems

if TYPE_CHECKING:
    from dlspec.spec.merge.review import Review

CLEAN, CONFLICTS, TROUBLE = 0, 1, 2
MARKER_SIZE = 7
MANY = 127
"""As many conflicts as git counts in a text."""


@dataclass(frozen=True)
class Outcome:
    """What a merge gives: the bytes, how many conflicts are in them, how each is marked, and what may mean something else now."""

    content: bytes
    conflicts: int
    doubts: tuple[str, ...] = ()
    mark: str = TAG


def merge_files(
    files: tuple[str, str, str], marker_size: int, path: str | None, output: Path | None, stdout: bool
) -> int:
    """Merges three files, and returns the exit code.

    Args:
        files: The version that both come from, ours, which takes the result, and theirs.
        marker_size: How long the marks of a merge by lines are.
        path: What the file is called in messages, where that is not its own name.
        output: Takes the result, in place of ours.
        stdout: Prints the result, and leaves ours as it is.
    """
    if stdout and output is not None:
        print("--stdout and --output name two places for one result", file=sys.stderr)
        return TROUBLE
    ours = files[1]
    name = path or ours
    try:
        versions = [Path(file).read_bytes() for file in files]
    except OSError as error:
        print(f"{error.filename}: cannot be read: {error.strerror}\n{UNREAD}", file=sys.stderr)
        return TROUBLE
    outcome = _by_meaning(versions, name) or _by_lines(versions, marker_size)
    if outcome is None:
        print(f"{name}: git cannot merge it as text either; it is left as ours", file=sys.stderr)
        return TROUBLE
    try:
        if stdout:
            sys.stdout.flush()
            sys.stdout.buffer.write(outcome.content)
        else:
            target = (output or Path(ours)).resolve()
            replace_file(target, outcome.content, target.stat().st_mode & 0o7777 if target.exists() else 0o644)
    except OSError as error:
        print(f"{output or ours}: cannot be written: {reason(error)}", file=sys.stderr)
        return TROUBLE
    return _told(name, versions, outcome)


def _by_meaning(versions: list[bytes], name: str) -> Outcome | None:
    """The merge by meaning; None where it is not possible, and it is said why."""
    from dlspec.spec.merge import Unmergeable

    try:
        base, ours, theirs = (_text(which, content) for which, content in zip(VERSIONS, versions, strict=True))
        result = merged_versions(name, (base, ours, theirs))
    except Exception as error:  # git takes a command that fails for a conflict, and shows nothing of theirs
        why = str(error) if isinstance(error, Unmergeable) else reason(error)
        print(f"{name}: not merged by meaning, but as text: {why}", file=sys.stderr)
        return None
    return Outcome(result.text.encode("utf-8"), len(result.conflicts), result.doubts)


def _text(which: str, content: bytes) -> str:
    """A version's text. Raises Unmergeable."""
    from dlspec.spec.merge import Unmergeable

    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Unmergeable(f"{which} is not UTF-8") from None


def _by_lines(versions: list[bytes], marker_size: int) -> Outcome | None:
    """git's own merge of three texts; None where git cannot."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("ours", "base", "theirs")
        for name, content in zip(names, (versions[1], versions[0], versions[2]), strict=True):
            (Path(folder) / name).write_bytes(content)
        labels = [word for name in names for word in ("-L", name)]
        done = git(
            "merge-file", "-p", f"--marker-size={marker_size}", *labels, *names, folder=Path(folder), timeout=None
        )
    if done is None or not 0 <= done.returncode <= MANY:
        return None
    return Outcome(done.stdout, done.returncode, mark="<" * marker_size)


def _told(name: str, versions: list[bytes], outcome: Outcome) -> int:
    """Says what came of a merge of three versions; returns the exit code."""
    by_meaning = outcome.mark == TAG
    sources = [Source(name, content.decode("utf-8-sig", "replace")) for content in (*versions, outcome.content)]
    if by_meaning or (not outcome.conflicts and spec.is_study(sources[-1].text)):
        review = _review(name, sources)
        if review is None:
            return CONFLICTS
    else:
        review = None
    for doubt in outcome.doubts:
        print(f"{name}: {doubt}", file=sys.stderr)
    if conflicts := outcome.conflicts:
        many = conflicts > 1
        count = f"{conflicts} conflict{'s' * many}{' or more' * (conflicts == MANY and not by_meaning)}"
        print(f"{name}: {count} to be resolved, {'each ' * many}marked with `{outcome.mark}`", file=sys.stderr)
        return CONFLICTS
    if review is None:
        return CLEAN
    print(f"{name}: {review.note}", file=sys.stderr)
    if outcome.doubts and not review.problems:
        print(f"{name}: check the points above: correct them, or take the file as it is", file=sys.stderr)
    return CONFLICTS if outcome.doubts or review.problems else CLEAN


def _review(name: str, sources: list[Source]) -> Review | None:
    """What is to be said of the result, behind its errors, which are printed; None where it cannot be checked, which is said."""
    from dlspec.spec.merge.review import reviewed

    try:
        review = reviewed(*sources)
    except Exception as error:
        print(f"{name}: merged, but it could not be checked: {reason(error)}", file=sys.stderr)
        return None
    if review.problems:
        tell_problems(review.problems)
        print(file=sys.stderr)
    return review
