"""HDF5: its datasets by h5py, each read where it lies in this file alone. What refers to other files is not followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.problems import problem_at
from .arrays import CUT
from .row_access import READ_AT_ONCE, Array, RowAccess
from .values import Facts, Values, WholeColumns, file_problem, of_array, unusable

ENDS = (".h5", ".hdf5")


def hdf5() -> Any:
    """The module h5py. Raises StudyError where it is not installed."""
    try:
        return import_module("h5py")
    except ImportError:
        raise problem_at(None, "HDF5 is read by h5py, which is not installed", "`pip install dlspec[hdf5]`") from None


class Hdf5File(WholeColumns):
    """The datasets of a file by their paths: `images`, `train/images`."""

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is no HDF5 file, or not whole."""
        self.path = path
        names: list[str] = []
        with self._file() as file:
            kind = hdf5().Dataset
            file.visititems(lambda name, item: names.append(name) if isinstance(item, kind) else None)
        if not names:
            raise file_problem(path, "holds no dataset", "An HDF5 file has at least one.")
        self.names = tuple(names)

    @contextmanager
    def _file(self) -> Iterator[Any]:
        try:
            with hdf5().File(self.path, "r") as file:
                yield file
        except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
            raise file_problem(self.path, f"cannot be read as HDF5: {error}", CUT) from None

    def facts(self) -> Mapping[str, Facts] | None:
        """What the heads of the datasets say; texts have none."""
        facts = {}
        with self._file() as file:
            for name in self.names:
                dataset = file[name]
                problem = _problem(dataset)
                if not problem and dataset.dtype.kind in "OS":
                    return None
                rows = dataset.shape[0] if dataset.shape else 0
                facts[name] = Facts(
                    unusable(rows, str(dataset.dtype), problem) if problem else of_array(_none(dataset)), rows
                )
        return facts

    def placed(self, name: str) -> RowAccess | None:
        """Where the rows of a dataset lie that is stored in one piece, as it is."""
        with self._file() as file:
            dataset = file[name]
            offset = None if _problem(dataset) or file.userblock_size else dataset.id.get_offset()
            if offset is None or dataset.dtype.kind not in "biuf" or not dataset.shape or not dataset.shape[0]:
                return None
            rows = RowAccess(self.path, offset, np.dtype(dataset.dtype.str), dataset.shape[1:], dataset.shape[0])
            last = np.asarray(dataset[-1:])
        same = (
            rows.end <= self.path.stat().st_size
            and rows.take(np.asarray([rows.rows - 1])).tobytes() == _native(last).tobytes()
        )
        return rows if same and not of_array(rows.none).problem else None

    def read(self, name: str) -> Values:
        """One of its datasets."""
        with self._file() as file:
            dataset = file[name]
            return _values(dataset, 0, dataset.shape[0] if dataset.shape else 0)

    def stretches(self, name: str) -> Iterator[Values]:
        """The same, so many rows at a time."""
        with self._file() as file:
            dataset = file[name]
            rows = dataset.shape[0] if dataset.shape else 0
            each = max(1, READ_AT_ONCE // max(1, dataset.dtype.itemsize * prod(_none(dataset).shape[1:])))
            for first in range(0, max(1, rows), each):
                yield _values(dataset, first, min(rows, first + each))


def _problem(dataset: Any) -> str:
    """Why a dataset cannot be used, as far as its head says."""
    h5py = hdf5()
    if dataset.is_virtual or dataset.external:
        return "its values lie in other files: copy them into this one"
    if dataset.shape is None:
        return "it holds nothing"
    if dataset.dtype.kind == "O" and h5py.check_string_dtype(dataset.dtype) is None:
        return "its rows have several lengths, or refer to other places"
    return ""


def _none(dataset: Any) -> Array:
    return np.zeros((0, *(dataset.shape or ())[1:]), dataset.dtype)


def _native(array: Array) -> Array:
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _values(dataset: Any, first: int, end: int) -> Values:
    """Some rows of a dataset."""
    stored = str(dataset.dtype)
    if problem := _problem(dataset):
        return unusable(end - first, stored, problem)
    if not dataset.shape:
        return of_array(np.zeros((), dataset.dtype if dataset.dtype.kind in "biuf" else bool))
    if dataset.dtype.kind != "O":
        return of_array(np.asarray(dataset[first:end]))
    if len(dataset.shape) > 1:
        return unusable(end - first, "text", "an array of texts with several axes is not a column")
    return Values(np.asarray(dataset.asstr()[first:end], object), "text")
