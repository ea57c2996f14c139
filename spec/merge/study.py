"""Three texts of a study to one: read, merged, and read back before it is given out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..diagnostics.problems import InternalError, Source, StudyError
from ..model.fields import TOP
from ..source import nodes as yaml
from . import renamed_names
from .anchors import relinked
from .assembly import lines
from .conflicts import Conflict
from .meaning import data
from .pieces import Block, Flow, Item, Scalar, Value
from .reading import Unmergeable, pieces
from .shifted_layers import doubts
from .three_way import Above, ThreeWay

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Merged:
    """The text that a merge gives, what in it could not be decided, and, in words, what may mean something else now."""

    text: str
    conflicts: tuple[Conflict, ...] = ()
    doubts: tuple[str, ...] = ()


def merged(base: str, ours: str, theirs: str) -> Merged:
    """The merge of two texts that come from one; an empty base says that both sides added the file.

    Raises Unmergeable where a text is no tree, InternalError where the merged text would not say what it was meant to.
    """
    if theirs in (base, ours):
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    texts = [_plain(text) for text in (base, ours, theirs)]
    if all(not text.strip() for text in texts[:1]):
        sides = [None, *(_side(name, text) for name, text in zip(("ours", "theirs"), texts[1:], strict=True))]
    else:
        sides = [_side(name, text) for name, text in zip(("the base", "ours", "theirs"), texts, strict=True)]
    text, conflicts, doubted = _merged(sides, texts)
    return Merged(_as_file(text, base, ours, theirs), tuple(conflicts), tuple(doubted))


Side = tuple[str, Block | Flow]


def _merged(sides: list[Side | None], texts: list[str]) -> tuple[str, list[Conflict], list[str]]:
    base, ours, theirs = sides
    assert ours is not None and theirs is not None
    work = ThreeWay(any(_zips(side[1]) for side in sides if side is not None))
    top = work.mapping(base[1] if base is not None else None, ours[1], theirs[1], TOP, (), Above())
    assert top is not None
    top = relinked(top)
    before, mine, other = (side[0].splitlines() if side is not None else [] for side in sides)
    header = "".join(line + "\n" for line in lines(before, mine, other, 0)) if isinstance(top, Block) else ours[0]
    text = header + top.written
    try:
        same = data(pieces(text)[1]) == data(top)
    except Unmergeable as error:
        raise InternalError(f"the merged text cannot be read: {error}") from None
    if not same:
        raise InternalError("the merged text would not mean what both sides say")
    named = {"ours": (texts[1], ours[1]), "theirs": (texts[2], theirs[1])}
    trees = {"ours": ours[1], "theirs": theirs[1]}
    renamed = renamed_names.doubts(base[1], trees, top) if base is not None else []
    return text, work.conflicts, [*doubts(texts[0], named, top), *renamed]


def _side(name: str, text: str) -> Side:
    try:
        yaml.parsed(Source(name, text.removeprefix(BYTE_ORDER_MARK)))  # in prose, and within the limits of a study
        return pieces(text)
    except Unmergeable as error:
        raise Unmergeable(f"{name}: {error}") from None
    except StudyError as error:
        problem = error.problems[0]
        place = f" (line {problem.span.line})" if problem.span is not None else ""
        raise Unmergeable(f"{name}: {problem.message}{place}") from None


def _plain(text: str) -> str:
    return text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n")


def _as_file(text: str, base: str, ours: str, theirs: str) -> str:
    """A merged text with the line ends, the last one and the byte order mark of ours, or of theirs where they alone changed these."""

    def holds(fact: Callable[[str], bool]) -> bool:
        return fact(theirs if base and fact(ours) == fact(base) else ours)

    if not holds(_ends_its_last_line):
        text = text.removesuffix("\n")
    if holds(_has_windows_lines):
        text = text.replace("\n", "\r\n")
    return (BYTE_ORDER_MARK if holds(_is_marked) else "") + text


def _ends_its_last_line(text: str) -> bool:
    return text.endswith("\n") or not text


def _has_windows_lines(text: str) -> bool:
    """Whether most lines end as on Windows: a stray one changes no others."""
    return 2 * text.count("\r\n") > text.count("\n")


def _is_marked(text: str) -> bool:
    return text.startswith(BYTE_ORDER_MARK)


def _zips(value: Value) -> bool:
    """Whether lists of a sweep go in step somewhere."""
    return any(item.key == "zip" for item in _items(value))


def _items(value: Value) -> Iterator[Item]:
    if not isinstance(value, Scalar):
        for item in value.items:
            yield item
            yield from _items(item.value)
