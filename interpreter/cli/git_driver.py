"""git's side of `dlspec diff`: a text conversion for `git log -p`, and an external diff for `git diff`.

Neither may fail: git would show nothing at all. What is no valid study is shown as plain text.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.source.conflict_marks import ConflictSides, conflict_sides
from dlspec.spec.source.undecided_sides import undecided_sides

from ..results.git_command import git
from ..results.optional_outputs import reason
from .standard_output import printed, to_nowhere
from .text.line_difference import line_difference

NULL_DEVICE = "/dev/null"
NO_MODE = "."
STAGES = {"1": "base", "2": "ours", "3": "theirs"}
"""The sides of a conflict by their numbers in git's index."""


@dataclass(frozen=True)
class Version:
    """A file as it was or is: its bytes are None where there was none; `mode` is git's, empty where it is not known."""

    name: str
    data: bytes | None
    mode: str = ""

    @property
    def binary(self) -> bool:
        """Whether git would take it for a binary."""
        return self.data is not None and b"\0" in self.data[:8000]

    @property
    def text(self) -> str:
        """What can be read of it."""
        return (self.data or b"").decode("utf-8-sig", "replace")


def textconv(arguments: Sequence[str]) -> int:
    """Prints the meaning of one study in lines, one a path; a file that is no valid study as it is."""
    if len(arguments) != 1:
        print("dlspec diff --textconv takes one file", file=sys.stderr)
        return 2
    return _shown(lambda: sys.stdout.write(_meaning(Version(arguments[0], Path(arguments[0]).read_bytes()))))


def _meaning(file: Version) -> str:
    """Of a file with the marks of a conflict the meanings of both its sides, with marks where they differ."""
    from dlspec.spec.diff.git_textconv import conflict_lines, meaning_lines

    if file.binary:
        return f"binary, {len(file.data or b''):,} bytes, SHA-256 {hashlib.sha256(file.data or b'').hexdigest()}\n"
    try:
        sides = _sides(file.text)
        if sides is not None:
            return conflict_lines(sides, file.name)
        return meaning_lines(spec.parse(spec.decode(file.data or b"", file.name)))
    except spec.StudyError as error:
        return f"# no valid study: {error.problems[0].message}\n{file.text}" if spec.is_study(file.text) else file.text
    except Exception:  # a fault of dlspec's own: git's own lines are better than none
        return file.text


def _sides(text: str) -> ConflictSides | None:
    """The sides of a file in a conflict, whether git marked it or `dlspec merge` did."""
    return conflict_sides(text) or undecided_sides(text)


def driver(arguments: Sequence[str]) -> int:
    """Prints the difference of a path, its old file and its new file: the arguments of git's external diff.

    Of a path that is not merged yet git gives the path alone; of a renamed one its new path and what happened besides.
    """
    if len(arguments) == 1:
        return _shown(lambda: _unmerged(arguments[0]))
    if len(arguments) < 7:
        print("dlspec diff --driver takes git's seven arguments: path, old file, hex and mode, new file, hex and mode; "
              "or only the path, if the file is not merged", file=sys.stderr)  # fmt: skip
        return 2
    path, old, _, old_mode, new, _, new_mode, *more = arguments
    names = f"a/{path}", f"b/{more[0] if more else path}"
    happened = [
        word for mark, word in (("rename from ", "renamed"), ("copy from ", "copied")) if mark in "".join(more[1:])
    ]
    moved = f"{happened[0]} from {path} to {more[0]}" if happened else ""
    return _shown(lambda: _pair(_read(names[0], old, old_mode), _read(names[1], new, new_mode), moved))


def _shown(show: Callable[[], object]) -> int:
    """Prints; always 0, as git gives up altogether where its program fails, also if nobody reads any more."""
    try:
        printed(show)
    except OSError as error:
        to_nowhere()
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                print(f"dlspec diff: {reason(error)}", file=sys.stderr)
    return 0


def _read(name: str, file: str, mode: str) -> Version | str:
    """A version of a file, or why it can't be read."""
    if file == NULL_DEVICE:
        return Version(NULL_DEVICE, None)
    try:
        path = Path(file)
        data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
    except OSError as error:
        return reason(error)
    return Version(name, data, "" if mode == NO_MODE else mode)


