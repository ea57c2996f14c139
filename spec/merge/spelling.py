"""An entry of one layout put into another: from a block into brackets, from brackets into a block."""

from __future__ import annotations

import re
from dataclasses import replace

from ..format.scalars import may_be_plain, quoted
from ..source.nodes import scalar_value
from .pieces import Block, Flow, Item, Scalar, Value, comments_in, moved

_WRITTEN = re.compile(r"[&!]\S*")


def in_block(item: Item, column: int) -> Item:
    """An entry as it stands in a block, in a column."""
    if item.column < 0:
        return fitted(replace(item, column=column))
    return fitted(moved(item, column - item.column))


def fitted(item: Item) -> Item:
    """A block's entry whose head and rest suit its value: a block begins in a line of its own, or in that of its dash."""
    start = f"{item.spelled}:" if item.key is not None else "-"
    comments = [text for part in (item.head.removeprefix(item.spelled), item.rest) for text in comments_in(part)]
    behind = "".join(f"  {text}" for text in comments[:1])
    value = item.value
    if isinstance(value, Block):
        properties = _properties(value)
        if item.key is None and value.mapping and not properties:
            return _behind_dash(item, value, comments)
        if (
            item.head.endswith("\n")
            and item.head.startswith(start)
            and _WRITTEN.findall(item.head[len(start) :].partition("#")[0]) == properties.split()
        ):
            return replace(item, rest="")
        return replace(item, head=f"{start}{f' {properties}' if properties else ''}{behind}\n", rest="")
    if isinstance(value, Scalar) and value.literal:
        rest = item.rest if item.rest.startswith(" ") else ""
        return item if item.rest == rest and item.head == f"{start} " else replace(item, head=f"{start} ", rest=rest)
    if "\n" in item.head or not item.head.startswith(start):
        return replace(item, head=f"{start} " if value.written else start, rest=f"{behind}\n")
    head = item.head if item.head.endswith(" ") or not value.written else f"{item.head} "
    return replace(item, head=head, rest=item.rest if item.rest.endswith("\n") else f"{behind}\n")


def _behind_dash(item: Item, value: Block, comments: list[str]) -> Item:
    """An item whose block begins in the line of its dash; comments go above."""
    first, *others = value.items
    if not item.head.endswith("\n") and len(item.head) == value.column - item.column and not first.lead:
        return replace(item, rest="")
    pad = " " * item.column
    lead = [
        *item.lead,
        *(pad + text for text in comments),
        *(pad + line.strip() for line in first.lead if line.strip()),
    ]
    block = replace(value, items=(replace(first, lead=()), *others))
    return replace(item, lead=tuple(lead), head="-".ljust(value.column - item.column), value=block, rest="")


def in_flow(item: Item) -> Item:
    """An entry as it stands in brackets; what it brings from there stays."""
    if (
        item.column < 0
        and not isinstance(item.value, Block)
        and not (isinstance(item.value, Scalar) and item.value.literal)
    ):
        return item
    head = "" if item.key is None else f"{_key(item.key, item.spelled)}: "
    return Item((), item.key, head.removesuffix(": "), head, flowing(item.value), "")


def flowing(value: Value) -> Value:
    """A value in one line, as it can stand in brackets."""
    if isinstance(value, Scalar):
        return replace(value, raw=_scalar(value), literal=False)
    items = [in_flow(item) for item in value.items]
    separated = (*(replace(item, rest=", ") for item in items[:-1]), *items[-1:])
    before = f"{properties} " if (properties := _properties(value)) else ""
    opening, closing = ("{", "}") if value.mapping else ("[", "]")
    return Flow(value.mapping, before + opening, separated, closing, value.tag, value.anchor)


def _properties(value: Value) -> str:
    """The anchor and the tag of a value, as they stand before it."""
    return " ".join([*([f"&{value.anchor}"] if value.anchor else []), *([value.tag] if value.tag else [])])


def _scalar(value: Scalar) -> str:
    if value.target is not None:
        return f"{value.raw.strip()} "
    if value.anchor:
        bare = replace(value, raw=value.raw.replace(f"&{value.anchor}", "", 1).lstrip(), anchor="")
        return f"&{value.anchor} {_scalar(bare)}"
    if value.tag not in ("", "!"):
        return f"{value.tag} {quoted(value.text) if value.text else ''}"
    if value.plain and not isinstance(scalar_value(value.text), str):
        return value.raw.strip() or "null"
    if value.raw[:1] in ("'", '"') and "\n" not in value.raw:
        return value.raw
    plain = isinstance(scalar_value(value.text), str) and may_be_plain(value.text, True)
    return value.text if plain else quoted(value.text)


def _key(key: str, written: str) -> str:
    if "\n" not in written and (written[:1] in ("'", '"') or may_be_plain(key, True)):
        return written
    return quoted(key)
