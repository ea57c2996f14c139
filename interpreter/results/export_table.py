"""A run's numbers as one table in a file: finals, one row a replicate, or curves, one row a number; CSV or Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from .errors import StoreError, explained
from .replicates import final_of
from .run_list import RunRecord

ENDINGS = (".csv", ".parquet")
STATUS = "status"


def export(run: RunRecord, path: Path, finals: bool) -> int:
    """Writes the table, in the format that the path's ending says; returns its rows. Raises StoreError."""
    if path.suffix not in ENDINGS:
        raise StoreError(f"{path}: the ending is neither .csv nor .parquet", "It says which format is written.")
    with explained(path.parent):
        if finals:
            table = _finals(run)
            (csv.write_csv if path.suffix == ".csv" else pq.write_table)(table, path)
            return int(table.num_rows)
        return _curves(run, path)


def _curves(run: RunRecord, path: Path) -> int:
    """Batch after batch, so that a large run needs little memory."""
    source = run.folder / "curves.parquet"
    try:
        with pq.ParquetFile(source) as held:
            rows = int(held.metadata.num_rows)
            made = csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
            told = _with_status(run) if STATUS not in held.schema_arrow.names else lambda batch: batch
            with made(path, told(held.schema_arrow.empty_table()).schema) as writer:
                for batch in held.iter_batches():
                    writer.write_table(told(pa.Table.from_batches([batch])))
    except (pa.ArrowInvalid, FileNotFoundError) as error:
        hint = "The replicates are still in the store: run the study again."
        raise StoreError(f"{source}: cannot be read: {str(error).splitlines()[0]}", hint) from error
    return rows


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


def _finals(run: RunRecord) -> pa.Table:
    replicates = [{**replicate, "final": final_of(replicate)} for replicate in run.read("cells.json")]
    constants = list(dict.fromkeys(name for replicate in replicates for name in replicate["constants"]))
    measures = list(dict.fromkeys(name for replicate in replicates for name in replicate["final"]))
    rows: list[dict[str, Any]] = []
    for replicate in replicates:
        row = {
            name: replicate[name]
            for name in ("experiment", "variant", "replicate", "digest", "status", "steps", "seconds")
        }
        row |= {name: _plain(replicate["constants"].get(name)) for name in constants}
        for name in measures:
            if name in replicate["final"]:
                row |= _spread(name, replicate["final"][name])
        rows.append(row)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in columns})


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _spread(name: str, value: Any) -> dict[str, Any]:
    """A measure's final in a column, an array's in one an entry."""
    if not isinstance(value, list):
        return {name: value}
    return {key: item for place, inner in enumerate(value) for key, item in _spread(f"{name}[{place}]", inner).items()}
