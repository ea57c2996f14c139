"""Rows that lie one after the other in a file, each at a place that can be told: read without the rest of the file."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, StudyError
from .memory_limit import address_space_left, address_space_limited

Array = np.ndarray[Any, Any]
SEGMENT = 2**28
"""So many bytes of a file are mapped at a time where `ulimit -v` holds: the address space is limited then."""
READ_AT_ONCE = 2**26
RAISE = "Raise the machine's limit on what is mapped (`vm.max_map_count`, `vm.overcommit_memory`)"


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
    """Some rows, mapped into memory. Raises StudyError where there is no address space for them, or the file is no longer there or as long."""
    shape = (count, *access.shape)
    if not count or not access.row_bytes:
        return np.zeros(shape, access.dtype)
    try:
        return np.asarray(np.memmap(access.path, access.dtype, "r", access.offset + first * access.row_bytes, shape))
    except (OSError, ValueError, MemoryError) as error:
        raise _unmapped(access, count * access.row_bytes, error) from None


def _unmapped(access: RowAccess, size: int, error: Exception) -> StudyError:
    """The problem of rows that cannot be mapped."""
    name, mebibytes = access.path.name, f"{size / 2**20:,.0f} MiB"
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        message = f"{name}: {mebibytes} of its rows cannot be mapped into memory: {getattr(error, 'strerror', None) or 'no memory'}"
        left = address_space_left()
        limit = f"`ulimit -v` leaves {left / 2**20:,.0f} MiB of address space: raise it" if left is not None else RAISE
        return StudyError(Problem(message, None, f"{limit}, or run fewer processes at a time (`-j 1`)."))
    why = getattr(error, "strerror", None) or "it is shorter than it was"
    hint = "Run it again: if the file has changed, this is another study now."
    return StudyError(Problem(f"{name}: {mebibytes} of its rows cannot be mapped into memory: {why}", None, hint))
