"""The marks that git writes into a file where two sides of a merge differ."""

from __future__ import annotations

from dataclasses import dataclass

OURS, BASE, THEIRS, END = "<" * 7, "|" * 7, "=" * 7, ">" * 7


@dataclass(frozen=True)
class ConflictSides:
    """The two texts that a file with marks stands for, what git calls them, and the lines where conflicts begin."""

    ours: str
    theirs: str
    names: tuple[str, str]
    lines: tuple[int, ...]


def conflict_sides(text: str) -> ConflictSides | None:
    """The sides of a text with git's marks, those of three sides too; None where there are none, or one lacks its partner.

    >>> sides = conflict_sides("a\\n<<<<<<< HEAD\\nb\\n=======\\nc\\n>>>>>>> other\\nd\\n")
    >>> sides.ours, sides.theirs, sides.names, sides.lines
    ('a\\nb\\nd\\n', 'a\\nc\\nd\\n', ('HEAD', 'other'), (2,))
    """
    sides: dict[str, list[str]] = {"ours": [], "theirs": []}
    names, starts = ["", ""], []
    now = "both"
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        mark, _, name = line.rstrip("\r\n").partition(" ")
        if mark == OURS and now == "both":
            now, names[0] = "ours", name
            starts.append(number)
        elif mark == BASE and now == "ours":
            now = "base"
        elif mark == THEIRS and now in ("ours", "base"):
            now = "theirs"
        elif mark == END and now == "theirs":
            now, names[1] = "both", name
        elif mark in (OURS, END):
            return None
        elif now != "base":
            for side in sides if now == "both" else (now,):
                sides[side].append(line)
    if not starts or now != "both":
        return None
    return ConflictSides("".join(sides["ours"]), "".join(sides["theirs"]), (names[0], names[1]), tuple(starts))
