"""A run's numbers as one table in a file: finals, one row a replicate, or curves, one row a number; CSV or Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from .atomic_files import replace_file
from .errors import StoreError, explained
from .replicates import final_of
from .run_list import RunRecord

ENDINGS = (".csv", ".parquet")
STATUS = "status"
CURVES = "curves.parquet"
FIXED = ("experiment", "variant", "replicate", "digest", "status", "steps", "seconds")
"""The columns that all finals have."""


def export(run: RunRecord, path: Path, finals: bool) -> int:
    """Writes the table, whole or not at all, in the format that the path's ending says; returns its rows. Raises StoreError."""
    if path.suffix not in ENDINGS:
        raise StoreError(f"{path}: the ending is neither .csv nor .parquet", "It says which format is written.")
    with explained(path.parent):
        if finals:
            table = finals_table(run)
            write = csv.write_csv if path.suffix == ".csv" else pq.write_table
            replace_file(path, lambda stream: write(table, stream))
            return int(table.num_rows)
        return _curves(run, path)


def _curves(run: RunRecord, path: Path) -> int:
    """Batch after batch, so that a large run needs little memory."""
    source = run.folder / CURVES
    with curves_readable(source), pq.ParquetFile(source) as held:
        made = csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
        told = _with_status(run) if STATUS not in held.schema_arrow.names else lambda batch: batch

        def fill(stream: IO[bytes]) -> None:
            with made(stream, told(held.schema_arrow.empty_table()).schema) as writer:
                for batch in held.iter_batches():
                    writer.write_table(told(pa.Table.from_batches([batch])))

        replace_file(path, fill)
        return int(held.metadata.num_rows)


def curves_table(run: RunRecord, chosen: Mapping[str, str]) -> pa.Table:
    """A run's curves, one row a number, of what is chosen: `{"experiment": NAME, "measure": NAME}`. Raises StoreError."""
    source = run.folder / CURVES
    filters = [(name, "==", value) for name, value in chosen.items()]
    with curves_readable(source):
        table = pq.read_table(source, filters=filters or None)
        return table if STATUS in table.column_names else _with_status(run)(table)


@contextmanager
def curves_readable(source: Path) -> Iterator[None]:
    """Turns what is said of a file of curves that cannot be read into a StoreError."""
    hint = "The replicates are still in the store: run the study again."
    if not source.is_file():
        raise StoreError(f"{source}: cannot be read: there is no such file", hint)
    try:
        yield
    except pa.ArrowInvalid as error:
        raise StoreError(f"{source}: cannot be read: {str(error).splitlines()[0]}", hint) from error


def _with_status(run: RunRecord) -> Callable[[pa.Table], pa.Table]:
    """Gives curves of a run of before, whose file does not say it, how their replicates ended; null where that can't be read."""
    try:
        replicates = run.read("cells.json")
    except StoreError:
        replicates = []
    ended = {(c["experiment"], c["variant"], _text(c["constants"]), c["replicate"]): c["status"] for c in replicates}

    def with_status(table: pa.Table) -> pa.Table:
        names = ("experiment", "variant", "constants", "replicate")
        places = zip(*(table.column(name).to_pylist() for name in names), strict=True)
        column = pa.array([ended.get(place) for place in places], pa.string())
        return table.add_column(table.schema.get_field_index("measure"), STATUS, column)

    return with_status


def _text(constants: Any) -> str:
    return json.dumps(dict(constants), sort_keys=True)


def column_name(kind: str, name: str, taken: Collection[str]) -> str:
    """The column of an axis or a measure: its name, or `KIND.NAME` where the table has such a column already.

    >>> column_name("axis", "d", {"steps"}), column_name("axis", "steps", {"steps"})
    ('d', 'axis.steps')
    """
    return f"{kind}.{name}" if name in taken else name


def axis_columns(replicates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The columns of the axes of some entries of `cells.json`."""
    names = dict.fromkeys(name for replicate in replicates for name in replicate["constants"])
    return {name: column_name("axis", name, FIXED) for name in names}


def finals_table(run: RunRecord, experiment: str | None = None) -> pa.Table:
    """A run's finals, one row a replicate, of all experiments or of one. Raises StoreError."""
    replicates = [
        {**replicate, "final": final_of(replicate)}
        for replicate in run.read("cells.json")
        if experiment is None or replicate["experiment"] == experiment
    ]
    axes = axis_columns(replicates)
    taken = {*FIXED, *axes.values()}
    rows: list[dict[str, Any]] = []
    for replicate in replicates:
        row = {name: replicate[name] for name in FIXED}
        row |= {column: _plain(replicate["constants"].get(name)) for name, column in axes.items()}
        for name, value in replicate["final"].items():
            row |= _spread(column_name("measure", name, taken), value)
        rows.append(row)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _of_one_kind([row.get(name) for row in rows]) for name in columns})


def _of_one_kind(values: list[Any]) -> list[Any]:
    """The values of a column; as text where some are text and others are numbers."""
    kinds = {type(value) is str for value in values if value is not None}
    return [value if value is None else str(value) for value in values] if len(kinds) > 1 else values


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _spread(name: str, value: Any) -> dict[str, Any]:
    """A measure's final in a column, an array's in one an entry."""
    if not isinstance(value, list):
        return {name: value}
    return {key: item for place, inner in enumerate(value) for key, item in _spread(f"{name}[{place}]", inner).items()}
