"""What a merged study is: whether it is valid in every profile, and what it changes in all against the base."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics.problems import Problem, Source, StudyError
from ..diff import compare
from ..resolve.document import Document
from ..resolve.load import parse
from ..resolve.resolve import validate


@dataclass(frozen=True)
class Review:
    """The errors of a merged study, and what is to be said of it."""

    problems: tuple[Problem, ...] = ()
    note: str = ""


def reviewed(base: Source, ours: Source, theirs: Source, merged: Source) -> Review:
    """A merged text against the base that both sides come from."""
    try:
        after = parse(merged)
        validate(after)
    except StudyError as error:
        wrong = [name for name, side in (("ours", ours), ("theirs", theirs)) if not _valid(side)]
        why = f"; it is not valid, as {' and '.join(wrong)} alone" if wrong else ", but both together are not valid"
        return Review(error.problems, f"merged without a conflict{why}")
    try:
        before = parse(base)
        diff = compare(before, after)
    except StudyError:
        return Review(note="merged; there is no valid common base to compare it with")
    if not diff.confounded:
        return Review(note=f"merged; against the common base: {diff.headline}")
    alone = [name for name, side in (("ours", ours), ("theirs", theirs)) if _confounded(before, side)]
    how = f"confounded, as {' and '.join(alone)} alone" if alone else "confounded now, which neither side is alone"
    return Review(note=f"merged; {how}: {diff.headline.removeprefix('confounded: ')}")


def _confounded(before: Document, side: Source) -> bool:
    try:
        return compare(before, parse(side)).confounded
    except StudyError:
        return False


def _valid(side: Source) -> bool:
    try:
        validate(parse(side))
    except StudyError:
        return False
    return True
