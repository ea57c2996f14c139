"""Rows that lie one after the other in a file, each at a place that can be told: read without the rest of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .memory_limit import address_space_limited

Array = np.ndarray[Any, Any]
SEGMENT = 2**28
"""So many bytes of a file are mapped at a time where `ulimit -v` holds: the address space is limited then."""
READ_AT_ONCE = 2**26


@dataclass(frozen=True)
class RowAccess:
    """Rows of a file that lie one after the other from an offset on, each an array of a shape and a type."""

    path: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    rows: int

    @property
    def row_bytes(self) -> int:
        """The bytes of a row."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Where the last row ends in the file."""
        return self.offset + self.rows * self.row_bytes

    @property
    def none(self) -> Array:
        """An array of none of its rows: [0, …]."""
        return np.zeros((0, *self.shape), self.dtype)

    def take(self, rows: Array) -> Array:
        """Some rows, int64 [n], in their order: [n, …] in the machine's byte order."""
        taken = self._by_segment(rows) if address_space_limited() else np.take(self.mapped, rows, axis=0)
        return taken if self.dtype.isnative else taken.astype(self.dtype.newbyteorder("="))

    @cached_property
    def mapped(self) -> Array:
        """All of them, mapped into memory: [rows, …]."""
        return _map(self, 0, self.rows)

    def stretches(self) -> Iterator[Array]:
        """The same, one stretch after the other."""
        each = max(1, READ_AT_ONCE // max(1, self.row_bytes))
        for first in range(0, max(1, self.rows), each):
            yield _map(self, first, min(each, self.rows - first))

    def _by_segment(self, rows: Array) -> Array:
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        taken = np.empty((len(rows), *self.shape), self.dtype)
        each = max(1, SEGMENT // max(1, self.row_bytes))
        place = 0
        while place < len(ordered):
            first = int(ordered[place]) // each * each
            end = int(np.searchsorted(ordered, first + each))
            # No name for what is mapped: it would be held until the next segment is mapped, too.
            taken[order[place:end]] = np.take(
                _map(self, first, min(each, self.rows - first)), ordered[place:end] - first, axis=0
            )
            place = end
        return taken


def _map(access: RowAccess, first: int, count: int) -> Array:
    shape = (count, *access.shape)
    if not count or not access.row_bytes:
        return np.zeros(shape, access.dtype)
    return np.asarray(np.memmap(access.path, access.dtype, "r", access.offset + first * access.row_bytes, shape))
