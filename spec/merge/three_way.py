"""The merge of three trees of pieces: what one side changed is its, what both changed is gone into, down to single values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..model.fields import NOWHERE, ORDERED, Place
from . import places
from .anchors import agreed, anchored
from .assembly import assembled, carried, lines
from .conflicts import Conflict, marked, naming, of_items
from .lists import stretches, united
from .meaning import key_of, keys, meaning, same
from .names import renamed
from .pieces import Block, Collection, Flow, Item, Scalar, Value
from .spelling import in_block, in_flow

Path = tuple[str, ...]
EMPTY = Flow(True, "{", (), "}")


@dataclass
class ThreeWay:
    """One merge; `conflicts` are found on the way. `zipped` says that lists of a sweep go in step, place by place."""

    zipped: bool
    conflicts: list[Conflict] = field(default_factory=list)

    # -- entries -----------------------------------------------------------------------------------------------------

    def item(self, base: Item | None, ours: Item, theirs: Item, place: Place, path: Path, above: Above) -> Item:
        """An entry that both sides have, in the layout of ours."""
        if ours.alike == theirs.alike or (base is not None and base.alike == theirs.alike):
            return ours
        if base is not None and base.alike == ours.alike:
            return above.fitting(theirs)
        before = base.value if base is not None else above.implied(ours.value, theirs.value)
        value, theirs_alone = self.value(before, ours, theirs, place, path, above)
        value = anchored(value, agreed(base.value if base is not None else None, ours.value, theirs.value))
        return assembled(base, ours, theirs, value, theirs_alone)

    def value(
        self, base: Value | None, ours: Item, theirs: Item, place: Place, path: Path, above: Above
    ) -> tuple[Value, bool]:
        """A value, and whether it is theirs alone."""
        mine, other, key = ours.value, theirs.value, path[-1]
        alone: tuple[Value, bool] | None = None
        if same(mine, other, key) or (base is not None and same(base, other, key)):
            alone = mine, False
        elif base is not None and same(base, mine, key):
            alone = other, True
        if alone is not None and not _remarked(mine if alone[1] else other, alone[0], base):
            return alone
        found = self.collection(base, mine, other, place, path, above)
        if found is not None:
            return found, False
        if alone is not None:
            return alone
        return self.conflict(path, base, mine, carried(other, theirs, ours), ours.column), False

    def conflict(self, path: Path, base: Value | None, ours: Value | None, theirs: Value | None, column: int) -> Block:
        """The mark of a path that cannot be decided."""
        self.conflicts.append(Conflict(path))
        return marked(base, ours, theirs, max(0, column))

    def collection(
        self, base: Value | None, ours: Value, theirs: Value, place: Place, path: Path, above: Above
    ) -> Value | None:
        """A mapping or a list that both sides changed; None where it is one value."""
        short = above.primary(path[-1]) if path else None
        if isinstance(ours, Scalar) != isinstance(theirs, Scalar) or isinstance(base, Scalar):
            if isinstance(ours, Scalar) and isinstance(theirs, Scalar):
                return None
            ours, theirs = places.long_form(ours, place, short), places.long_form(theirs, place, short)
            base = places.long_form(base, place, short) if base is not None else None
            ours, theirs = places.listed(ours, place), places.listed(theirs, place)
            base = places.listed(base, place) if base is not None else None
        if isinstance(ours, Scalar) or isinstance(theirs, Scalar) or isinstance(base, Scalar):
            return None
        if ours.tag or theirs.tag or (base is not None and base.tag):
            return None
        if ours.mapping and theirs.mapping and (base is None or base.mapping):
            return self.mapping(base, ours, theirs, place, path, above)
        if ours.mapping or theirs.mapping or base is None or base.mapping:
            return None
        return self.sequence(base, ours, theirs, place, path)

    # -- mappings ----------------------------------------------------------------------------------------------------

    def mapping(
        self, base: Collection | None, ours: Collection, theirs: Collection, place: Place, path: Path, above: Above
    ) -> Collection | None:
        """A mapping key by key; None where the sides are of different kinds, or each has another order of what comes one after the other."""
        sides = [side for side in (base, ours, theirs) if side is not None]
        if path and places.one_whole(sides, place):
            return None
        named = places.own_names(sides, place)
        unknown = base is None
        if unknown and path and not named and not keys(ours).keys() & keys(theirs).keys():
            return None
        level = Above(place, sides, ours, named, unknown)
        rows = list(_rows(base.items if base else (), ours.items, theirs.items, named))
        if path and path[-1] in ORDERED and _ordered_twice(*_orders(rows, base, ours, theirs)):
            return None
        merged = {row.key: self.row(row, level, (*path, row.key)) for row in rows}
        items = [item for key in _order(rows, base, ours, theirs) if (item := merged[key]) is not None]
        return level.rebuilt(items)

    def row(self, row: Row, level: Above, path: Path) -> Item | None:
        """One key of a mapping; None where it is removed."""
        base, ours, theirs = row.base, row.ours, row.theirs
        place = level.place.below(row.key, level.keys[row.ours is None])
        if ours is not None and theirs is not None:
            if row.twice:
                return self.named_twice(base, ours, theirs, path, level)
            item = self.item(base, ours, theirs, place, path, level)
            if base is not None and key_of(ours) == key_of(base) != key_of(theirs):
                head = theirs.spelled + item.head[len(item.spelled) :]
                item = replace(item, key=theirs.key, spelled=theirs.spelled, head=head)
            return level.fitting(item)
        one = ours if ours is not None else theirs
        if one is None:  # both removed it
            return None
        if base is None and not (level.unknown and not level.named):
            return level.fitting(one)
        if base is not None and same(base.value, one.value, row.key):
            return None
        if base is not None and (names := _names_under(base.value, one.value, place)) is not None:
            return self.emptied(*names, row, level, path)
        item = level.fitting(one)
        value = carried(one.value, one, item)
        before = base.value if base is not None else None
        mine, other = (value, None) if ours is not None else (None, value)
        mark = self.conflict(path, before, mine, other, item.column)
        return level.fitting(replace(item, value=mark))

    def emptied(self, before: Collection, kept: Collection, row: Row, level: Above, path: Path) -> Item | None:
        """A map of names that one side removed whole: what the other changed under them is a conflict at each."""
        one = row.ours or row.theirs
        assert one is not None
        inner = Above(NOWHERE, [before, kept, kept], kept, True)
        items = []
        for under in _rows(before.items, kept.items, kept.items, named=True):
            item = under.ours
            if item is not None and under.base is not None:
                if key_of(item) == key_of(under.base) and same(item.value, under.base.value, under.key):
                    continue
                mine, other = (item.value, None) if row.ours is not None else (None, item.value)
                mark = self.conflict((*path, under.key), under.base.value, mine, other, item.column)
                item = inner.fitting(replace(item, value=mark))
            items += [item] if item is not None else []
        return level.fitting(replace(one, value=inner.rebuilt(items))) if items else None

    def named_twice(self, base: Item | None, ours: Item, theirs: Item, path: Path, level: Above) -> Item:
        """A name for which each side has another one now."""
        assert base is not None
        column = level.fitting(ours).column
        mine, other = (of_items([replace(item, lead=())], column, mapping=True) for item in (ours, theirs))
        mark = naming(
            self.conflict((*path[:-1], key_of(base)), None, mine, other, column), key_of(ours), key_of(theirs)
        )
        item = replace(level.fitting(ours), key=base.key, spelled=base.spelled, head=f"{base.spelled}: ", rest="\n")
        return level.fitting(replace(item, value=mark))

    # -- lists -------------------------------------------------------------------------------------------------------

    def sequence(
        self, base: Collection, ours: Collection, theirs: Collection, place: Place, path: Path
    ) -> Collection | None:
        """A list item by item; None where it is one value."""
        level = Above(place, [base, ours, theirs], ours, False, False)
        if not places.list_of_items(place):
            return None
        if not places.layers(place):
            if self.zipped and "sweep" in path:
                return None
            found = united(base.items, ours.items, theirs.items)
            return None if found is None else level.rebuilt([level.fitting(item) for item in found])
        items: list[Item] = []
        for stretch in stretches(base.items, ours.items, theirs.items):
            here = (*path, str(len(items) + 1))
            if stretch.joint:
                own = (stretch.base[0], stretch.ours[0], stretch.theirs[0])
                items.append(level.fitting(self.item(*own, place.item(), here, level)))
            else:
                items += self.stretch(stretch.base, stretch.ours, stretch.theirs, level, here)
        return level.rebuilt(items)

    def stretch(
        self, base: Sequence[Item], ours: Sequence[Item], theirs: Sequence[Item], level: Above, path: Path
    ) -> list[Item]:
        """Items between two that all sides have: those of the side that changed them."""
        means = [[meaning(item.value) for item in items] for items in (base, ours, theirs)]
        if means[2] in (means[0], means[1]):
            return list(ours)
        if means[1] == means[0]:
            return [level.fitting(item) for item in theirs]
        own = level.fitting(next(iter([*ours, *theirs])))
        column = own.column
        sides = [of_items(items, column) for items in (base, ours, theirs)]
        mark = self.conflict(path, sides[0] if base else None, sides[1], sides[2], column)
        item = Item((), None, "", "- ", mark, "\n", column)
        return [level.fitting(item)]


def _names_under(base: Value, side: Value, place: Place) -> tuple[Collection, Collection] | None:
    """Two values that are maps of the writer's own names, with something in each."""
    if isinstance(base, Scalar) or isinstance(side, Scalar) or not (base.mapping and side.mapping and side.items):
        return None
    return (base, side) if not (base.tag or side.tag) and places.own_names([base, side], place) else None


