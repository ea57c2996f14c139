"""Tables of Arrow: `.parquet`, `.arrow` and `.feather`, each column by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnostics.problems import problem_at
from .arrays import CUT
from .row_access import Array
from .values import Facts, Values, WholeColumns, file_problem, joined, of_array, unusable

BUFFER = 2**20
PART = 2**23
"""So many bytes of a column, as the file counts them, are read at a time."""
SAMPLE = 8
"""So many rows say what kind a column of a table has, and what shape."""
NO_VALUE = "it has no value in any row"


def arrow(module: str) -> Any:
    """A module of pyarrow. Raises StudyError where it is not installed, as beside `dlspec-check`."""
    try:
        return import_module(module)
    except ImportError:
        raise problem_at(None, "tables are read by pyarrow, which is not installed", "`pip install pyarrow`") from None


class _Table(WholeColumns):
    """Columns by name."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path = path
        twice = (
            next((name for place, name in enumerate(names) if name in names[:place]), None)
            if len(set(names)) < len(names)
            else None
        )
        if twice is not None:
            raise file_problem(path, f"two columns are called '{twice}'", "Give each a name of its own.")
        if not names:
            raise file_problem(path, "has no columns", "A table has at least one.")
        self.names = tuple(names)


class ParquetFile(_Table):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is no Parquet file."""
        pa, parquet = arrow("pyarrow"), arrow("pyarrow.parquet")
        try:
            self.file = parquet.ParquetFile(path, buffer_size=BUFFER)
        except (pa.ArrowException, OSError) as error:
            raise file_problem(path, f"cannot be read as Parquet: {error}", CUT) from None
        super().__init__(path, list(self.file.schema_arrow.names))

    def read(self, name: str) -> Values:
        """One of its columns. Raises StudyError where it is cut off."""
        return joined(self.stretches(name))

    def stretches(self, name: str) -> Iterator[Values]:
        """The same, so many rows of a row group at a time."""
        pa = arrow("pyarrow")
        try:
            yield from _of_one_shape(self._parts(name))
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, KeyError) as error:
            raise file_problem(self.path, f"the column '{name}' cannot be read: {error}", CUT) from None
        finally:
            pa.default_memory_pool().release_unused()

    def facts(self) -> Mapping[str, Facts] | None:
        """What its metadata say of each column, and its first rows."""
        pa, metadata = arrow("pyarrow"), self.file.metadata
        if not metadata.num_rows:
            return None
        try:
            first = next(self.file.iter_batches(SAMPLE, [0], use_threads=False))
        except (pa.ArrowException, OSError, StopIteration):
            return None
        places: dict[str, int] = {}
        several: set[str] = set()
        for place in range(metadata.num_columns):
            name = next((part for part in _beginnings(metadata.schema.column(place).path) if part in self.names), "")
            several |= {name} & places.keys()
            places.setdefault(name, place)
        groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
        facts = {}
        for name in self.names:
            sample = of_arrow(pa.chunked_array([first.column(name)]))
            if sample.problem == NO_VALUE:
                return None
            known = (
                []
                if name in several or name not in places
                else [g.column(places[name]).statistics for g in groups if g.num_rows]
            )
            whole = bool(known) and all(one is not None and one.has_null_count and not one.null_count for one in known)
            low, high = _bounds(known) if sample.values.dtype.kind in "iu" else (None, None)
            facts[name] = Facts(sample, metadata.num_rows, low, high, not whole)
        return facts

    def _parts(self, name: str) -> Iterator[Any]:
        """A column in parts, the same rows for each column of the file."""
        pa, metadata = arrow("pyarrow"), self.file.metadata
        for group in range(metadata.num_row_groups):
            held = metadata.row_group(group)
            rows = max(1, PART * held.num_rows // max(1, held.total_byte_size))
            waiting: list[Any] = []
            for batch in self.file.iter_batches(rows, [group], [name], use_threads=False):
                waiting.append(batch.column(0))
                while sum(map(len, waiting)) >= rows:
                    column = pa.chunked_array(waiting)
                    yield column.slice(0, rows)
                    waiting = [chunk for chunk in column.slice(rows).chunks if len(chunk)]
            if waiting:
                yield pa.chunked_array(waiting)


def _beginnings(path: str) -> Iterator[str]:
    """What a path of names between dots begins with, the longest first: a name may hold dots.

    >>> list(_beginnings("x.list.element"))
    ['x.list.element', 'x.list', 'x']
    """
    parts = path.split(".")
    return (".".join(parts[:count]) for count in range(len(parts), 0, -1))


def _bounds(statistics: Sequence[Any]) -> tuple[int | None, int | None]:
    """The least and the greatest whole number of all row groups, where each says its own."""
    known = [one for one in statistics if one is not None and one.has_min_max]
    if (
        not known
        or len(known) < len(statistics)
        or not all(type(bound) is int for one in known for bound in (one.min, one.max))
    ):
        return None, None
    return min(one.min for one in known), max(one.max for one in known)


def _of_one_shape(parts: Iterator[Any]) -> Iterator[Values]:
    """The values of a column's parts. Some may have no value in any row, and so no shape by themselves: they have that of the others."""
    waiting: list[Values] = []
    like: Values | None = None
    before = 0
    for part in parts:
        given = of_arrow(part, range(before + 1, before + len(part) + 1))
        before += len(part)
        if given.problem == NO_VALUE:
            waiting.append(given)
        elif like is None:
            like = given
        if like is not None:
            for empty in waiting:
                blank = np.zeros((len(empty.values), *like.values.shape[1:]), like.values.dtype)
                yield Values(blank, empty.stored, np.ones(len(blank), bool), like.problem)
            waiting = []
        if given.problem != NO_VALUE:
            yield given
    yield from waiting


