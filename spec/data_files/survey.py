"""What a data file holds: of each column its kind, shape, range, missing values, classes and checksum; remembered with the file's size and time."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..cache_dir import user_cache
from ..diagnostics.problems import StudyError
from .arrays import FORMATS as ARRAY_FORMATS
from .arrays import IdxFile
from .csv_files import CsvFile
from .tables import ArrowFile, ParquetFile
from .values import Array, Values, file_problem

VERSION = 1
"""Raised when the same file gives another survey."""
SETTLED = 2.0
"""A file that was written within so many seconds may still be written within the same tick of the clock, and is not remembered."""
MAX_CLASSES = 100
SUFFIXES = ".npy, .npz, .csv, .csv.gz, .parquet, .arrow, .feather, .idx and IDX's `…-ubyte`, packed by gzip or not"


class OpenFile(Protocol):
    """A file whose columns can be read."""

    @property
    def names(self) -> Sequence[str]:
        """The names of its columns, in order; the empty one is that of a file that is one array."""

    def read(self, name: str) -> Values:
        """One of its columns. Raises StudyError."""


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


@dataclass(frozen=True)
class Survey:
    """A file's columns by name, in its order."""

    name: str
    columns: dict[str, Column]

    @property
    def checksum(self) -> str:
        """SHA-256 of all columns with their names: the same for a file that is packed or stored another way."""
        parts = [[column.name, column.kind, column.shape, column.checksum] for column in self.columns.values()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def open_file(path: Path, header: bool = True) -> OpenFile:
    """A data file by its name's end. Raises StudyError where it is none, or is not whole."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise file_problem(
            path, f"cannot be read: {error.strerror or error}", "A study names files from its own folder on."
        ) from None
    name = path.name.lower().removesuffix(".gz")
    end = Path(name).suffix
    packed = path.name.lower().endswith(".gz")
    if end == ".csv":
        return CsvFile(path, header)
    if not header:
        raise file_problem(path, "has no header that could be left out", "`header` is for CSV files: remove it.")
    if end == ".idx" or "-idx" in name or ".idx" in name:
        return IdxFile(path)
    if packed or end not in {*ARRAY_FORMATS, ".parquet", ".arrow", ".feather"}:
        raise file_problem(path, f"no kind of file is known by '{end or name}'", f"Known are {SUFFIXES}.")
    kinds: dict[str, Any] = {**ARRAY_FORMATS, ".parquet": ParquetFile, ".arrow": ArrowFile, ".feather": ArrowFile}
    opened: OpenFile = kinds[end](path)
    return opened


def survey(path: Path, header: bool = True) -> Survey:
    """What a file holds: from memory where neither its size nor its time has changed. Raises StudyError."""
    place = _remembered_at(path, header)
    if place is not None and (known := _recalled(place)) is not None:
        return known
    opened = open_file(path, header)
    surveyed = Survey(path.name, {name: described(name, opened.read(name)) for name in opened.names})
    if place is not None and place == _remembered_at(path, header):
        _remember(place, surveyed)
    return surveyed


def described(name: str, given: Values) -> Column:
    """What a column is, from its values."""
    values = given.values
    rows = len(values)
    if given.problem and values.dtype != object:
        text = hashlib.sha256(given.problem.encode()).hexdigest()
        return Column(name, "text", (), rows, given.stored, problem=given.problem, checksum=text)
    kind = {"b": "bool", "i": "int", "u": "int", "f": "real", "O": "text"}[values.dtype.kind]
    column = Column(name, kind, values.shape[1:], rows, given.stored, problem=given.problem)
    if given.missing is not None:
        missing = int(given.missing.sum())
        column = replace(column, missing=missing, first_missing=int(np.argmax(given.missing)) + 1)
        values = values[~given.missing]
    if kind in ("int", "real") and values.size:
        low, high = (int, int) if kind == "int" else (float, float)
        column = replace(column, low=low(values.min()), high=high(values.max()))
    return replace(column, classes=_classes(values, column), checksum=_checksum(given, kind))


def _classes(values: Array, column: Column) -> dict[str, int] | None:
    if column.shape or column.kind == "real" or not values.size:
        return None
    if column.kind == "text":
        counts = Counter(values.tolist())
    elif column.kind == "bool":
        counts = Counter({str(value).lower(): int((values == value).sum()) for value in (False, True)})
    else:
        assert column.low is not None and column.high is not None
        if column.high - column.low > 10_000:
            return None
        low = int(column.low)
        offsets = values.astype(np.int64) - low if column.high < 2**63 else values - np.uint64(low)
        counted = np.bincount(offsets.astype(np.int64))
        counts = Counter({str(low + int(place)): int(counted[place]) for place in np.flatnonzero(counted)})
    if len(counts) > MAX_CLASSES:
        return None
    return {str(name): count for name, count in (sorted(counts.items()) if column.kind == "text" else counts.items())}


def _checksum(given: Values, kind: str) -> str:
    """SHA-256 of kind, shape and values: integers as 64 bits, reals as float64, little-endian, row by row."""
    values = given.values
    digest = hashlib.sha256(json.dumps([kind, values.shape]).encode())
    if given.missing is not None:
        digest.update(np.packbits(given.missing).tobytes())
    if kind == "text":
        for value in values:
            digest.update(len(data := str(value).encode()).to_bytes(8, "little") + data)
        return digest.hexdigest()
    wide = {"bool": "u1", "int": "<i8", "real": "<f8"}[kind]
    if kind == "int" and values.dtype == np.uint64:
        wide = "<u8"
    step = max(1, 2**21 // max(1, int(np.prod(values.shape[1:]))))
    for first in range(0, len(values), step):
        part = values[first : first + step].astype(wide)
        if given.missing is not None:
            part[given.missing[first : first + step]] = 0
        digest.update(part.tobytes())
    return digest.hexdigest()


# -- what is remembered -----------------------------------------------------------------------------------------------


def _remembered_at(path: Path, header: bool) -> Path | None:
    """The file in the user's cache for a data file of its present size and time; None where it cannot be told."""
    folder = user_cache()
    try:
        status = path.stat()
    except OSError:
        return None
    if folder is None or time.time() - status.st_mtime < SETTLED:
        return None
    key = [VERSION, str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, header]
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    return folder / "data_files" / f"{name}.json"


def _recalled(place: Path) -> Survey | None:
    try:
        data = json.loads(place.read_text("utf-8"))
        columns = [Column(**{**item, "shape": tuple(item["shape"])}) for item in data["columns"]]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Survey(data["name"], {column.name: column for column in columns})


def _remember(place: Path, survey: Survey) -> None:
    text = json.dumps({"name": survey.name, "columns": [asdict(column) for column in survey.columns.values()]})
    draft = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        draft.write_text(text, "utf-8")
        draft.replace(place)
    except OSError:
        draft.unlink(missing_ok=True)


__all__ = ["Column", "StudyError", "Survey", "described", "open_file", "survey"]