def _remarked(lost: Value, kept: Value, base: Value | None) -> bool:
    """Whether there are comments within a value that goes, which are neither in the base nor in the one that stays."""
    return _comments(lost) not in (_comments(base), _comments(kept), ())


def _comments(value: Value | None) -> tuple[str, ...]:
    """All comments within a value."""
    return Item((), None, "", "", value, "").comments if value is not None else ()


@dataclass(frozen=True)
class Row:
    """A key with what each side has under it, by the name that the result has; `twice`: each side renamed it."""

    key: str
    base: Item | None
    ours: Item | None
    theirs: Item | None
    twice: bool = False


def _rows(base: Sequence[Item], ours: Sequence[Item], theirs: Sequence[Item], named: bool) -> Iterator[Row]:
    """The keys of three mappings, paired: by name, or where one side has another name for it."""
    before, mine, other = ({key_of(item): item for item in items} for items in (base, ours, theirs))
    old, new = (renamed(base, ours), renamed(base, theirs)) if named else ({}, {})
    taken: set[str] = set()
    for key, item in before.items():
        own, their = old.get(key, key), new.get(key, key)
        twice = key in old and key in new and own != their
        name = own if key in old else their
        taken |= {own, their}
        yield Row(name, item, mine.get(own), other.get(their), twice)
    for key in dict.fromkeys([*mine, *other]):
        if key not in before and key not in taken:
            yield Row(key, None, mine.get(key), other.get(key))


