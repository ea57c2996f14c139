"""What a data file holds: of each column its kind, shape, range, missing values, classes and checksum; remembered with the file's size and time."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..cache_dir import user_cache
from ..diagnostics.problems import StudyError
from . import image_folder
from .arrays import FORMATS as ARRAY_FORMATS
from .arrays import IdxFile
from .columns import Column, described
from .csv_files import CsvFile
from .hdf5 import ENDS as HDF5_ENDS
from .hdf5 import Hdf5File
from .heads import HeadColumns, by_head
from .image_folder import ImageFolder
from .row_access import RowAccess
from .tables import ArrowFile, ParquetFile
from .values import Values, WholeColumns, file_problem

VERSION = 4
"""Raised when the same file gives another survey."""
SETTLED = 2.0
"""A file that was written within so many seconds may still be written within the same tick of the clock, and is not remembered."""
SUFFIXES = "folders of images, .npy, .npz, .csv, .csv.gz, .parquet, .arrow, .feather, .h5, .hdf5, .idx and IDX's `…-ubyte`, packed by gzip or not"


class OpenFile(Protocol):
    """A file whose columns can be read."""

    @property
    def names(self) -> Sequence[str]:
        """The names of its columns, in order; the empty one is that of a file that is one array."""

    def read(self, name: str) -> Values:
        """One of its columns. Raises StudyError."""

    def stretches(self, name: str) -> Iterable[Values]:
        """The same, a stretch of rows after the other, so that not all of it need be in memory. Raises StudyError."""

    def placed(self, name: str) -> RowAccess | None:
        """Where the rows of a column lie one after the other as they are, if they do."""


@dataclass(frozen=True)
class Survey:
    """A file's columns by name, in its order."""

    name: str
    columns: Mapping[str, Column]

    @property
    def lengths(self) -> list[int]:
        """How many rows each column has that can be used."""
        if isinstance(self.columns, HeadColumns):
            return [facts.rows for facts in self.columns.facts.values() if not facts.sample.problem]
        return [column.rows for column in self.columns.values() if not column.problem]

    def read(self, name: str) -> Column:
        """A column whose missing values and classes are asked for, which no head says."""
        return self.columns.read(name) if isinstance(self.columns, HeadColumns) else self.columns[name]

    @property
    def checksum(self) -> str:
        """SHA-256 of all columns with their names: the same for a file that is packed or stored another way."""
        if isinstance(self.columns, HeadColumns):
            return self.columns.mark
        parts = [[column.name, column.kind, column.shape, column.checksum] for column in self.columns.values()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def open_file(path: Path, header: bool = True) -> OpenFile:
    """A data file by its name's end, or a folder of images. Raises StudyError where it is none, or is not whole."""
    if path.is_dir():
        return ImageFolder(path)
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise file_problem(
            path, f"cannot be read: {error.strerror or error}", "A study names files relative to its own folder."
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
    if packed or end not in {*ARRAY_FORMATS, ".parquet", ".arrow", ".feather", *HDF5_ENDS}:
        raise file_problem(path, f"'{end or name}' is not a known kind of file", f"Known are {SUFFIXES}.")
    kinds: dict[str, Any] = {**ARRAY_FORMATS, ".parquet": ParquetFile, ".arrow": ArrowFile, ".feather": ArrowFile}
    kinds |= dict.fromkeys(HDF5_ENDS, Hdf5File)
    opened: OpenFile = kinds[end](path)
    return opened


def survey(path: Path, header: bool = True) -> Survey:
    """What a file holds: from memory where neither its size nor its time has changed, and from the heads of large ones
    where these are enough (`heads_alone`). Raises StudyError."""
    place = _remembered_at(path, header)
    if place is not None and (known := _recalled(place)) is not None:
        return known
    if path.exists() and by_head(path):
        # What was just written may be written again within a tick of the file system's clock: its head is read anew every few seconds.
        mark = place.name if place is not None else f"{_state(path, header).name} {time.time() // SETTLED}"
        if (of_head := _of_head(path, header, mark)) is not None:
            return of_head
    opened = open_file(path, header)
    surveyed = Survey(path.name, {name: described(name, opened.stretches(name)) for name in opened.names})
    if place is not None and place == _remembered_at(path, header):
        _remember(place, surveyed)
    return surveyed


@lru_cache(maxsize=16)
def _of_head(path: Path, header: bool, mark: str) -> Survey | None:
    """What the head of a file says, if it is enough; `mark` stands for its present size and time."""
    opened = open_file(path, header)
    assert isinstance(opened, WholeColumns)
    facts = opened.facts()
    return None if facts is None else Survey(path.name, HeadColumns(opened, facts, mark))


# -- what is remembered -----------------------------------------------------------------------------------------------


class _State(NamedTuple):
    """A name for a data file of its present size and time, and whether it is old enough for its time to tell it from the next."""

    name: str
    settled: bool


def _state(path: Path, header: bool) -> _State:
    """Raises OSError."""
    status = path.stat()
    within, written = image_folder.state(path) if path.is_dir() else ([], status.st_mtime)
    times = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    key = [VERSION, *within, str(path.resolve()), *times, header]
    return _State(hashlib.sha256(json.dumps(key).encode()).hexdigest(), time.time() - written >= SETTLED)


def _remembered_at(path: Path, header: bool) -> Path | None:
    """The file in the user's cache for a data file of its present size and time; None where it cannot be told."""
    folder = user_cache()
    try:
        name, settled = _state(path, header)
    except OSError:
        return None
    return folder / "data_files" / f"{name}.json" if folder is not None and settled else None


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
