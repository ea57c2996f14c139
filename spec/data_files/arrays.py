"""Files of arrays: `.npy`, `.npz` and IDX. Nothing in them is ever unpickled."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .values import Values, WholeColumns, file_problem, of_array, unusable

IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The types of IDX by its third byte (LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist)."""
MAX_UNPACKED = 2**34
CUT = "The file was cut off, or is another one: fetch it again."


class NpyFile(WholeColumns):
    """One array, which goes by the file's own name; the fields of a structured one are columns."""

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is no array."""
        self.path = path
        self.array: Any = None
        try:
            self.array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            if not _of_objects(path):
                begun = _head(path).startswith(MAGIC)
                message = str(error) if begun else "it does not begin as such a file does"
                raise file_problem(path, f"cannot be read as .npy: {message}", CUT) from None
        fields = self.array.dtype.names if self.array is not None else None
        self.names: tuple[str, ...] = fields or ("",)

    def read(self, name: str) -> Values:
        """One of its columns."""
        if self.array is None:
            return unusable(0, "object", OBJECTS)
        return of_array(self.array[name] if name else self.array)


class NpzFile(WholeColumns):
    """Arrays by name. Each is read whole: members of an archive cannot be mapped into memory."""

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

    def read(self, name: str) -> Values:
        """One of its arrays. Raises StudyError where it is cut off."""
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                array = archive[name]
        except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            if "Object arrays" in str(error) or "allow_pickle" in str(error):
                return unusable(0, "object", OBJECTS)
            message = f"the array '{name}' cannot be read: {str(error) or type(error).__name__}"
            raise file_problem(self.path, message, CUT) from None
        if not isinstance(array, np.ndarray):
            return unusable(0, "bytes", "this member of the archive is no array")
        return of_array(array)


class IdxFile(WholeColumns):
    """One array in IDX, packed or not: four bytes that say type and rank, the lengths, the values, all big-endian."""

    names = ("",)

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is no IDX file, or not whole."""
        self.path = path
        data = unpacked(path)
        if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES:
            hint = "IDX begins with two bytes 0, then the type (8 for bytes) and the number of axes."
            raise file_problem(path, f"is no IDX file: it begins with {data[:4].hex(' ') or 'nothing'}", hint)
        dtype, rank = np.dtype(IDX_TYPES[data[2]]), data[3]
        start = 4 + 4 * rank
        shape = tuple(int(size) for size in np.frombuffer(data[4:start], ">u4")) if len(data) >= start else ()
        wanted = start + prod(shape) * dtype.itemsize
        if len(data) != wanted:
            message = f"has {len(data):,} bytes unpacked; its head says {wanted:,}, for shape {list(shape)}"
            raise file_problem(path, message, CUT)
        self.array = np.frombuffer(data, dtype, offset=start).reshape(shape)

    def read(self, name: str) -> Values:
        """Its array."""
        return of_array(self.array)


MAGIC = b"\x93NUMPY"
OBJECTS = "Python objects would have to be unpickled, which runs code: save numbers instead"


def _of_objects(path: Path) -> bool:
    """Whether the head of a file of NumPy's says that it holds pickled objects."""
    head = _head(path)
    return head.startswith(MAGIC) and b"'descr': '|O'" in head


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def unpacked(path: Path) -> bytes:
    """The bytes of a file, out of gzip where it is packed. Raises StudyError where they cannot be had."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        if not packed:
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
