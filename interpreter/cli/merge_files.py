"""What `dlspec merge` and `dlspec-check merge` do with files: three are read, the merge is written, and what came of it is said."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

from ..results.atomic_files import replace_file
from ..results.git_command import git
from ..results.optional_outputs import reason

if TYPE_CHECKING:
    from dlspec.spec.merge import Merged

CLEAN, CONFLICTS, TROUBLE = 0, 1, 2
MARKER_SIZE = 7


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
        print("--stdout and --output say two places for one result", file=sys.stderr)
        return TROUBLE
    ours = files[1]
    name = path or ours
    try:
        versions = [Path(file).read_bytes() for file in files]
    except OSError as error:
        print(f"{error.filename}: cannot be read: {error.strerror}", file=sys.stderr)
        return TROUBLE
    found = _merged(versions, name)
    if found is None:
        found = _as_text(versions, marker_size)
        if found is None:
            print(f"{name}: git cannot merge it as text either; it is left as ours", file=sys.stderr)
            return TROUBLE
    content, code = found
    try:
        if stdout:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
        else:
            target = (output or Path(ours)).resolve()
            replace_file(target, content, target.stat().st_mode & 0o7777 if target.exists() else 0o644)
    except OSError as error:
        print(f"{output or ours}: cannot be written: {reason(error)}", file=sys.stderr)
        return TROUBLE
    return code


def _merged(versions: list[bytes], name: str) -> tuple[bytes, int] | None:
    """The merge by meaning, with the exit code; None where it is not possible, and it is said why."""
    from dlspec.spec.merge import Unmergeable, merged

    try:
        texts = [_text(which, content) for which, content in zip(("the base", "ours", "theirs"), versions, strict=True)]
        result = merged(*texts)
    except Exception as error:  # git takes a command that fails for a conflict, and shows nothing of theirs
        why = str(error) if isinstance(error, Unmergeable) else reason(error)
        print(f"{name}: not merged by meaning, but as text: {why}", file=sys.stderr)
        return None
    return result.text.encode("utf-8"), _told(name, texts, result)


def _text(which: str, content: bytes) -> str:
    """A version's text. Raises Unmergeable for one that is no study; there may be no base."""
    from dlspec.spec.merge import Unmergeable

    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Unmergeable(f"{which} is not UTF-8") from None
    if not spec.is_study(text.removeprefix("\ufeff")) and (content.strip() or which != "the base"):
        raise Unmergeable(f"{which} is no study: no line begins with `dlspec:`")
    return text


def _told(name: str, versions: list[str], result: Merged) -> int:
    """Says what came of a merge of three versions; returns the exit code."""
    from dlspec.spec.merge.review import reviewed

    found = reviewed(*(Source(name, version.removeprefix("\ufeff")) for version in (*versions, result.text)))
    if found.problems:
        print(spec.render(found.problems), file=sys.stderr)
        print(file=sys.stderr)
    for doubt in result.doubts:
        print(f"{name}: {doubt}", file=sys.stderr)
    if conflicts := len(result.conflicts):
        many = conflicts > 1
        count = f"{conflicts} conflict{'s' * many} to be resolved, {'each ' * many}marked with `!conflict`"
        print(f"{name}: {count}", file=sys.stderr)
        return CONFLICTS
    if found.problems:
        print(f"{name}: merged without a conflict, but both together are not valid", file=sys.stderr)
        return CONFLICTS
    print(f"{name}: {found.note}", file=sys.stderr)
    return CONFLICTS if result.doubts else CLEAN


def _as_text(versions: list[bytes], marker_size: int) -> tuple[bytes, int] | None:
    """git's own merge of three texts, with the exit code; None where git cannot."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("ours", "base", "theirs")
        for name, content in zip(names, (versions[1], versions[0], versions[2]), strict=True):
            (Path(folder) / name).write_bytes(content)
        labels = [word for name in names for word in ("-L", name)]
        done = git(
            "merge-file", "-p", f"--marker-size={marker_size}", *labels, *names, folder=Path(folder), timeout=None
        )
    if done is None or not 0 <= done.returncode <= 127:
        return None
    return done.stdout, CONFLICTS if done.returncode else CLEAN
