"""An entry put together of what three sides say of it, with the comments of both that go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from .pieces import Block, Item, Scalar, Value, moved_value
from .spelling import fitted, flowing


def assembled(base: Item | None, ours: Item, theirs: Item, value: Value, theirs_value: bool) -> Item:
    """Ours with a value, and what each side changed around it.

    Args:
        base: The entry that both come from; None where it is new.
        ours: The entry whose column and layout are kept.
        theirs: The other one, in its own column.
        value: The value: of ours, of theirs, or of both.
        theirs_value: Whether it is theirs alone, in their column.
    """
    if ours.column < 0:
        return replace(ours, value=flowing(value)) if theirs_value else replace(ours, value=value)
    lead = lines(base.lead if base else (), ours.lead, theirs.lead, ours.column)
    item = replace(ours, lead=lead)
    if theirs_value:
        value = carried(value, theirs, ours)
        if _inline(ours.value) != _inline(value) or not _inline(value):
            head = ours.spelled + theirs.head.removeprefix(theirs.spelled)  # ours may have another name for it
            item = replace(item, head=head, rest=theirs.rest)
        elif base is not None and base.rest == ours.rest and theirs.column >= 0:
            item = replace(item, rest=theirs.rest)
    elif base is not None and theirs.column >= 0 and _inline(value) == _inline(theirs.value) == _inline(base.value):
        if _inline(value) and base.rest == ours.rest:
            item = replace(item, rest=theirs.rest)
        if not _inline(value) and base.head == ours.head:
            item = replace(item, head=theirs.head, spelled=theirs.spelled)
    item = fitted(replace(item, value=value))
    lost = wanted(base, ours, theirs) - Counter(item.comments)
    return with_comments(item, list(lost.elements()))


def carried(value: Value, source: Item, target: Item) -> Value:
    """A value of one entry as it stands in another one's column."""
    if source.column < 0 or target.column < 0:
        return value
    return moved_value(value, target.column - source.column)


def with_comments(item: Item, comments: Sequence[str]) -> Item:
    """An entry with comments above it."""
    return replace(item, lead=(*item.lead, *(" " * item.column + text for text in comments))) if comments else item


def wanted(base: Item | None, ours: Item | None, theirs: Item | None) -> Counter[str]:
    """The comments that a merged entry has: what either side added, and what neither removed."""
    before, mine, other = (
        Counter(item.comments) if item is not None else Counter[str]() for item in (base, ours, theirs)
    )
    return (before & mine & other) + ((mine - before) | (other - before))


def _inline(value: Value) -> bool:
    """Whether a value ends in the line that its entry begins in, or in brackets."""
    return not isinstance(value, Block) and not (isinstance(value, Scalar) and value.literal)


def lines(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], column: int) -> tuple[str, ...]:
    """The lines above an entry in a column: those that one side changed are its; where both did, the lines of both."""
    before, mine, other = ([line.strip() for line in side] for side in (base, ours, theirs))
    if other in (before, mine):
        return tuple(ours)
    if mine == before:
        return tuple(_indented(line, column) for line in other)
    kept = [line for line, text in zip(ours, mine, strict=True) if not text or text not in before or text in other]
    return (*kept, *(_indented(line, column) for line in other if line and line not in before and line not in mine))


def _indented(line: str, column: int) -> str:
    return " " * column + line if line else ""
