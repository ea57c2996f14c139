"""What mends a problem at a keystroke: the word that was meant, and quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..diagnostics.problems import Problem

MEANT = re.compile(r"Did you mean '([^']+)'\?")
QUOTED = re.compile(r'Quote it: "(.+)"')
SAID = re.compile(r"['`]([^'`]+)['`]")


@dataclass(frozen=True)
class Fix:
    """An edit with its title: a line and its columns, from 0, and the new text."""

    title: str
    line: int
    start: int
    end: int
    text: str


def quick_fix(problem: Problem, lines: list[str]) -> Fix | None:
    """The edit that a problem's remedy speaks of; None where it speaks of none, or its place is not plain."""
    span = problem.span
    if span is None or span.line > len(lines):
        return None
    line = lines[span.line - 1]
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    if meant := MEANT.search(problem.hint):
        for wrong in SAID.findall(problem.message):
            match = re.compile(rf"(?<!\w){re.escape(wrong)}(?!\w)").search(line, span.column - 1, max(end, span.column))
            if match is not None:
                return Fix(f"Write '{meant[1]}'", span.line - 1, match.start(), match.end(), meant[1])
        alone = re.fullmatch(r"[\w.]+", line[span.column - 1 : end]) is not None
        return Fix(f"Write '{meant[1]}'", span.line - 1, span.column - 1, end, meant[1]) if alone else None
    if quoted := QUOTED.search(problem.hint):
        place = line.find(quoted[1])
        if place >= 0 and line[place - 1 : place] != '"':
            return Fix("Quote it", span.line - 1, place, place + len(quoted[1]), f'"{quoted[1]}"')
    return None