def _pair(old: Version | str, new: Version | str, moved: str) -> None:
    """Says of two versions how they are called and what became of name and mode, then what differs."""
    if isinstance(old, str) or isinstance(new, str):
        print(f"not compared: {old if isinstance(old, str) else new}\n")
        return
    print(f"dlspec diff {old.name} {new.name}")
    if moved:
        print(moved)
    if old.mode and new.mode and old.mode != new.mode:
        print(f"mode {old.mode} → {new.mode}")
    if old.data == new.data:
        print("the content is the same\n")
    else:
        _difference(old, new)


def _unmerged(path: str) -> None:
    """What both sides of a conflict change, one against the other, as far as git has them."""
    print(f"dlspec diff {path}\nnot merged yet{_conflicts(path)}. ", end="")
    stages = _staged(path)
    if not any(stages.values()):
        print()
        return
    here, there = (Version(f"{name}/{path}", stages[name]) for name in ("ours", "theirs"))
    if here.data is not None and there.data is not None:
        print("From ours to theirs:")
        _difference(here, there)
        return
    absent = [name for name in ("ours", "theirs") if stages[name] is None]
    if len(absent) == 2:
        print("Both sides removed or renamed it.\n")
        return
    if stages["base"] is None:
        print(f"Only {'ours' if absent == ['theirs'] else 'theirs'} has it.\n")
        return
    left = there if here.data is None else here
    print(f"It was removed by {absent[0]}, and changed by {left.name.split('/')[0]}:")
    _difference(Version(f"base/{path}", stages["base"]), left)


def _conflicts(path: str) -> str:
    """How many conflicts are marked in a file, and where they begin."""
    try:
        sides = _sides(Path(path).read_bytes().decode("utf-8", "replace"))
    except (OSError, RecursionError):
        return ""
    lines = sides.lines if sides is not None else ()
    count = f"{len(lines)} conflict{'s' if len(lines) > 1 else ''}"
    return f": {count}, the first on line {lines[0]}" if lines else ""


def _staged(path: str) -> dict[str, bytes | None]:
    """The sides of a conflict as git's index has them; None where it has none: that side removed the file.

    `git diff --relative` gives a path in the folder that git was called in, and git runs this at the top.
    """
    sides: dict[str, bytes | None] = dict.fromkeys(STAGES.values())
    done = git("ls-files", "--unmerged", "-z")
    entries = done.stdout.decode("utf-8", "surrogateescape").split("\0") if done is not None else []
    places = [(place, head.split()) for head, _, place in (entry.partition("\t") for entry in entries) if place]
    names = {place for place, _ in places}
    near = {path} & names or {place for place in names if place.endswith(f"/{path}")}
    if len(near) == 1:
        for _, (_, blob, stage) in (item for item in places if item[0] in near):
            content = git("cat-file", "blob", blob)
            sides[STAGES[stage]] = content.stdout if content is not None and not content.returncode else None
    return sides


def _difference(old: Version, new: Version) -> None:
    """Two versions compared by meaning, or line by line where that can't be; binaries are only said to differ."""
    if old.binary or new.binary:
        print(f"Binary files {old.name} and {new.name} differ\n")
        return
    if old.data is not None and new.data is not None:
        try:
            _print_meaning(old, new)
            return
        except spec.StudyError as error:
            if spec.is_study(old.text) or spec.is_study(new.text):
                print(f"not compared by meaning: {_first(error)}")
        except OSError:
            raise
        except Exception as error:
            print(f"not compared by meaning: {reason(error)}")
    sys.stdout.writelines(line_difference(old.text, new.text, (old.name, new.name)))
    print()


def _print_meaning(old: Version, new: Version) -> None:
    from dlspec.spec.diff import compare
    from rich.console import Console

    from ..api.diff_text import print_diff

    before, after = (spec.parse(Source(version.name, version.text)) for version in (old, new))
    print_diff("", compare(before, after), Console(file=sys.stdout, soft_wrap=True, highlight=False))
    print()


def _first(error: spec.StudyError) -> str:
    """The first problem in a line, with its place."""
    problem = error.problems[0]
    return f"{problem.span}: {problem.message}" if problem.span is not None else problem.message
