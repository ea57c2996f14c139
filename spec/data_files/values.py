"""One column of a file: its values in NumPy, which rows lack one, and why it cannot be used where it cannot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, StudyError
from .row_access import Array, RowAccess


@dataclass(frozen=True, eq=False)
class Values:
    """The values of a column or an array, along its rows.

    Args:
        values: bool, integers, reals or str objects, [rows, …], in the machine's own byte order.
        stored: the type as the file has it: `uint8`, `list<float>`.
        missing: bool [rows], the rows without a value, or with one that is not finite; None where there are none.
        problem: why the column cannot be used; empty where it can.
    """

    values: Array
    stored: str
    missing: Array | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Facts:
    """What the head of a file says of a column.

    Args:
        sample: its first rows, or none of them: kind, shape, and why it cannot be used.
        low: the least value where it is known, `high` the greatest; of whole numbers.
        gaps: whether some row may lack a value; a NaN among real numbers is in no head.
    """

    sample: Values
    rows: int
    low: int | None = None
    high: int | None = None
    gaps: bool = False


class WholeColumns(ABC):
    """A file whose columns are read whole."""

    names: tuple[str, ...] = ()

    def facts(self) -> Mapping[str, Facts] | None:
        """What its head says of each column; None where it says too little."""
        return None

    @abstractmethod
    def read(self, name: str) -> Values:
        """One of its columns."""

    def stretches(self, name: str) -> Iterator[Values]:
        """All of it at once."""
        yield self.read(name)

    def placed(self, name: str) -> RowAccess | None:
        """Where the rows of a column lie one after the other as they are, if they do."""
        return None


def unusable(rows: int, stored: str, problem: str) -> Values:
    """A column that is there, and that no expression can use."""
    return Values(np.zeros(rows, bool), stored, None, problem)


def joined(stretches: Iterable[Values]) -> Values:
    """Stretches of one column as a whole: no more than one of them is held beside it.

    An array that grows is moved by the operating system where it is large, without a copy.
    """
    whole: Array | None = None
    missing: list[Array] = []
    stored, problem, rows = "", "", 0
    for given in stretches:
        stored, problem, first = given.stored, problem or given.problem, rows
        rows += len(given.values)
        if whole is None:
            whole = np.empty((0, *given.values.shape[1:]), given.values.dtype)
        if not problem and given.values.shape[1:] != whole.shape[1:]:
            problem = f"some rows have the shape {list(given.values.shape[1:])}, and row 1 has {list(whole.shape[1:])}"
        if problem:
            continue
        whole.resize((rows, *whole.shape[1:]), refcheck=False)
        whole[first:] = given.values
        missing.append(np.zeros(rows - first, bool) if given.missing is None else given.missing)
    if whole is None or problem:
        return unusable(rows, stored, problem or "it has no rows")
    lacking = np.concatenate(missing)
    return Values(whole, stored, lacking if lacking.any() else None)


def of_array(array: Array, missing: Array | None = None, stored: str = "") -> Values:
    """The values of an array of any number type, [rows, …]: in the machine's byte order, with what is not finite marked."""
    stored = stored or stored_text(array.dtype)
    if array.ndim == 0:
        return unusable(0, stored, "a single value has no rows")
    if 0 in array.shape[1:]:
        return unusable(len(array), stored, "its rows are empty")
    if array.dtype.kind in "US":
        return _of_text(array, stored)
    if array.dtype.kind not in "biuf":
        return unusable(len(array), stored, f"{stored} holds no numbers")
    if array.dtype.itemsize > 8:
        return unusable(len(array), stored, f"{stored} is wider than any real number here: save it as float64")
    native: Array = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if native.dtype.kind == "f":
        unclear = ~np.isfinite(native)
        if unclear.any():
            rows = np.asarray(unclear.reshape(len(native), -1).any(axis=1))
            missing = rows if missing is None else np.asarray(missing | rows)
    return Values(native, stored, missing if missing is not None and missing.any() else None)


def _of_text(array: Array, stored: str) -> Values:
    if array.ndim > 1:
        return unusable(len(array), stored, "an array of texts with several axes is not a column")
    if array.dtype.kind == "S":
        try:
            return Values(np.char.decode(array, "utf-8").astype(object), stored)
        except UnicodeDecodeError:
            return unusable(len(array), stored, "its bytes are not UTF-8")
    return Values(array.astype(object), stored)


def stored_text(dtype: np.dtype[Any]) -> str:
    """What people call a type of NumPy.

    >>> stored_text(np.dtype(">i4"))
    'int32, big-endian'
    """
    if dtype.kind == "U":
        return "text"
    if dtype.kind == "S":
        return "bytes"
    return dtype.name + ("" if dtype.isnative or dtype.itemsize == 1 else ", big-endian")


def file_problem(path: Path, message: str, hint: str) -> StudyError:
    """The error for a file as a whole, ready to be raised."""
    return StudyError(Problem(f"{path.name}: {message}", None, hint))
