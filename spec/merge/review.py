"""What a merged study is: whether it is valid in every profile, and what it changes in all against the base."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics.problems import Problem, Source, SpecError
from ..diff import compare
from ..resolve.load import parse
from ..resolve.resolve import validate

CONFOUNDED = "confounded"


@dataclass(frozen=True)
class Review:
    """The errors of a merged study; without any, what is to be said of it."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def reviewed(base: Source, merged: Source) -> Review:
    """A merged text against the base that both sides come from."""
    try:
        after = parse(merged)
        validate(after)
    except SpecError as error:
        return Review(problems=error.problems)
    try:
        headline = compare(parse(base), after).headline
    except SpecError:
        return Review(notes=("merged; the base is no valid study to compare it with",))
    if headline.startswith(CONFOUNDED):
        return Review(notes=(f"merged, and {headline} against the common base",))
    return Review(notes=(f"merged: {headline} against the common base",))
