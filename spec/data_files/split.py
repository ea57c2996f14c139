"""The rows of files by the columns that say where they go: as arrays of their numbers, from 0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, StudyError
from ..ir.data import FileColumn, NamedFile, Rows
from .row_access import Array
from .survey import OpenFile, open_file, survey
from .values import Values


@lru_cache(maxsize=2)
def _opened(file: NamedFile) -> OpenFile:
    """A file that is read column by column; what is behind its path is what was checked."""
    return open_file(Path(file.path), file.header)


def column_values(file: NamedFile, column: str, checksum: str) -> Values:
    """The values of a column of a file. Raises StudyError where they are no longer those that were checked."""
    path = unchanged(file, column, checksum)
    try:
        return _opened(file).read(column)
    except MemoryError:
        hint = "All rows of a column are held in memory: take fewer columns or rows, or save them in a narrower type."
        raise StudyError(Problem(f"{path.name}: '{column}' does not fit into memory", None, hint)) from None


def unchanged(file: NamedFile, column: str, checksum: str) -> Path:
    """Where a file lies. Raises StudyError where a column's values are no longer those that were checked."""
    path = Path(file.path)
    present = survey(path, file.header).columns.get(column)
    if present is None or present.checksum != checksum:
        hint = "Run it again: it is another study now."
        raise StudyError(Problem(f"{path.name}: changed after the study was read", None, hint))
    return path


_kept_values = lru_cache(maxsize=4)(column_values)
"""The same; of columns that say where rows go, and so are read for each replicate."""


@lru_cache(maxsize=4)
def _lacking(file: NamedFile, column: str, checksum: str) -> Array | None:
    """Which rows of a column have no value: bool [rows], or None where all have one. No more than a stretch of it is held."""
    path = unchanged(file, column, checksum)
    if not survey(path, file.header).columns[column].missing:
        return None
    stretches = _opened(file).stretches(column)
    return np.concatenate([np.zeros(len(s.values), bool) if s.missing is None else s.missing for s in stretches])


def _file(files: Sequence[NamedFile], named: FileColumn) -> NamedFile:
    return next(file for file in files if file.name == named.file)


def _read(files: Sequence[NamedFile], named: FileColumn) -> Array:
    return _kept_values(_file(files, named), named.column, named.checksum).values


def rows_without_gaps(files: Sequence[NamedFile], complete: Sequence[FileColumn], total: int) -> Array:
    """The rows that have a value in some columns: int64 [n]."""
    there = np.ones(total, bool)
    for named in complete:
        missing = _lacking(_file(files, named), named.column, named.checksum)
        if missing is not None:
            there[: len(missing)] &= ~missing[:total]
    return np.flatnonzero(there)


def rows_chosen(
    files: Sequence[NamedFile], chosen: FileColumn, complete: Sequence[FileColumn], total: int
) -> tuple[Array, Array]:
    """The rows that train and those that measure, by what a column says."""
    usable = rows_without_gaps(files, complete, total)
    values: Array = _read(files, chosen)[usable]
    if values.dtype == bool:
        return usable[values], usable[~values]
    return usable[values == "train"], usable[values == "test"]


def group_sizes(
    files: Sequence[NamedFile], groups: FileColumn, complete: Sequence[FileColumn], total: int
) -> list[int]:
    """How many rows the groups have, of those without gaps; in the order in which they first come in the file."""
    values = _read(files, groups)[rows_without_gaps(files, complete, total)]
    _, first, counts = np.unique(values, return_index=True, return_counts=True)
    sizes: list[int] = counts[np.argsort(first, kind="stable")].tolist()
    return sizes


def split_rows(source: Rows, shuffled: Any) -> Array:
    """The rows of a replicate's examples, those that train first, those that validate last: int64 [train + test + validation].

    `shuffled` gives a permutation of so many, the replicate's own; where the order is the file's it is not asked.
    """
    if source.chosen is not None:
        return np.concatenate(rows_chosen(source.files, source.chosen, source.complete, source.rows))
    rows: Array = rows_without_gaps(source.files, source.complete, source.rows)
    in_order = source.order == "file"
    count = source.train + source.test + source.validation
    if source.groups is not None:
        rows = _by_group(source, rows, shuffled, in_order)
    elif not in_order:
        rows = rows[shuffled(len(rows))]
    if source.strata is None:
        return rows[:count]
    classes, of_row = np.unique(_read(source.files, source.strata)[rows], return_inverse=True)
    train = _proportional(of_row, len(classes), source.train, len(rows))
    rest = np.setdiff1d(np.arange(len(rows)), train, assume_unique=True)
    if source.test < len(rest):
        test = _proportional(of_row[rest], len(classes), source.test, len(rest))
        left = np.delete(rest, test)
        if source.validation < len(left):
            left = left[_proportional(of_row[left], len(classes), source.validation, len(left))]
        rest = np.concatenate([rest[test], left])
    places: Array = np.concatenate([train, rest])
    return rows[places]


def _proportional(of_row: Array, classes: int, wanted: int, total: int) -> Array:
    """The places of the first rows of each class, so many of each as its share, `wanted` together: largest remainders first."""
    counts = np.bincount(of_row, minlength=classes)
    exact = counts * wanted
    shares = exact // total
    order = np.argsort(-(exact % total), kind="stable")
    shares[order[: wanted - int(shares.sum())]] += 1
    by_class = np.argsort(of_row, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    places = [by_class[start : start + share] for start, share in zip(starts, shares, strict=True)]
    return np.sort(np.concatenate(places))


def _by_group(source: Rows, rows: Array, shuffled: Any, in_order: bool) -> Array:
    """Rows group by group; groups in an order of their own, or in that of the file."""
    assert source.groups is not None
    values = _read(source.files, source.groups)[rows]
    _, first, of_row = np.unique(values, return_index=True, return_inverse=True)
    order: Array = np.argsort(first, kind="stable") if in_order else shuffled(len(first))
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    return rows[np.argsort(rank[of_row], kind="stable")]
