"""Rows of data files that are not held in memory: those of training come window after window, and those of evaluations where they are many.

A window of training holds the rows of the next steps, in the order in which training takes them; the next one is read by a thread while the
steps of this one are made. Which rows they are follows from the step alone, so that a run goes on from anywhere with the same.
A window of an evaluation holds those of the next examples of a stream. Evaluations that read few rows have them held.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from dlspec.spec.data_files.memory_limit import LIMIT, memory_limit
from dlspec.spec.data_files.row_access import RowAccess
from dlspec.spec.data_files.row_copies import row_access
from dlspec.spec.data_files.split import unchanged
from dlspec.spec.diagnostics.problems import Problem, StudyError
from dlspec.spec.ir.data import Rows
from dlspec.spec.ir.plan import Program
from dlspec.spec.ir.terms import FileValue
from dlspec.spec.passes.held_columns import evaluated_in_windows, examples_held, row_bytes

from ..backend.graph_functions import graph_function
from ..lower.data_order import chosen
from .file_rows import ROWS, as_tensor, name_of_column

Array = np.ndarray[Any, Any]
Given = dict[str, Any]
"""Rows and columns by the names that they have among the draws."""


class Reading(Protocol):
    """What reads rows window after window: the step of a phase of training."""

    window: int
    """How many steps a window serves."""
    first_step: int
    last_step: int
    """The phase's first step, and the one behind its last."""

    def places(self, order: Any, first: int, count: int) -> Iterator[tuple[Any, Array]]:
        """Of so many steps from one on the places that their batches read, int64 [count · B], with the keys of the order."""


class FileWindows:
    """The rows of a program's files for some replicates: `table` are those of their examples, int32 [R, train + test + validation]."""

    def __init__(self, program: Program, table: Array, dtype: Any) -> None:
        """Raises StudyError where a file is not what was checked, or its rows cannot be copied."""
        assert isinstance(program.data, Rows)
        self.source = program.data
        self.table = table
        self.terms = program.of_files
        self.dtype = dtype
        self.access = {name: _access(self.source, term) for name, term in self.terms.items()}
        self.program = program
        self.apart = evaluated_in_windows(program, len(table))
        """Whether evaluations read their rows window after window, too."""
        self.examples = examples_held(program, len(table))
        self._row_bytes = row_bytes(program)
        self._reader = ThreadPoolExecutor(1, "rows of data files")
        self._ahead: tuple[tuple[int, int], Future[Given]] | None = None
        self._present: tuple[tuple[int, int], Given] | None = None

    def held(self) -> Given:
        """What is read all at once, and what evaluations read unless that is `apart`: the rows, int32 [R, examples], and the columns.

        Raises StudyError where that is too much.
        """
        firsts = {stream: self.source.first_row(stream) for stream in self.examples}
        wanted = [self.table[:, firsts[name] : firsts[name] + count] for name, count in self.examples.items()]
        rows = np.concatenate(wanted, axis=1)
        union, places = np.unique(rows, return_inverse=True)
        if (needed := len(union) * self._row_bytes) > memory_limit():
            message = f"statistics of gradients, whitened layers and figures read {len(union):,} rows of data files, {needed / 2**30:.2f} GiB"
            hint = (
                f"Use fewer examples, such as `examples: 1000`, or allow more memory: `{LIMIT}={-(-needed // 2**20)}M`."
            )
            raise StudyError(Problem(message, None, hint))
        if not len(union):
            union = np.zeros(1, np.int32)
        return {ROWS: tf.constant(places.reshape(rows.shape), tf.int32), **self._columns(union)}

    def first_row(self, stream: str) -> int:
        """Where the examples of a stream begin among the rows that are held."""
        before = list(self.examples).index(stream) if stream in self.examples else 0
        return sum(list(self.examples.values())[:before])

    def rows_of(self, stream: str) -> str:
        """The stream that has the rows of one: further test streams have those of the test set."""
        return stream if stream in self.examples and stream not in self.program.streams else "test"

    def stretches(self, stream: str, total: int, length: int) -> Iterator[Given]:
        """So many examples of a stream, `length` at a time: the rows, int32 [R, length], and their columns alone. What lies beyond is the last."""
        stream = self.rows_of(stream)
        ahead = self._reader.submit(self._stretch, stream, 0, total, length)
        for first in range(0, total, length):
            present = ahead.result()
            if (behind := first + length) < total:
                ahead = self._reader.submit(self._stretch, stream, behind, total, length)
            yield present

    def _stretch(self, stream: str, first: int, total: int, length: int) -> Given:
        places = self.source.first_row(stream) + np.minimum(np.arange(first, first + length), total - 1)
        rows = self.table[:, places]
        numbers = np.broadcast_to(np.arange(length, dtype=np.int32), rows.shape)
        if self.source.split_at_random:
            numbers = np.arange(rows.size, dtype=np.int32).reshape(rows.shape)
            return {ROWS: tf.constant(numbers), **self._columns(rows.reshape(-1))}
        return {ROWS: tf.constant(numbers), **self._columns(rows[0])}

    def window(self, step: Reading, number: int, order: Any) -> Given:
        """The rows of the steps of a window, int32 [R, examples], and the columns of these alone.

        `order` are the keys of the order, uint32 [R, 2].
        """
        key = (step.first_step, number)
        if self._present is None or self._present[0] != key:
            found = (
                self._ahead[1].result()
                if self._ahead is not None and self._ahead[0] == key
                else self._read(step, number, order)
            )
            self._present, self._ahead = (key, found), None
            if step.first_step + (number + 1) * step.window < step.last_step:
                self._ahead = (step.first_step, number + 1), self._reader.submit(self._read, step, number + 1, order)
        return self._present[1]

    def _read(self, step: Reading, number: int, order: Any) -> Given:
        first = step.first_step + number * step.window
        found = []
        for keys, places in step.places(order, first, step.window):
            examples = _numbers(self.source.train, self.source.order)(keys, tf.constant(places)).numpy()
            rows = np.take_along_axis(self.table, examples, axis=1)
            found.append(rows.reshape(len(rows), step.window, -1))
        rows = np.concatenate(found, axis=2).reshape(len(found[0]), -1)
        numbers = np.arange(rows.size, dtype=np.int32).reshape(rows.shape)
        return {ROWS: tf.constant(numbers), **self._columns(rows.reshape(-1))}

    def _columns(self, rows: Array) -> Given:
        """The values of some rows, [rows, …] each."""
        return {
            name_of_column(name): as_tensor(term, self.access[name].take(rows), self.dtype)
            for name, term in self.terms.items()
        }


def _access(source: Rows, term: FileValue) -> RowAccess:
    """The rows of the columns of a term. Raises StudyError where the file has changed."""
    file = source.file(term.file)
    for column, checksum in zip(term.columns, term.checksums, strict=True):
        path = unchanged(file, column, checksum)
    return row_access(path, file.header, term.columns, term.checksums, term.several)


@lru_cache(maxsize=8)
def _numbers(count: int, order: str) -> Any:
    """The compiled function from keys uint32 [R, 2] and places int64 [n] to numbers of examples, int64 [R, n]."""

    @graph_function(xla=True)
    def numbers(keys: Any, places: Any) -> Any:
        return chosen(keys, places, count, order)

    return numbers
