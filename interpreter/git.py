"""git's side of `dlspec diff`: a text conversion for `git log -p`, and an external diff for `git diff`.

Neither may fail: git would show nothing at all. What is no valid study is shown as plain text.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from dlspec import spec
from dlspec.spec.diagnostics import Source

NOTHING = "/dev/null"


def textconv(arguments: Sequence[str]) -> int:
    """Prints the meaning of one study in lines, one a path; a file that is no valid study as it is."""
    from dlspec.spec.diff.lines import meaning_lines

    if len(arguments) != 1:
        print("dlspec diff --textconv takes one file", file=sys.stderr)
        return 2
    try:
        text = meaning_lines(spec.load(arguments[0]))
    except spec.SpecError:
        text = _raw(arguments[0])
    sys.stdout.write(text)
    return 0


def driver(arguments: Sequence[str]) -> int:
    """Prints the difference of a path, its old file and its new file: the arguments of git's external diff."""
    if len(arguments) < 7:
        print("dlspec diff --driver takes git's seven arguments: path, old file, hex and mode, new file, hex and mode",
              file=sys.stderr)  # fmt: skip
        return 2
    path, old, new = arguments[0], arguments[1], arguments[4]
    names = NOTHING if old == NOTHING else f"a/{path}", NOTHING if new == NOTHING else f"b/{path}"
    print(f"dlspec diff {names[0]} {names[1]}")
    try:
        if NOTHING in (old, new):
            raise spec.SpecError([])
        sides = [spec.parse(Source(name, _raw(file))) for name, file in zip(names, (old, new), strict=True)]
        from dlspec.spec.diff import compare
        from rich.console import Console

        from .differences import print_diff

        print_diff("", compare(sides[0], sides[1]), Console(file=sys.stdout, soft_wrap=True, highlight=False))
    except spec.SpecError as error:
        if error.problems:
            print(f"not compared by meaning: {error.problems[0].message}")
        lines = [_raw(file).splitlines(keepends=True) if file != NOTHING else [] for file in (old, new)]
        sys.stdout.writelines(difflib.unified_diff(lines[0], lines[1], names[0], names[1]))
    print()
    return 0


def _raw(file: str) -> str:
    return Path(file).read_text("utf-8", "replace")