class ArrowFile(_Table):
    """An Arrow file (Feather is one), or an Arrow stream."""

    def __init__(self, path: Path) -> None:
        """Raises StudyError for what is neither."""
        self.path = path
        with self._explained(), self._batches() as reader:
            names = list(reader.schema.names)
        super().__init__(path, names)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        pa = arrow("pyarrow")
        try:
            yield
        except MemoryError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise file_problem(self.path, f"cannot be read as an Arrow file or stream: {error}", CUT) from None

    @contextmanager
    def _batches(self, *columns: int) -> Iterator[Any]:
        """A reader of the batches, of some columns alone where they are said."""
        pa, ipc = arrow("pyarrow"), arrow("pyarrow.ipc")
        options = ipc.IpcReadOptions(included_fields=list(columns), use_threads=False)
        with pa.OSFile(str(self.path)) as file:
            try:
                reader = ipc.open_file(file, options=options)
            except pa.ArrowInvalid:
                file.seek(0)
                if file.read(6) in (b"ARROW1", b"FEA1\0\0"):
                    raise
                file.seek(0)
                reader = ipc.open_stream(file, options=options)
            with reader:
                yield reader

    def _parts(self, name: str) -> Iterator[Any]:
        """A column batch by batch."""
        pa = arrow("pyarrow")
        with self._batches(self.names.index(name)) as reader:
            count = getattr(reader, "num_record_batches", None)
            batches = reader if count is None else map(reader.get_batch, range(count))
            none = True
            for batch in batches:
                none = False
                yield pa.chunked_array([batch.column(0)])
            if none:
                yield pa.chunked_array([], reader.schema.field(0).type)

    def facts(self) -> Mapping[str, Facts] | None:
        """What its batches say without their values; None of a stream, or where values are packed."""
        pa, ipc = arrow("pyarrow"), arrow("pyarrow.ipc")
        try:
            with pa.memory_map(str(self.path)) as mapped, ipc.open_file(mapped) as reader:
                batches = [reader.get_batch(place) for place in range(reader.num_record_batches)]
                batches = [batch for batch in batches if batch.num_rows]
                rows = sum(batch.num_rows for batch in batches)
                facts = {}
                for name in self.names if batches else ():
                    columns = [batch.column(name) for batch in batches]
                    sample = of_arrow(pa.chunked_array([columns[0].slice(0, SAMPLE)]))
                    if sample.problem == NO_VALUE:
                        return None
                    facts[name] = Facts(sample, rows, gaps=any(map(_with_gaps, columns)))
        except (pa.ArrowException, OSError):
            return None
        return facts or None

    def read(self, name: str) -> Values:
        """One of its columns."""
        return joined(self.stretches(name))

    def stretches(self, name: str) -> Iterator[Values]:
        """The same, batch by batch."""
        with self._explained():
            yield from _of_one_shape(self._parts(name))


def _with_gaps(array: Any) -> bool:
    """Whether an array of Arrow, or what its lists hold, has a null."""
    inner = getattr(array, "storage", array)
    return bool(inner.null_count) or (hasattr(inner, "values") and _with_gaps(inner.values))