def _order(rows: Sequence[Row], base: Collection | None, ours: Collection, theirs: Collection) -> list[str]:
    """The keys in the order of ours, or of theirs where they alone changed it; others behind those they stood behind."""
    before, first, second = _orders(rows, base, ours, theirs)
    common = set(first) & set(second) & set(before)
    was, mine, other = ([key for key in side if key in common] for side in (before, first, second))
    if mine == was != other:
        first, second = second, first
    order, known, theirs_keys = list(first), set(first), set(second)
    behind: str | None = None
    for key in second:
        if key not in known:
            start = order.index(behind) + 1 if behind is not None else 0
            while start < len(order) and order[start] not in theirs_keys:
                start += 1
            order.insert(start, key)
            known.add(key)
        behind = key
    return order


def _orders(
    rows: Sequence[Row], base: Collection | None, ours: Collection, theirs: Collection
) -> tuple[list[str], list[str], list[str]]:
    """The keys of the base, of ours and of theirs, in the order that each has."""
    first = [row.key for row in sorted((row for row in rows if row.ours), key=_place(ours, "ours"))]
    second = [row.key for row in sorted((row for row in rows if row.theirs), key=_place(theirs, "theirs"))]
    before = [row.key for row in sorted((row for row in rows if row.base), key=_place(base, "base"))] if base else []
    return before, first, second


