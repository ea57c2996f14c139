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
from dlspec.spec.ir.data import NamedFile, Rows
from dlspec.spec.ir.plan import Program

from ..lower.threefry import key, words

Path = tuple[str, ...]
ROWS_PLACE: Path = ("file", "rows")
"""Where the first row of a stream stands among the keys of its samples: behind them all."""
_GIVEN = "file "
ROWS = f"{_GIVEN}rows"
KEPT_COLUMNS = 8


def is_of_files(name: str) -> bool:
    """Whether what goes with the draws is of a data file."""
    return name.startswith(_GIVEN)


def of_files(draws: Mapping[str, Any]) -> dict[str, Any]:
    """What goes with the draws and is of data files: the rows, and columns by the keys of their terms."""
    return {name.removeprefix(_GIVEN): tensor for name, tensor in draws.items() if is_of_files(name)}


def first_row(program: Program, stream: str) -> int:
    """Where the examples of a stream begin among the rows of a replicate."""
    return program.data.train if stream == "test" else 0


def file_tensors(program: Program, paths: Sequence[tuple[Any, ...]], dtype: Any) -> dict[str, Any]:
    """The rows, int32 [R, train + test], and the columns, [N, …] each, by the names that they have among the draws.

    `paths` are the replicates' places in the seed tree. Raises StudyError where a file is not what was checked.
    """
    source = program.data
    if not isinstance(source, Rows):
        return {}
    rows = np.stack([split_rows(source, _shuffling(path)) for path in paths])
    tensors = {ROWS: tf.constant(rows, tf.int32)}
    kinds = {"bool": tf.bool, "int": tf.int32, "real": dtype}
    for name, term in program.of_files.items():
        columns = _columns(source.file(term.file), term.columns, term.checksums, term.several)
        tensors[f"{_GIVEN}{name}"] = tf.cast(tf.constant(columns), kinds[term.type.kind])
    return tensors


def _shuffling(path: tuple[Any, ...]) -> Any:
    """Permutations of a replicate's own: the order of words that are drawn for each place."""

    def shuffled(count: int) -> np.ndarray[Any, Any]:
        keys = tf.constant([key(*path, "rows", "split")], tf.uint32)
        drawn = words(keys, tf.range(count, dtype=tf.int64), 2).numpy()[0].astype(np.uint64)
        return np.argsort(drawn[:, 0] << np.uint64(32) | drawn[:, 1], kind="stable")

    return shuffled


@lru_cache(maxsize=KEPT_COLUMNS)
def _columns(
    file: NamedFile, columns: tuple[str, ...], checksums: tuple[str, ...], several: bool
) -> np.ndarray[Any, Any]:
    """Some columns of a file: [N, …] of one, [N, columns, …] of several."""
    values = [column_values(file, column, checksum).values for column, checksum in zip(columns, checksums, strict=True)]
    return np.stack(values, axis=1) if several else values[0]
