"""git's side of `dlspec diff`: a text conversion for `git log -p`, and an external diff for `git diff`.

Neither may fail: git would show nothing at all. What is no valid study is shown as plain text.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

from ..results.git_command import git
from ..results.optional_outputs import reason
from .standard_output import printed, to_nowhere

NULL_DEVICE = "/dev/null"


def textconv(arguments: Sequence[str]) -> int:
    """Prints the meaning of one study in lines, one a path; a file that is no valid study as it is."""
    if len(arguments) != 1:
        print("dlspec diff --textconv takes one file", file=sys.stderr)
        return 2
    return _shown(lambda: sys.stdout.write(_meaning(arguments[0])))


def _meaning(file: str) -> str:
    from dlspec.spec.diff.git_textconv import meaning_lines

    try:
        return meaning_lines(spec.load(file))
    except Exception:  # no study, or a fault of dlspec's own: git's own lines are better than none
        return _raw(file)


def driver(arguments: Sequence[str]) -> int:
    """Prints the difference of a path, its old file and its new file: the arguments of git's external diff.

    Of a path that is not merged yet git gives the path alone.
    """
    if len(arguments) == 1:
        return _shown(lambda: _unmerged(arguments[0]))
    if len(arguments) < 7:
        print("dlspec diff --driver takes git's seven arguments: path, old file, hex and mode, new file, hex and mode; "
              "or the path alone, of a file that is not merged", file=sys.stderr)  # fmt: skip
        return 2
    path, old, new = arguments[0], arguments[1], arguments[4]
    names = NULL_DEVICE if old == NULL_DEVICE else f"a/{path}", NULL_DEVICE if new == NULL_DEVICE else f"b/{path}"
    return _shown(lambda: _difference(names, lambda: (_read(old), _read(new))))


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


def _unmerged(path: str) -> None:
    """What both sides of a conflict change, one against the other, as far as git has them."""
    text = _raw(path) if Path(path).is_file() else ""
    places = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith("<<<<<<< ")]
    said = f": {len(places)} conflict{'s' if len(places) > 1 else ''}, the first on line {places[0]}" if places else ""
    print(f"dlspec diff {path}\nnot merged yet{said}. From ours to theirs:")
    _difference((f"ours/{path}", f"theirs/{path}"), lambda: (_staged(2, path), _staged(3, path)))


def _staged(stage: int, path: str) -> str | None:
    """A side of a conflict as git's index has it; nothing where it has none: that side removed the file."""
    done = git("show", f":{stage}:./{path}")
    return done.stdout.decode("utf-8", "replace") if done is not None and done.returncode == 0 else None


def _difference(names: tuple[str, str], read: Callable[[], tuple[str | None, str | None]]) -> None:
    """Two texts compared by meaning, or line by line where that can't be; a text that is none was not there."""
    if not names[0].startswith("ours/"):
        print(f"dlspec diff {names[0]} {names[1]}")
    try:
        texts = read()
    except OSError as error:
        print(f"not compared: {reason(error)}\n")
        return
    try:
        if None not in texts:
            from dlspec.spec.diff import compare
            from rich.console import Console

            from .text.diff import print_diff

            before, after = (spec.parse(Source(name, text or "")) for name, text in zip(names, texts, strict=True))
            found = compare(before, after)
            print_diff("", found, Console(file=sys.stdout, soft_wrap=True, highlight=False))
            print()
            return
    except spec.SpecError as error:
        print(f"not compared by meaning: {error.problems[0].message}")
    except OSError:
        raise
    except Exception as error:
        print(f"not compared by meaning: {reason(error)}")
    lines = [(text or "").splitlines(keepends=True) for text in texts]
    sys.stdout.writelines(difflib.unified_diff(lines[0], lines[1], names[0], names[1]))
    print()


def _read(file: str) -> str | None:
    return None if file == NULL_DEVICE else _raw(file)


def _raw(file: str) -> str:
    return Path(file).read_text("utf-8", "replace")
