"""Rows of a table by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Row = TypeVar("Row", bound=_Named)


def by_name(rows: Iterable[Row], what: str) -> Mapping[str, Row]:
    """Rows by their names; `what` is what a row declares. Raises ValueError for a name that stands twice."""
    table: dict[str, Row] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"the {what} '{row.name}' is declared twice")
        table[row.name] = row
    return MappingProxyType(table)
