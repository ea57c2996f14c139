"""Problems and warnings on standard error: on a terminal their lines go on between words."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem

EXCERPT = re.compile(r" *\d* *\|")
"""How a line of the study begins that is shown, and the marks below it."""
MARKS = re.compile(r" +\| +\^+")
"""These marks."""
MIN_WIDTH = 20


def tell_problems(problems: Sequence[Problem]) -> None:
    """Prints problems on standard error."""
    print(for_terminal(spec.render(problems)), file=sys.stderr)


def for_terminal(text: str) -> str:
    """A text as standard error takes it: in a pipe each fact stays in its line."""
    shown = sys.stderr is not None and sys.stderr.isatty()
    return within(text, shutil.get_terminal_size().columns) if shown else text


def within(text: str, width: int) -> str:
    """A text in lines that fit, as far as words allow; of a line of the study what the marks below it mark.

    >>> print(within("a.yaml:3:5: what is wrong here\\n   3 | a line of the study that is long\\n     |               ^^^^^", 24))
    a.yaml:3:5: what is
      wrong here
       3 | …he study that i…
         |     ^^^^^
    """
    width = max(width, MIN_WIDTH)
    lines = text.split("\n")
    shown: list[str] = []
    for place, line in enumerate(lines):
        if (lead := EXCERPT.match(line)) is None:
            shown.append(
                textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
            )
        elif MARKS.fullmatch(line) and place:
            shown[-1:] = _cut(lines[place - 1], line, lead.end() + 1, width)
        else:
            shown.append(line)
    return "\n".join(shown)


def _cut(line: str, marks: str, start: int, width: int) -> tuple[str, str]:
    """A line of the study and the marks below it, which begin at `start`: as much of both as fits."""
    room = width - start
    if len(line) <= width:
        return line, marks
    first = 0 if len(marks) <= width else max(0, min(marks.index("^") - start - room // 4, len(line) - width))
    body = line[start + first : start + first + room]
    body = f"…{body[1:]}" if first else body
    body = f"{body[:-1]}…" if first + width < len(line) else body
    return line[:start] + body, marks[:start] + marks[start + first : start + first + room]
