"""Files of arrays: `.npy`, `.npz` and IDX. Nothing in them is ever unpickled."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .row_access import READ_AT_ONCE, RowAccess
from .values import Facts, Values, WholeColumns, file_problem, of_array, unusable

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The types of IDX by its third byte (LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist)."""
MAX_UNPACKED = 2**34
CUT = "The file was cut off, or is not what its name says: fetch it again."


class NpyFile(WholeColumns):
    """One array, which goes by the file's own name; the fields of a structured one are columns."""

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is no array."""
        self.path = path
        self.array: Any = None
        try:
            with path.open("rb") as file:
                self.rows = _rows_of(file, path)
            if self.rows is not None and self.rows.end > path.stat().st_size:
                raise ValueError(f"it ends after {path.stat().st_size:,} bytes, but its header says {self.rows.end:,}")
            if self.rows is not None and self.rows.end < path.stat().st_size:
                message = f"{path.stat().st_size - self.rows.end:,} bytes follow its array"
                raise file_problem(path, message, "`np.savez` keeps several arrays in one file, by name.")
            if self.rows is None:
                self.array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            if not _of_objects(path):
                begun = _head(path).startswith(MAGIC)
                if begun and "Header info length" in str(error):
                    message = "its header names more fields than NumPy reads (10,000 bytes)"
                    raise file_problem(
                        path, message, "Save one array per column with `np.savez`, or a Parquet table."
                    ) from None
                message = str(error) if begun else "it does not begin like such a file"
                raise file_problem(path, f"cannot be read as .npy: {message}", CUT) from None
            self.rows = None
        fields = self.array.dtype.names if self.array is not None else None
        self.names: tuple[str, ...] = fields or ("",)

    def facts(self) -> Mapping[str, Facts] | None:
        """What the head says of its array."""
        return _facts_of(self.rows)

    def placed(self, name: str) -> RowAccess | None:
        """Where its rows lie."""
        return self.rows if self.rows is not None and not of_array(self.rows.none).problem else None

    def read(self, name: str) -> Values:
        """One of its columns."""
        if self.rows is not None:
            return of_array(self.rows.mapped)
        if self.array is None:
            return unusable(0, "object", OBJECTS)
        return of_array(self.array[name] if name else self.array)

    def stretches(self, name: str) -> Iterator[Values]:
        """The same, a stretch after the other."""
        return map(of_array, self.rows.stretches()) if self.rows is not None else super().stretches(name)


class NpzFile(WholeColumns):
    """Arrays by name. One that is stored as it is has its rows in places; any other is unpacked."""

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is no archive of arrays."""
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.namelist()
        except (zipfile.BadZipFile, OSError) as error:
            raise file_problem(path, f"cannot be read as .npz: {error}", CUT) from None
        self.names = tuple(name.removesuffix(".npy") for name in members)
        if not self.names:
            raise file_problem(path, "holds no array", "An .npz file has at least one.")

    def facts(self) -> Mapping[str, Facts] | None:
        """What the heads of its arrays say; None where one of them has none, or is in an order of its own."""
        facts = {}
        try:
            with zipfile.ZipFile(self.path) as archive:
                for name in self.names:
                    with archive.open(f"{name}.npy") as file:
                        rows = _rows_of(file, self.path)
                    if rows is None:
                        return None
                    facts[name] = Facts(of_array(rows.none), rows.rows)
        except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError):
            return None
        return facts

    def placed(self, name: str) -> RowAccess | None:
        """Where the rows of an array lie that is stored as it is."""
        try:
            with zipfile.ZipFile(self.path) as archive, self.path.open("rb") as file:
                member = archive.getinfo(f"{name}.npy")
                if member.compress_type != zipfile.ZIP_STORED:
                    return None
                file.seek(member.header_offset)
                named, more = struct.unpack("<26xHH", file.read(30))
                file.seek(named + more, os.SEEK_CUR)
                start = file.tell()
                rows = _rows_of(file, self.path)
        except (ValueError, EOFError, OSError, KeyError, struct.error, zipfile.BadZipFile):
            return None
        if rows is None or rows.end != start + member.file_size or of_array(rows.none).problem:
            return None
        return rows

    def read(self, name: str) -> Values:
        """One of its arrays. Raises StudyError where it is cut off."""
        with self._explained(name):
            try:
                with np.load(self.path, allow_pickle=False) as archive:
                    array = archive[name]
            except ValueError as error:
                if "Object arrays" in str(error) or "allow_pickle" in str(error):
                    return unusable(0, "object", OBJECTS)
                raise
        if not isinstance(array, np.ndarray):
            return unusable(0, "bytes", "this member of the archive is not an array")
        return of_array(array)

    def stretches(self, name: str) -> Iterator[Values]:
        """The same, unpacked a stretch after the other."""
        with self._explained(name), zipfile.ZipFile(self.path) as archive:
            member = next((one for one in archive.namelist() if one == f"{name}.npy"), None)
            if member is not None:
                with archive.open(member) as file:
                    layout = _rows_of(file, self.path)
                    if layout is not None and layout.rows and layout.row_bytes:
                        yield from _unpacked_rows(file, layout)
                        return
        yield self.read(name)

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            message = f"the array '{name}' cannot be read: {str(error) or type(error).__name__}"
            raise file_problem(self.path, message, CUT) from None


