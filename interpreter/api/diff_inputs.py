"""The inputs of a diff: studies, files, `REV:path` of git, `-` for standard input, and directories of studies."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlspec.spec.diagnostics.problems import Source, problem_at
from dlspec.spec.source import text as study_text

from ..results.git_command import git

STUDY = re.compile(rb"^dlspec\s*:", re.MULTILINE)
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Two:
    """A study on both sides; None where it is on one side only. `name` is its path in a directory."""

    name: str
    before: Source | None
    after: Source | None


Side = str | Source
"""One side: a word, or a text that was read already."""


def two(before: Side, after: Side) -> list[Two]:
    """The studies to compare. Raises StudyError for what cannot be read."""
    if before == "-" and after == "-":
        raise problem_at(
            None, "only one side can be read from standard input", "`git show HEAD:a.yaml | dlspec diff - a.yaml`"
        )
    sides = [_directory(side) for side in (before, after)]
    if sides[0] is None and sides[1] is None:
        return [Two("", read(before), read(after))]
    if sides[0] is None or sides[1] is None:
        names_of = [side.name if isinstance(side, Source) else side for side in (before, after)]
        alone, other = names_of if sides[0] is not None else reversed(names_of)
        raise problem_at(
            None,
            f"{alone} is a directory, and {other} is not",
            "Compare files with files, directories with directories.",
        )
    names = dict.fromkeys([*sides[0], *sides[1]])
    return [Two(name, sides[0].get(name), sides[1].get(name)) for name in sorted(names)]


def read(side: Side) -> Source:
    """One study's text: a file that exists, or else what git has under `REV:path`."""
    if isinstance(side, Source):
        return side
    if side == "-":
        return study_text.decode(sys.stdin.buffer.read(), "standard input")
    if ":" in side and not Path(side).exists():
        return study_text.decode(_git("show", side), side, _folder(side))
    return study_text.read(side)


def _directory(side: Side) -> dict[str, Source] | None:
    """The studies of a directory by path; None when it is none."""
    if isinstance(side, Source) or side == "-":
        return None
    path = Path(side)
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.suffix in SUFFIXES and item.is_file())
        return {str(item.relative_to(path)): study_text.read(item) for item in files if STUDY.search(item.read_bytes())}
    if ":" in side and not path.exists() and _git("cat-file", "-t", side).strip() == b"tree":
        return dict(_tree(side))
    return None


def _tree(side: str) -> Iterator[tuple[str, Source]]:
    # The names are relative to the tree itself, wherever in the repository this runs.
    for line in _git("ls-tree", "-r", "-z", "--full-tree", side).split(b"\0"):
        head, _, name = line.decode("utf-8", "surrogateescape").partition("\t")
        if name.endswith(SUFFIXES):
            data = _git("cat-file", "blob", head.split()[2])
            if STUDY.search(data):
                whole = f"{side.rstrip('/')}/{name}"
                yield name, study_text.decode(data, whole, _folder(whole))


def _folder(side: str) -> str:
    """The folder of the working tree in which `REV:path` lies: what a study names beside itself is read there."""
    path = side.partition(":")[2]
    top = "." if path.startswith(("./", "../")) else _git("rev-parse", "--show-toplevel").decode().strip()
    return str((Path(top) / path).parent)


def _git(*arguments: str) -> bytes:
    done = git(*arguments, timeout=None)
    if done is None:
        raise problem_at(None, f"{arguments[-1]}: there is no such file, and git cannot be run")
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else "git does not know it"
        raise problem_at(
            None, f"{arguments[-1]}: cannot be read: {reason}", "A side is a file, `REV:path` of git, or `-`."
        )
    return done.stdout
