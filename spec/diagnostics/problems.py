"""Errors as data: where, what, and how to mend it; one renderer turns them into prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..records import record
from .suggestions import did_you_mean as did_you_mean


@dataclass(frozen=True)
class Source:
    """A text that was read, under the name that a person knows it by; `folder` is where the files that it names lie, unless beside it."""

    name: str
    text: str
    folder: str = field(default="", compare=False, repr=False)

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends, as an editor numbers them."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@record(frozen=True, slots=True)
class Span:
    """A stretch of a source: lines and columns count from 1, the end column lies one past the last character."""

    source: Source = field(repr=False)
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def begins_in(self, *places: Span) -> bool:
        """Whether it begins in one of some stretches of its source."""
        begin = self.line, self.column
        return any(
            one.source is self.source and (one.line, one.column) <= begin < (one.end_line, one.end_column)
            for one in places
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `severity` is `error` or `warning`. A warning that is `of_all_cells` is none where one cell does not have it."""

    message: str
    span: Span | None = None
    hint: str = ""
    severity: str = "error"
    of_all_cells: bool = False

    @property
    def file(self) -> str | None:
        """The file that it stands in, under the name that it was read by; None where it has no place."""
        return None if self.span is None else self.span.source.name

    @property
    def line(self) -> int | None:
        """The line, from 1."""
        return None if self.span is None else self.span.line

    @property
    def column(self) -> int | None:
        """The column, from 1."""
        return None if self.span is None else self.span.column

    @property
    def remedy(self) -> str:
        """What mends it: the hint under another name."""
        return self.hint

    @property
    def without_numbers(self) -> str:
        """The message but for its numbers: what cells of other sizes say alike."""
        return re.sub(r"\d+", "0", self.message)

    def __str__(self) -> str:
        return render([self])


class StudyError(Exception):
    """What whoever wrote or runs a study can mend. Holds one problem or several in `problems`, in file order.

    Its text is what the command line prints: place, message, the line with a marker under it, the remedy.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else in_file_order(problems)
        super().__init__("\n".join(problem.message for problem in self.problems))

    def __str__(self) -> str:
        return render(self.problems)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the text alone, without the way that it took through dlspec."""
        return str(self).split("\n")


class InternalError(Exception):
    """A fault of dlspec's own: never the writer's to mend."""

    def __init__(self, message: str) -> None:
        super().__init__(f"internal error: {message}. This is a fault in dlspec, not in your spec: please report it.")


def problem_at(span: Span | None, message: str, hint: str = "") -> StudyError:
    """The error with one problem, ready to be raised."""
    return StudyError(Problem(message, span, hint))


def in_file_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """What is said of a place once, sorted by file, line and column; those without a place come first.

    A function's body is looked at for each of its calls: what is wrong with it whoever calls is told with the first of them.
    """
    once: dict[tuple[Span | None, str], Problem] = {}
    for problem in problems:
        once.setdefault((problem.span, problem.message), problem)
    return tuple(sorted(once.values(), key=_position))


def _position(problem: Problem) -> tuple[str, int, int]:
    span = problem.span
    return ("", 0, 0) if span is None else (span.source.name, span.line, span.column)


def shortened(text: str, longest: int = 60) -> str:
    """What a writer wrote, as a message shows it: cut where it is long, and nothing in it that cannot be seen.

    >>> shortened("111111111", 6), shortened("a" + chr(0x2028))
    ('11111…', 'a\\\\u2028')
    """
    seen = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: longest + 1])
    return seen if len(seen) <= longest else seen[: longest - 1] + "…"


def sentence(*parts: str) -> str:
    """Joins the parts of a hint that are not empty."""
    return "  ".join(part for part in parts if part)


def those(kind: str, words: Iterable[str]) -> str:
    """What there is of a kind, as a remedy.

    >>> those("axes", ["a", "b"]), those("axes", [])
    ('The axes are a and b.', 'There are no axes here.')
    """
    names = list(words)
    return f"The {kind} are {listing(names)}." if names else f"There are no {kind} here."


def listing(words: Iterable[str], limit: int = 12, total: int | None = None) -> str:
    """`a, b and c`: known names in prose, cut when there are many. `total` is how many where only the first are given."""
    names = list(words)
    if len(names) > limit:
        return ", ".join(names[:limit]) + f" and {(total or len(names)) - limit} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def render(problems: Sequence[Problem]) -> str:
    """The problems as text: position and message, the line with a marker under it, the remedy."""
    return "\n\n".join(_render(problem) for problem in problems)


def _render(problem: Problem) -> str:
    prefix = "warning: " if problem.severity == "warning" else ""
    if problem.span is None:
        return "\n".join(part for part in (prefix + problem.message, problem.hint) if part)
    span = problem.span
    lines = span.source.lines
    text = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    shown, start = _window(text, span.column - 1)
    end = span.end_column if span.end_line == span.line else len(text) + 1
    width = max(1, min(end - span.column, len(shown) - start))
    gutter = f"{span.line:>4} | "
    marker = " " * (len(gutter) - 2) + "| " + " " * start + "^" * width
    parts = [f"{span}: {prefix}{problem.message}", gutter + shown, marker, problem.hint]
    return "\n".join(part.rstrip() for part in parts if part)


def _window(text: str, column: int, width: int = 140) -> tuple[str, int]:
    """The part of a long line around a column, and where the column lies in it."""
    text = text.replace("\t", " ")
    if len(text) <= width:
        return text, column
    start = max(0, column - width // 2)
    return ("…" if start else "") + text[start : start + width] + "…", column - start + (1 if start else 0)