def of_arrow(column: Any, numbers: Sequence[int] = ()) -> Values:
    """The values of a column of Arrow, by value where it is a dictionary. `numbers` says which row of the file each is, if not from 1 on."""
    pa = arrow("pyarrow")
    kind, rows, shape = column.type, len(column), ()
    stored = str(kind)
    if isinstance(kind, pa.FixedShapeTensorType):
        if kind.permutation is not None and list(kind.permutation) != sorted(kind.permutation):
            return unusable(rows, stored, "the axes of its tensors are permuted: save them in their order")
        shape = tuple(kind.shape)
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        kind = column.type
    if pa.types.is_dictionary(kind):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], kind.value_type)
        kind = column.type
    types = pa.types
    if types.is_null(kind):
        return unusable(rows, stored, NO_VALUE)
    missing = column.is_null().to_numpy() if column.null_count else None
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        if missing is not None:
            column = column.fill_null(pa.scalar(0).cast(kind))
        return of_array(_numpy(column), missing, stored)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        if missing is not None:
            column = column.fill_null("")
        return Values(_numpy(column).astype(object), stored, missing)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _of_lists(column, shape, stored, missing, numbers or range(1, rows + 1))
    return unusable(rows, stored, f"{stored} is neither a number, a bool nor a text")


def _numpy(column: Any) -> Array:
    """The values of a column without nulls. Arrow's own `to_numpy` loads pandas, which takes longer than to check a study."""
    types = arrow("pyarrow").types
    if not (types.is_integer(column.type) or types.is_floating(column.type)):
        array: Array = column.to_numpy()
        return array
    dtype = np.dtype(column.type.to_pandas_dtype())
    parts = [
        np.frombuffer(chunk.buffers()[1], dtype, len(chunk), chunk.offset * dtype.itemsize)
        for chunk in column.chunks
        if len(chunk)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype), *parts])


def _entries(lists: Any) -> tuple[Array, Any]:
    """Of lists of which none is null how many entries each has, and all entries. `pyarrow.compute` has both, and takes longer to load than
    to check a study; `values` is of all rows, also where an array is a slice."""
    if arrow("pyarrow").types.is_fixed_size_list(lists.type):
        size = lists.type.list_size
        return np.full(len(lists), size), lists.values.slice(lists.offset * size, len(lists) * size)
    offsets = _numpy(arrow("pyarrow").chunked_array([lists.offsets]))
    return np.diff(offsets), lists.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


@dataclass(frozen=True)
class _Inner(Sequence[int]):
    """Which row of a file each entry of its lists is of: all have so many entries, and `there` are the rows that have one."""

    rows: Sequence[int]
    there: Array
    length: int

    def __len__(self) -> int:
        return len(self.there) * self.length

    def __getitem__(self, place: Any) -> Any:
        return self.rows[self.there[place // self.length]]


def _of_lists(
    column: Any, shape: tuple[int, ...], stored: str, missing: Array | None, numbers: Sequence[int]
) -> Values:
    """Lists that all have one length, as an axis; a row that is null or holds a null has no value."""
    pa, rows = arrow("pyarrow"), len(column)
    there = np.arange(rows) if missing is None else np.flatnonzero(~missing)
    if not len(there):
        return unusable(rows, stored, NO_VALUE)
    column = column if missing is None else column.drop_null()
    entries = [_entries(chunk) for chunk in column.chunks if len(chunk)]
    lengths = np.concatenate([counts for counts, _ in entries])
    if (different := lengths != lengths[0]).any():
        place = int(np.argmax(different))
        row, first = numbers[there[place]], numbers[there[0]]
        if row == first:
            message = f"row {row} has lists of {lengths[0]} and of {lengths[place]} entries"
        else:
            message = f"row {row} has {lengths[place]} entries, and row {first} has {lengths[0]}"
        return unusable(rows, stored, f"{message}: an array has one shape")
    inner = of_arrow(
        pa.chunked_array([flat for _, flat in entries], column.type.value_type), _Inner(numbers, there, lengths[0])
    )
    if inner.problem:
        return unusable(rows, stored, inner.problem)
    if not lengths[0]:
        return unusable(rows, stored, "its rows are empty")
    if inner.values.dtype == object:
        return unusable(rows, stored, "an array of texts with several axes is not a column")
    shape = shape or (int(lengths[0]),)
    values = inner.values.reshape(len(there), *shape, *inner.values.shape[1:])
    gaps = inner.missing.reshape(len(there), -1).any(axis=1) if inner.missing is not None else None
    if len(there) < rows or gaps is not None:
        whole = np.zeros((rows, *values.shape[1:]), values.dtype)
        whole[there] = values
        lacking = np.ones(rows, bool)
        lacking[there] = False if gaps is None else gaps
        return Values(whole, stored, lacking)
    assert prod(values.shape[1:])
    return Values(values, stored)
