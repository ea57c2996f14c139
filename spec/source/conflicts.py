"""Values that a merge left undecided: `!conflict`, with what each side says under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..diagnostics.problems import Problem, Span, shortened

TAG = "!conflict"
REMOVED_TAG = "!removed"
BASE, OURS, THEIRS = "base", "ours", "theirs"
"""The sides, as the mark's keys."""
NAMES = "names"
"""A key of a mark of an entry to which each side gave another name: under the sides are the entries, with their names."""

MAX_SHOWN = 60
MAX_COMMON = 20
"""How much that long texts have in common is shown before the place where they differ."""


@dataclass(frozen=True, slots=True)
class Undecided(Problem):
    """A mark that a merge left. While there is one, nothing else can be said of a study that would surely be true."""


def undecided_name(span: Span, key: str, names: Sequence[str]) -> Undecided:
    """The problem of a mark of an entry to which each side gave another name."""
    says = ", ".join(f"{side} says {shortened(name)}" for side, name in zip((OURS, THEIRS), names, strict=False))
    message = f"a merge left the name of `{key}` undecided{f': {says}' if says else ''}"
    return Undecided(
        message, span, f"Write one entry, under one name, in place of `{key}:`, `{TAG}` and all its sides."
    )


def undecided(span: Span, key: str, sides: Mapping[str, str | None]) -> Undecided:
    """The problem of a mark.

    Args:
        span: Where the mark stands.
        key: What it is the value of; empty in a list.
        sides: What each side says; None where it removed what was there.
    """
    nothing = "removes it" if BASE in sides else "has none"
    shown = dict(zip(sides, _excerpts(list(sides.values())), strict=True))
    said = {name: nothing if text is None else f"says {text or 'nothing'}" for name, text in shown.items()}
    says = [f"{name} {said[name]}" for name in (OURS, THEIRS) if name in sides]
    before = f"; the base {said[BASE]}" if BASE in sides else ""
    message = f"a merge left {f'`{key}`' if key else 'this'} undecided: {', '.join(says)}{before}"
    if not key:
        hint = f"Write the items that belong here, each as an item of its own, in place of `{TAG}` and all its sides."
        return Undecided(message, span, hint)
    hint = f"Write the value after `{key}:` in place of `{TAG}` and all its sides"
    hint += f", or remove `{key}:` too." if None in sides.values() else "."
    return Undecided(message, span, hint)


def _excerpts(texts: Sequence[str | None]) -> list[str | None]:
    """Texts as a message shows them: long ones from a little before the place from which on they differ."""
    known = [text for text in texts if text is not None]
    begin = 0
    if len(known) > 1 and max(map(len, known)) > MAX_SHOWN:
        columns = zip(*known, strict=False)
        common = next((place for place, letters in enumerate(columns) if len(set(letters)) > 1), min(map(len, known)))
        begin = known[0].rfind(" ", 0, max(0, common - MAX_COMMON)) + 1
    return [None if text is None else "… " * (begin > 0) + shortened(text[begin:], MAX_SHOWN) for text in texts]
