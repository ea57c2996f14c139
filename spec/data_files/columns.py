"""What a column is, found in one pass over its rows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .row_access import Array
from .values import Values

MAX_CLASSES = 100
MAX_SPREAD = 10_000
"""Ints that lie further apart are not counted as classes."""
HASHED_AT_ONCE = 2**21
KINDS = {"b": "bool", "i": "int", "u": "int", "f": "real", "O": "text"}
WIDE = {"bool": "u1", "int": "<i8", "real": "<f8"}
"""As what values are hashed: the same, whatever they are stored as."""


@dataclass(frozen=True)
class Column:
    """What a column or an array is.

    Args:
        kind: `bool`, `int`, `real` or `text`.
        shape: that of one example.
        stored: the type as the file has it.
        low: the least value, `high` the greatest; None of texts, and where none is there.
        missing: how many rows have no value, or one that is not finite; `first_missing` is the first of them, from 1.
        classes: how many rows each value has, where they are few; by their texts.
        problem: why no expression can use it; empty where one can.
        checksum: SHA-256 of its values, whatever they are stored as.
        first_fraction: of real numbers the first row, from 1, that holds one which is not whole; None where all are.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    rows: int
    stored: str
    low: float | int | None = None
    high: float | int | None = None
    missing: int = 0
    first_missing: int | None = None
    classes: dict[str, int] | None = None
    problem: str = ""
    checksum: str = ""
    first_fraction: int | None = None


def described(name: str, stretches: Iterable[Values], hashed: bool = True) -> Column:
    """What a column is, from the values of its rows, a stretch after the other; without a checksum unless they are `hashed`."""
    running: _Running | None = None
    for given in stretches:
        if running is None:
            running = _Running(name, given, hashed)
        running.take(given)
    if running is None:
        return Column(name, "text", (), 0, "nothing", problem="it has no rows")
    return running.column()


def _first_there(missing: Array | None) -> int:
    """The first row that has a value, from 1; of rows of which none has one the first."""
    return 1 if missing is None else int(np.argmin(missing)) + 1


class _Running:
    """A column as far as it was read."""

    def __init__(self, name: str, first: Values, hashed: bool) -> None:
        self.name = name
        self.hashed = hashed
        self.kind = KINDS[first.values.dtype.kind]
        self.shape = first.values.shape[1:]
        self.stored = first.stored
        self.rows = 0
        self.first_there = _first_there(first.missing)
        self.problem = ""
        self.low: int | float | None = None
        self.high: int | float | None = None
        self.first_fraction: int | None = None
        self.missing: list[Array] = []
        self.classes: Counter[str] | None = None if self.shape or self.kind == "real" else Counter()
        self.digest = hashlib.sha256(json.dumps([self.kind, self.shape]).encode())

    def take(self, given: Values) -> None:
        """Takes the next rows."""
        values, missing = given.values, given.missing
        if not (self.problem or given.problem) and values.shape[1:] != self.shape:
            rows = f"row {self.rows + _first_there(missing)} has the shape {list(values.shape[1:])}, and row {self.first_there} has"
            self.problem = f"{rows} {list(self.shape)}: an array has one shape"
        self.problem = self.problem or given.problem
        before, self.rows = self.rows, self.rows + len(values)
        if self.problem:
            return
        self.missing.append(np.zeros(len(values), bool) if missing is None else missing)
        if self.hashed:
            self.hash(given)
        there = values if missing is None else values[~missing]
        if self.kind in ("int", "real") and there.size:
            number = int if self.kind == "int" else float
            low, high = number(there.min()), number(there.max())
            self.low = low if self.low is None else min(low, self.low)
            self.high = high if self.high is None else max(high, self.high)
        if self.kind == "real" and self.first_fraction is None:
            apart = (np.isfinite(values) & (np.floor(values) != values)).any(axis=tuple(range(1, values.ndim)))
            self.first_fraction = before + 1 + int(np.argmax(apart)) if apart.any() else None
        if self.classes is not None and there.size:
            self.count(there)

    def hash(self, given: Values) -> None:
        """Hashes values as WIDE says, texts with their lengths; where one is missing, a 0."""
        values, missing = given.values, given.missing
        if self.kind == "text":
            for value in values:
                self.digest.update(len(data := str(value).encode()).to_bytes(8, "little") + data)
            return
        wide = "<u8" if values.dtype == np.uint64 else WIDE[self.kind]
        step = max(1, HASHED_AT_ONCE // max(1, int(np.prod(self.shape))))
        for first in range(0, len(values), step):
            part = values[first : first + step].astype(wide)
            if missing is not None:
                part[missing[first : first + step]] = 0
            self.digest.update(part.tobytes())

    def count(self, values: Array) -> None:
        """Counts classes as long as they are few."""
        assert self.classes is not None
        if self.kind == "text":
            self.classes.update(values.tolist())
        elif self.kind == "bool":
            self.classes.update({"false": int((~values).sum()), "true": int(values.sum())})
        elif (low := int(values.min())) + MAX_SPREAD < int(values.max()):
            self.classes = None
            return
        else:
            offsets = values - np.uint64(low) if values.dtype == np.uint64 else values.astype(np.int64) - low
            counted = np.bincount(offsets.astype(np.int64))
            self.classes.update({str(low + int(place)): int(counted[place]) for place in np.flatnonzero(counted)})
        if len(self.classes) > MAX_CLASSES:
            self.classes = None

    def column(self) -> Column:
        """What the column is."""
        if self.problem:
            text = hashlib.sha256(self.problem.encode()).hexdigest()
            return Column(self.name, "text", (), self.rows, self.stored, problem=self.problem, checksum=text)
        missing = np.concatenate(self.missing)
        if missing.any():
            self.digest.update(np.packbits(missing).tobytes())
        order = (lambda name: int(name)) if self.kind == "int" else str
        classes = dict(sorted(self.classes.items(), key=lambda item: order(item[0]))) if self.classes else None
        return Column(
            self.name, self.kind, self.shape, self.rows, self.stored, self.low, self.high, int(missing.sum()),
            int(np.argmax(missing)) + 1 if missing.any() else None, classes, "", self.digest.hexdigest(),
            self.first_fraction,
        )  # fmt: skip
