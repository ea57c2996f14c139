"""The terms right below one are those in all of its own fields, in their order, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.term_parts import PLAIN

OWN = {item.name for item in fields(t.Term)}
KINDS = {kind.__name__: kind for kind in t.Term.__subclasses__()}
"""The classes as they are with slots, not those that they are made from."""


def filled(kind: type[t.Term], empty: bool) -> tuple[t.Term, list[t.Term]]:
    """A term of a kind whose fields hold terms, as few as they may where these are to be empty; and these terms."""
    term, below = object.__new__(kind), []
    for item in fields(kind):
        if item.name in OWN or item.type in PLAIN:
            continue
        one, two = (object.__new__(t.LeftOut) for _ in range(2))
        declared, value = str(item.type), one
        if declared.startswith("tuple"):
            value = () if empty else (one, two)
        elif declared.startswith("Mapping"):
            value = {"size": 3} if empty else {"size": 3, "first": one, "second": two}
        elif "None" in declared and empty:
            value = None
        object.__setattr__(term, item.name, value)
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
        below += [part for part in inner if isinstance(part, t.Term)]
    return term, below


@pytest.mark.parametrize("name", KINDS)
def test_all_fields_are_looked_in(name: str) -> None:
    for empty in (False, True):
        term, below = filled(KINDS[name], empty)
        listed: Any = t.children(term)
        assert list(map(id, listed)) == list(map(id, below))
