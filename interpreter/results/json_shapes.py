"""What the JSON files of a run's folder hold: what has to be there, and what stands for what an older run did not write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .verdicts import VERDICTS


@dataclass(frozen=True)
class Field:
    """A field of an entry: how it has to look, and what stands for it where it is not there; without that it has to be."""

    fits: Callable[[Any], bool]
    looks: str
    otherwise: tuple[Any, ...] = ()


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_final(value: Any) -> bool:
    return all(map(_is_final, value)) if isinstance(value, list) else _is_number(value) or isinstance(value, bool)


def _is_finals(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_final, value.values()))


def is_counts(value: Any) -> bool:
    """Whether a value counts things by their names."""
    return isinstance(value, dict) and all(isinstance(count, int) for count in value.values())


def _is_interval(value: Any) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)))


def _text(*otherwise: str) -> Field:
    return Field(lambda value: isinstance(value, str), "a text", otherwise)


def _count(*otherwise: int) -> Field:
    return Field(lambda value: isinstance(value, int), "a whole number", otherwise)


def _list() -> Field:
    return Field(lambda value: isinstance(value, list | tuple), "a list", ((),))


SHAPES: Mapping[str, Mapping[str, Field]] = {
    "cells.json": {
        "experiment": _text(), "variant": _text(), "constants": Field(lambda v: isinstance(v, dict), "an object"),
        "replicate": _count(), "digest": _text(), "status": _text(), "message": _text(""), "compiled": _text(""), "rows": _count(0),
        "steps": _count(0), "seconds": Field(lambda v: v is not None and _is_number(v), "a number", (0.0,)),
        "final": Field(_is_finals, "an object of numbers"),
        "infinite": Field(_is_finals, "an object of signs", ({},)),
    },
    "claims.json": {
        "id": _text(), "says": _text(""), "check": _text(),
        "verdict": Field(lambda value: value in VERDICTS, f"one of {', '.join(VERDICTS)}"),
        "value": Field(_is_number, "a number", (None,)), "interval": Field(_is_interval, "two numbers", (None,)),
        "range": Field(_is_interval, "two numbers", (None,)), "strength": _text(""), "chance": Field(_is_number, "a number", (None,)),
        "reason": _text(""), "error": Field(_is_number, "a number", (None,)), "needed": Field(_is_number, "a number", (None,)),
        "family": Field(lambda value: value is None or isinstance(value, str), "a text", (None,)),
        "counted": Field(_is_number, "a number", (None,)), "undefined": Field(_is_number, "a number", (None,)),
        "margins": _list(), "evidence": _list(), "looks": _list(), "meaning": _text(""), "judged_on": _text(""),
    },
}  # fmt: skip
"""The files that are lists of entries."""


def _of_format_1(claim: dict[str, Any]) -> dict[str, Any]:
    """A claim of format 1 in the words of now: it called the range over replicates an interval, and the evidence what was seen."""
    if "evidence" in claim or "range" in claim:
        return claim
    more = {"evidence": claim["seen"]} if "seen" in claim else {}
    return {**claim, "range": claim.get("interval"), "interval": None, **more}


def _with_tuples(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell whose constants are as in a plan, which has tuples for arrays: it is grouped by them, and called by the same name."""
    constants = cell.get("constants")
    return (
        {**cell, "constants": {name: _tuples(value) for name, value in constants.items()}}
        if isinstance(constants, dict)
        else cell
    )


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


READ: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "claims.json": _of_format_1,
    "cells.json": _with_tuples,
}
"""How entries are read, those of an older format among them, by the name of their file."""


def filled(
    value: Any, shape: Mapping[str, Field], as_read: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> list[dict[str, Any]]:
    """The entries of a file, with what an older run did not write, or wrote otherwise. Raises ValueError for what is not such a list."""
    if not isinstance(value, list):
        raise ValueError("it is not a list")
    entries = []
    for place, entry in enumerate(value, 1):
        if not isinstance(entry, dict):
            raise ValueError(f"entry {place} is not an object")
        whole = dict(as_read(entry))
        for name, field in shape.items():
            if name not in whole and field.otherwise:
                whole[name] = field.otherwise[0]
            if name not in whole:
                raise ValueError(f"entry {place} has no '{name}'")
            if not field.fits(whole[name]):
                raise ValueError(f"'{name}' of entry {place} is not {field.looks}")
        entries.append(whole)
    return entries
