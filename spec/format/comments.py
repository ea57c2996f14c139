"""Comments and blank lines, which a YAML parser drops, each with its place. Lines and columns count from 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment, or a blank line (without text). `alone` says that nothing else stands in its line."""

    line: int
    column: int
    text: str
    alone: bool

    @property
    def place(self) -> Place:
        """Line and column."""
        return self.line, self.column


def remarks(lines: list[str], scalars: Iterable[tuple[Place, Place]]) -> list[Remark]:
    """The comments and blank lines outside some scalars, in order."""
    covered: dict[int, list[tuple[int, int]]] = {}
    for (first, start), (last, end) in scalars:
        for line in range(first, min(last, len(lines) - 1) + 1):
            span = (start if line == first else 0, end if line == last else len(lines[line]) + 1)
            covered.setdefault(line, []).append(span)
    comments: list[Remark] = []
    for number, text in enumerate(lines):
        spans = covered.get(number, [])
        if not text.strip() and not any(end > start for start, end in spans):
            comments.append(Remark(number, 0, "", True))
            continue
        for place, character in enumerate(text):
            begins = character == "#" and (place == 0 or text[place - 1] in " \t")
            if begins and not any(start <= place < end for start, end in spans):
                comments.append(Remark(number, place, text[place:].rstrip(), not text[:place].strip()))
                break
    return comments
