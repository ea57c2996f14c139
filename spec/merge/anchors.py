"""Anchors and aliases of a merged tree: an alias stands for what has its anchor now, and is written out where nothing has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from ..source.conflicts import TAG
from .pieces import Block, Collection, Flow, Item, Scalar, Value
from .spelling import fitted, flowing


def anchored(value: Value, anchor: str) -> Value:
    """A value under an anchor, or under none in place of its own; an alias and a mark have none."""
    if value.anchor == anchor or value.tag == TAG or (isinstance(value, Scalar) and value.target is not None):
        return value
    if isinstance(value, Block):
        return replace(value, anchor=anchor)
    before = f"&{anchor} " if anchor else ""
    if isinstance(value, Flow):
        return replace(value, anchor=anchor, opening=before + _without(value.opening, value.anchor))
    return replace(value, anchor=anchor, raw=before + _without(value.raw, value.anchor))


def _without(text: str, anchor: str) -> str:
    return text.replace(f"&{anchor}", "", 1).lstrip(" ") if anchor else text


def agreed(base: Value | None, ours: Value, theirs: Value) -> str:
    """The anchor of a merged value: what one side linked of it, and one that either has rather than none."""
    before = base.anchor if base is not None else ""
    return theirs.anchor if ours.anchor == before and theirs.anchor else ours.anchor


def relinked(top: Collection) -> Collection:
    """A tree whose aliases stand for what their anchors are at in it.

    An alias follows its anchor, whoever changed what stands there. Where the anchor went, or stands at two places, as
    when both sides took one name, the alias is its value written out, as on the side that it comes from.
    """
    found = Counter(_anchors(top))
    if not found and not _aliases(top):
        return top
    linked = _Links(found).value(top)
    assert not isinstance(linked, Scalar)
    return linked


def _anchors(value: Value, inside: bool = False) -> Iterator[str]:
    """The anchors of a tree; what the sides of one mark hold is one of them in the end, and counts once."""
    if value.tag == TAG and not inside:
        yield from dict.fromkeys(_anchors(value, inside=True))
        return
    if value.anchor:
        yield value.anchor
    for item in _items(value):
        yield from _anchors(item.value, inside)


def _aliases(value: Value) -> bool:
    if isinstance(value, Scalar):
        return value.target is not None
    return any(_aliases(item.value) for item in value.items)


def _items(value: Value) -> tuple[Item, ...]:
    return () if isinstance(value, Scalar) else value.items


class _Links:
    """One walk in the order of the text."""

    def __init__(self, places: Counter[str]) -> None:
        self.places = places
        self.known: dict[str, Value] = {}

    def value(self, value: Value) -> Value:
        linked: Value = value
        if isinstance(value, Scalar):
            if value.target is not None:
                linked = self.alias(value, value.target)
        else:
            linked = replace(value, items=tuple(self.item(item) for item in value.items))
        if linked.anchor:
            self.known[linked.anchor] = linked
        return linked

    def item(self, item: Item) -> Item:
        linked = self.value(item.value)
        if linked is item.value:
            return item
        changed = replace(item, value=linked)
        return fitted(changed) if item.column >= 0 and isinstance(item.value, Scalar) else changed

    def alias(self, alias: Scalar, target: Value) -> Value:
        name = alias.raw.strip().removeprefix("*")
        if name in self.known and self.places[name] == 1:
            return replace(alias, target=self.known[name])
        if name in self.known and _plain(self.known[name]) == _plain(target):
            return replace(alias, target=self.known[name])
        return self.value(_bare(target))


def _plain(value: Value) -> str:
    return flowing(_bare(value)).written


def _bare(value: Value) -> Value:
    """A value in one line without its anchors."""
    if isinstance(value, Scalar):
        return flowing(anchored(value, ""))
    items = tuple(replace(item, value=_bare(item.value)) for item in value.items)
    return flowing(replace(value, anchor="", items=items))
