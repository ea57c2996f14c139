"""Values that a merge left undecided: `!conflict`, with what each side says under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..diagnostics.problems import Problem, Span, shortened

TAG = "!conflict"
REMOVED_TAG = "!removed"
BASE, OURS, THEIRS = "base", "ours", "theirs"
"""The sides, as the mark's keys."""

MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Undecided(Problem):
    """A mark that a merge left. While there is one, nothing else can be said of a study that would surely be true."""


def undecided(span: Span, key: str, sides: Mapping[str, str | None]) -> Undecided:
    """The problem of a mark.

    Args:
        span: Where the mark stands.
        key: What it is the value of; empty in a list.
        sides: What each side says; None where it removed what was there.
    """
    says = [f"{name} {_says(sides[name])}" for name in (OURS, THEIRS) if name in sides]
    before = f"; the base {_says(sides[BASE])}" if BASE in sides else ""
    message = f"a merge left {f'`{key}`' if key else 'this'} undecided: {', '.join(says)}{before}"
    where = f"`{key}:`" if key else "the dash"
    hint = f"Write {'the value' if key else 'the items'} behind {where} in place of `{TAG}` and all its sides"
    hint += f", or remove {where} too." if None in sides.values() else "."
    return Undecided(message, span, hint)


def _says(text: str | None) -> str:
    return "removes it" if text is None else f"says {shortened(text, MAX_SHOWN) or 'nothing'}"
