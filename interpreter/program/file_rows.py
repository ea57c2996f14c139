"""Data files as tensors: the columns that a program's examples look up, and which rows each replicate's examples are.

They go with the replicates' draws, so that what is compiled takes them as arguments. Example i of a stream is row
`rows[first + i]` of the files, where `first` is 0 for training examples; it goes with the keys of the stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.data_files.split import column_values, split_rows
from dlspec.spec.ir.data import Combinations, NamedFile, Rows
from dlspec.spec.ir.plan import Program
from dlspec.spec.ir.terms import FileValue

from ..lower.threefry import key, words

Path = tuple[str, ...]
ROWS_PLACE: Path = ("file", "rows")
"""Where the first row of a stream stands among the keys of its samples: behind them all."""
_GIVEN = "file "
ROWS = f"{_GIVEN}rows"
KEPT_COLUMNS = 8
DRAWN_AT_ONCE = 2**20


def is_of_files(name: str) -> bool:
    """Whether what goes with the draws is of a data file."""
    return name.startswith(_GIVEN)


def of_files(draws: Mapping[str, Any]) -> dict[str, Any]:
    """What goes with the draws and is of data files: the rows, and columns by the keys of their terms."""
    return {name.removeprefix(_GIVEN): tensor for name, tensor in draws.items() if is_of_files(name)}


def name_of_column(key: str) -> str:
    """Under which name the columns of a term go with the draws, by its key."""
    return f"{_GIVEN}{key}"


def rows_of_replicates(source: Rows, paths: Sequence[tuple[Any, ...]]) -> np.ndarray[Any, Any]:
    """The rows of each replicate's examples, those that train first: int32 [R, train + test + validation]. `paths` are their places in the seed tree."""
    return np.stack([split_rows(source, _shuffling(path)).astype(np.int32) for path in paths])


def as_tensor(term: FileValue, values: np.ndarray[Any, Any], dtype: Any) -> Any:
    """The values of a term's columns for some rows, in the type that they have in a program."""
    return tf.cast(tf.constant(values), _dtype(term, dtype))


def _dtype(term: FileValue, dtype: Any) -> Any:
    """The type of a term's columns in a program, of those of its real numbers."""
    return {"bool": tf.bool, "int": tf.int32, "real": dtype}[term.type.kind]


def file_tensors(program: Program, paths: Sequence[tuple[Any, ...]], dtype: Any) -> dict[str, Any]:
    """The rows, int32 [R, train + test + validation], and the columns, [N, …] each, by the names that they have among the draws; of
    combinations of draws their numbers, as rows.

    `paths` are the replicates' places in the seed tree. Raises StudyError where a file is not what was checked.
    """
    source = program.data
    if isinstance(source, Combinations):
        every = source.train + source.test
        return {ROWS: tf.constant(np.stack([_shuffling(path)(every) for path in paths]), tf.int32)}
    if not isinstance(source, Rows):
        return {}
    tensors = {ROWS: tf.constant(rows_of_replicates(source, paths), tf.int32)}
    for name, term in program.of_files.items():
        columns = _columns(source.file(term.file), term.columns, term.checksums, term.several, _dtype(term, dtype))
        tensors[name_of_column(name)] = as_tensor(term, columns, dtype)
    return tensors


def _shuffling(path: tuple[Any, ...]) -> Any:
    """Permutations of a replicate's own: the order of words that are drawn for each place."""

    def shuffled(count: int) -> np.ndarray[Any, Any]:
        keys = tf.constant([key(*path, "rows", "split")], tf.uint32)
        drawn = np.empty(count, np.uint64)
        for first in range(0, count, DRAWN_AT_ONCE):
            numbers = tf.range(first, min(count, first + DRAWN_AT_ONCE), dtype=tf.int64)
            pairs = words(keys, numbers, 2).numpy()[0].astype(np.uint64)
            drawn[first : first + len(pairs)] = pairs[:, 0] << np.uint64(32) | pairs[:, 1]
        return np.argsort(drawn, kind="stable")

    return shuffled


@lru_cache(maxsize=KEPT_COLUMNS)
def _columns(
    file: NamedFile, columns: tuple[str, ...], checksums: tuple[str, ...], several: bool, dtype: Any
) -> np.ndarray[Any, Any]:
    """Some columns of a file: [N, …] of one, [N, columns, …] of several. In the type of TensorFlow's that they are to have, as `tf.cast` gives
    it, where NumPy has it by itself: real numbers of 64 bits would take twice as much."""
    narrow = dtype.as_numpy_dtype if dtype in (tf.bool, tf.int32, tf.float32, tf.float64) else None
    held: list[np.ndarray[Any, Any]] = []
    for column, checksum in zip(columns, checksums, strict=True):
        values = column_values(file, column, checksum).values
        with np.errstate(over="ignore"):
            held.append(values if narrow is None else values.astype(narrow, copy=False))
    return np.stack(held, axis=1) if several else held[0]