def _ordered_twice(before: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether each side has another order, or put something new in the same place, or into what the other moved.

    >>> _ordered_twice("ab", "ba", "ab"), _ordered_twice("abc", "bac", "acb"), _ordered_twice("ab", "axb", "aby")
    (False, True, False)
    >>> _ordered_twice("ab", "axb", "ayb"), _ordered_twice("ab", "axb", "ba"), _ordered_twice("", "ab", "ba")
    (True, True, True)
    """
    both = [key for key in ours if key in theirs]
    was, other = ([key for key in side if key in both] for side in (before, theirs))
    gaps: list[set[str]] = []
    for side, beside in ((ours, theirs), (theirs, ours)):
        gaps.append(set())
        behind = ""
        for key in side:
            behind = key if key in both else behind
            if key not in beside and key not in before:
                gaps[-1].add(behind)
    if both != other:
        unmoved = 0 if was == both else 1 if was == other else None
        return unmoved is None or bool(gaps[unmoved])
    return not gaps[0].isdisjoint(gaps[1])


def _place(side: Collection | None, name: str) -> Callable[[Row], int]:
    """Where a row's entry stands in a side."""
    places = {id(item): place for place, item in enumerate(side.items)} if side is not None else {}
    return lambda row: places[id(getattr(row, name))]


@dataclass(frozen=True)
class Above:
    """The collection that entries are put into: that of ours, in its layout."""

    place: Place = NOWHERE
    sides: Sequence[Collection] = ()
    ours: Collection = EMPTY
    named: bool = False
    unknown: bool = False

    @cached_property
    def keys(self) -> tuple[dict[str, str], dict[str, str]]:
        """The keys of ours and of theirs, which say the models of what stands under them."""
        return keys(self.ours), keys(self.sides[-1])

    def primary(self, key: str) -> str | None:
        """The argument that a key's value is, where it is written without its name."""
        return places.primary(self.sides, self.place, key) if self.ours.mapping else None

    def implied(self, ours: Value, theirs: Value) -> Value | None:
        """What stood in the base where it had no such key: nothing, which is empty for a part of the language."""
        if self.unknown or self.named or isinstance(ours, Scalar) or isinstance(theirs, Scalar):
            return None
        return EMPTY if ours.mapping else None

    def fitting(self, item: Item) -> Item:
        """An entry in this layout."""
        if isinstance(self.ours, Block):
            return in_block(item, self.ours.column)
        return in_flow(item)

    def rebuilt(self, items: Sequence[Item]) -> Collection:
        """The collection with other entries."""
        ours = self.ours
        if isinstance(ours, Block):
            if not items:
                opening, closing = ("{", "}") if ours.mapping else ("[", "]")
                return Flow(
                    ours.mapping,
                    f"&{ours.anchor} {opening}" if ours.anchor else opening,
                    (),
                    closing,
                    anchor=ours.anchor,
                )
            return replace(ours, items=tuple(items), tail=self.tail(ours))
        opening, closing = ours.opening, ours.closing
        if not closing and (opening or len(items) != 1):  # `{}`, or a pair that went without its braces
            opening, closing = ("{", "}") if ours.mapping else ("[", "]")
            opening = f"&{ours.anchor} {opening}" if ours.anchor else opening
        last = ours.items[-1].rest if ours.items else ""
        separated = [replace(item, rest=item.rest if "," in item.rest else ", ") for item in items]
        if separated:
            separated[-1] = replace(separated[-1], rest=last if "," not in last else "")
        return replace(ours, opening=opening, items=tuple(separated), closing=closing)

    def tail(self, ours: Block) -> tuple[str, ...]:
        """The comments below the last entry."""
        *before, _, theirs = (side.tail if isinstance(side, Block) else () for side in self.sides)
        return lines(before[0] if before else (), ours.tail, theirs, ours.column)
