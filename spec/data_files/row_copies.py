"""Copies of columns, row after row, for files in which a row does not lie by itself.

`.npy`, arrays that an `.npz` stores as they are, and unpacked IDX have each row at a place that can be told. In the other formats a
row comes with all of its group, or out of a stream that has to be unpacked: such columns are written out once, into the user's
cache, under the checksums of their values.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..cache_dir import user_cache
from ..diagnostics.problems import Problem, StudyError
from .row_access import READ_AT_ONCE, RowAccess
from .survey import OpenFile, open_file
from .values import Values

VERSION = 1
"""Raised when copies are written another way."""
FOLDER = "DLSPEC_DATA_CACHE"
"""The environment variable that says where copies lie, if not in the user's cache."""
KEPT_DAYS = 30
"""A copy that no run has used for so many days is removed when another is written."""


def row_access(path: Path, header: bool, columns: Sequence[str], checksums: Sequence[str], several: bool) -> RowAccess:
    """The rows of one column of a file, or of several as an array. Raises StudyError where no copy can be written.

    The file has to be the one that was surveyed; whoever calls has looked.
    """
    opened = open_file(path, header)
    if not several and (placed := opened.placed(columns[0])) is not None:
        return placed
    return _copy(opened, path, tuple(columns), tuple(checksums), several)


def _copy(
    opened: OpenFile, path: Path, columns: tuple[str, ...], checksums: tuple[str, ...], several: bool
) -> RowAccess:
    """The copy of some columns: the one that is there, or a new one."""
    folder = _folder()
    name = hashlib.sha256(json.dumps([VERSION, checksums, several]).encode()).hexdigest()
    about = folder / f"{name}.json"
    known = _known(about)
    if known is not None:
        os.utime(about)
        return known
    _remove_unused(folder)
    rows = folder / f"{name}.rows"
    draft = folder / f"{name}.{os.getpid()}"
    try:
        written = _write(opened, columns, several, draft)
        draft.replace(rows)
        described = {"dtype": written.dtype.str, "shape": list(written.shape), "rows": written.rows}
        draft.write_text(json.dumps(described), "utf-8")
        draft.replace(about)
    except OSError as error:
        free = shutil.disk_usage(folder).free / 2**30
        message = f"{path.name}: its rows cannot be written to {folder}: {error.strerror or error}; {free:.1f} GiB are free there"
        hint = f"`{FOLDER}=FOLDER` names another place; or save the values as .npy, which needs no copy."
        raise StudyError(Problem(message, None, hint)) from None
    finally:
        draft.unlink(missing_ok=True)
    return RowAccess(rows, 0, written.dtype, written.shape, written.rows)


def _folder() -> Path:
    """Where copies lie. Raises StudyError where nothing can be written there."""
    said = os.environ.get(FOLDER)
    folder = Path(said) if said else (user_cache() or Path()) / "data_rows"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        hint = f"`{FOLDER}=FOLDER` names another place."
        raise StudyError(
            Problem(f"{folder}: rows of data files cannot be kept there: {error.strerror}", None, hint)
        ) from None
    return folder


def _known(about: Path) -> RowAccess | None:
    rows = about.with_suffix(".rows")
    try:
        found = json.loads(about.read_text("utf-8"))
        known = RowAccess(rows, 0, np.dtype(found["dtype"]), tuple(found["shape"]), int(found["rows"]))
        whole = rows.stat().st_size == known.rows * known.row_bytes
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return known if whole else None


def _remove_unused(folder: Path) -> None:
    """Removes the copies that no run has used for long."""
    oldest = time.time() - KEPT_DAYS * 24 * 3600
    for about in folder.glob("*.json"):
        try:
            if about.stat().st_mtime < oldest:
                about.unlink()
                about.with_suffix(".rows").unlink(missing_ok=True)
        except OSError:
            continue


def _write(opened: OpenFile, columns: tuple[str, ...], several: bool, draft: Path) -> RowAccess:
    """Writes the rows of some columns, a stretch after the other."""
    count, like = 0, np.zeros((0, 1), bool)
    with draft.open("wb") as file:
        for stretch in _stretches(opened, columns):
            values = np.stack([one.values for one in stretch], axis=1) if several else stretch[0].values
            count, like = count + len(values), values[:0]
            step = max(1, READ_AT_ONCE // max(1, values[:1].nbytes))
            for first in range(0, len(values), step):
                file.write(np.ascontiguousarray(values[first : first + step]).data)
        file.flush()
        os.fsync(file.fileno())
    return RowAccess(draft, 0, like.dtype, like.shape[1:], count)


def _stretches(opened: OpenFile, columns: tuple[str, ...]) -> Iterator[tuple[Values, ...]]:
    """The same rows of several columns at a time. A file of stretches has the same of each column."""
    return zip(*(opened.stretches(column) for column in columns), strict=True)