def _unpacked_rows(file: Any, layout: RowAccess) -> Iterator[Values]:
    """The values of rows that come out of a stream. Raises EOFError where it ends before."""
    each = max(1, READ_AT_ONCE // layout.row_bytes)
    for first in range(0, layout.rows, each):
        count = min(each, layout.rows - first)
        data = file.read(count * layout.row_bytes)
        if len(data) < count * layout.row_bytes:
            raise EOFError(f"it ends within row {first + len(data) // layout.row_bytes + 1:,} of {layout.rows:,}")
        yield of_array(np.frombuffer(data, layout.dtype).reshape(count, *layout.shape))
    file.read(1)  # the checksum of the archive is looked at where a member ends


class IdxFile(WholeColumns):
    """One array in IDX, packed or not: four bytes that say type and rank, the lengths, the values, all big-endian."""

    names = ("",)

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is no IDX file, or not whole."""
        self.path = path
        packed = is_packed(path)
        data = unpacked(path) if packed else _head(path, 4 + 4 * 255)
        size = len(data) if packed else path.stat().st_size
        if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES:
            hint = "IDX begins with two bytes 0, then the type (8 for bytes) and the number of axes."
            raise file_problem(path, f"is not an IDX file: it begins with {data[:4].hex(' ') or 'nothing'}", hint)
        dtype, rank = np.dtype(IDX_TYPES[data[2]]), data[3]
        start = 4 + 4 * rank
        shape = tuple(int(length) for length in np.frombuffer(data[4:start], ">u4")) if len(data) >= start else ()
        wanted = start + prod(shape) * dtype.itemsize
        if size != wanted:
            message = f"has {size:,} bytes unpacked; its header says {wanted:,}, for shape {list(shape)}"
            raise file_problem(path, message, CUT)
        self.rows = None if packed or not shape else RowAccess(path, start, dtype, shape[1:], shape[0])
        self.array = np.frombuffer(data, dtype, offset=start).reshape(shape) if self.rows is None else self.rows.none

    def facts(self) -> Mapping[str, Facts] | None:
        """What the head says of its array, unless it is packed."""
        return _facts_of(self.rows)

    def placed(self, name: str) -> RowAccess | None:
        """Where its rows lie, unless it is packed."""
        return self.rows if self.rows is not None and not of_array(self.rows.none).problem else None

    def read(self, name: str) -> Values:
        """Its array."""
        return of_array(self.array if self.rows is None else self.rows.mapped)

    def stretches(self, name: str) -> Iterator[Values]:
        """The same, a stretch after the other."""
        return map(of_array, self.rows.stretches()) if self.rows is not None else super().stretches(name)


def _facts_of(rows: RowAccess | None) -> Mapping[str, Facts] | None:
    return None if rows is None else {"": Facts(of_array(rows.none), rows.rows)}


def _rows_of(file: Any, path: Path) -> RowAccess | None:
    """Where rows lie behind a head of NumPy's; None where it is one that NumPy alone reads. Raises ValueError where there is none."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        return None
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = head(file)
    if any(length < 0 for length in shape):
        raise ValueError(f"its header says {list(shape)}, but a length cannot be negative")
    if dtype.hasobject or dtype.names or not shape or (by_columns and len(shape) > 1):
        return None
    return RowAccess(path, file.tell(), dtype, shape[1:], shape[0])


MAGIC = b"\x93NUMPY"
OBJECTS = "Python objects would have to be unpickled, which runs code: save numbers instead"


def _of_objects(path: Path) -> bool:
    """Whether the head of a file of NumPy's says that it holds pickled objects."""
    head = _head(path)
    return head.startswith(MAGIC) and b"'descr': '|O'" in head


def _head(path: Path, size: int = 512) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def is_packed(path: Path) -> bool:
    """Whether a file is packed by gzip."""
    return _head(path, 2) == b"\x1f\x8b"


def unpacked(path: Path) -> bytes:
    """The bytes of a file, out of gzip where it is packed. Raises StudyError where they cannot be had."""
    try:
        if not is_packed(path):
            return path.read_bytes()
        with gzip.open(path) as stream:
            data = stream.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise file_problem(path, f"cannot be unpacked: {error}", CUT) from None
    if len(data) > MAX_UNPACKED:
        hint = "Save the values as .npy or .parquet."
        raise file_problem(path, f"is larger than {MAX_UNPACKED // 2**30} GiB unpacked", hint)
    return data


FORMATS: Mapping[str, Any] = {".npy": NpyFile, ".npz": NpzFile, ".idx": IdxFile}
