"""A run's numbers as one table in a file: finals, one row a replicate, or curves, one row a number; CSV or Parquet."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from dlspec import spec

from .array_entries import entry_name
from .atomic_files import replace_file
from .errors import StoreError, explained
from .replicates import DONE, final_of
from .run_list import RunRecord
from .table_columns import MEANINGS, axis_array, axis_names, column_name, counted, described, subscript

ENDINGS = (".csv", ".parquet")
STATUS = "status"
CURVES = "curves.parquet"
FIXED = ("experiment", "variant", "replicate", "digest", "status", "steps", "seconds")
"""The columns that all finals have."""
OF_CURVES = (
    "experiment",
    "variant",
    "replicate",
    "digest",
    "status",
    "measure",
    "index",
    "entry",
    "step",
    "value",
    "error",
    "bias",
)
"""The columns that all curves have."""
KINDS = {"replicate": pa.int64(), "index": pa.int64(), "steps": pa.int64(), "seconds": pa.float64()}
"""Of columns that are no text; the same in all tables, since some readers join columns of one kind alone."""


def export(run: RunRecord, path: Path, finals: bool, long: bool = False) -> int:
    """Writes the table, whole or not at all, in the format that the path's ending says; returns its rows. Raises StoreError.

    Finals have a column a measure, and one an entry of an array; `long` ones have a row each.
    """
    if path.suffix not in ENDINGS:
        raise StoreError(
            f"{path}: the ending is neither .csv nor .parquet", "Write `.csv` or `.parquet`: it sets the format."
        )
    with explained(path.parent):
        if finals or long:
            table = long_finals_table(run) if long else finals_table(run)
            table = described(table, _axis_meanings(table) if long else _meanings(run, table), _about(run))
            write = (
                csv.write_csv
                if path.suffix == ".csv"
                else partial(pq.write_table, write_statistics=counted(table.schema))
            )
            replace_file(path, lambda stream: write(table, stream))
            return int(table.num_rows)
        return _curves(run, path)


def _curves(run: RunRecord, path: Path) -> int:
    """Batch after batch, so that a large run needs little memory."""
    source = run.folder / CURVES
    with curves_readable(source), pq.ParquetFile(source) as held:
        layout = _Layout(run, _points(held))

        def fill(stream: IO[bytes]) -> None:
            schema = layout.table(held.schema_arrow.empty_table()).schema
            writer = (
                csv.CSVWriter(stream, schema)
                if path.suffix == ".csv"
                else pq.ParquetWriter(stream, schema, write_statistics=counted(schema))
            )
            with writer:
                for batch in held.iter_batches():
                    writer.write_table(layout.table(pa.Table.from_batches([batch])))

        replace_file(path, fill)
        return int(held.metadata.num_rows)


def curves_table(run: RunRecord, chosen: Mapping[str, str]) -> pa.Table:
    """A run's curves, one row a number, of what is chosen: `{"experiment": NAME, "measure": NAME}`. Raises StoreError."""
    source = run.folder / CURVES
    filters = [(name, "==", value) for name, value in chosen.items()]
    with curves_readable(source):
        table = pq.read_table(source, filters=filters or None)
        points = table.column("constants").unique().to_pylist()
        return _Layout(run, points).table(table)


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


def _points(file: pq.ParquetFile) -> list[str]:
    """The sweep points of a file of curves, each as it is written there."""
    points: dict[str, None] = {}
    for batch in file.iter_batches(columns=["constants"]):
        points.update(dict.fromkeys(batch.column(0).unique().to_pylist()))
    return list(points)


class _Layout:
    """How curves are laid out: a column an axis in place of the sweep points, how replicates ended, and the entries of arrays."""

    def __init__(self, run: RunRecord, points: Sequence[str]) -> None:
        self.codes = {text: code for code, text in enumerate(points)}
        values = [json.loads(text) for text in points]
        try:
            replicates = run.read("cells.json")
        except StoreError:  # its curves are there all the same
            replicates = []
        there = {name for point in values for name in point}
        in_order = [name for replicate in replicates for name in replicate["constants"] if name in there]
        columns = axis_names([dict.fromkeys(in_order), *values], OF_CURVES)
        self.axes = {column: axis_array([point.get(name) for point in values]) for name, column in columns.items()}
        self.ended = {
            (c["experiment"], c["variant"], _text(c["constants"]), c["replicate"]): c["status"] for c in replicates
        }
        self.shapes = {
            (one["experiment"], one["variant"], _text(one["constants"]), name): np.shape(value)
            for one in replicates
            for name, value in one["final"].items()
        }
        self.meanings = {column: f"the axis {name}" for name, column in columns.items()}
        self.about = _about(run)

    def table(self, table: pa.Table) -> pa.Table:
        """Some rows of the run's own file, laid out."""
        points = table.column("constants").to_pylist()
        at = pa.array([self.codes[text] for text in points], pa.int32())
        columns: dict[str, Any] = {name: table.column(name) for name in ("experiment", "variant")}
        columns |= {name: values.take(at) for name, values in self.axes.items()}
        for name in OF_CURVES[2:]:
            if name == STATUS and name not in table.column_names:
                names = ("experiment", "variant", "constants", "replicate")
                places = zip(*(table.column(part).to_pylist() for part in names), strict=True)
                columns[name] = pa.array([self.ended.get(place) for place in places], pa.string())
            elif name == "entry":
                columns[name] = self._entries(table)
            elif name in table.column_names:
                columns[name] = table.column(name).cast(KINDS.get(name, table.column(name).type))
        return described(pa.table(columns), self.meanings, self.about)

    def _entries(self, table: pa.Table) -> pa.Array:
        """The entries of arrays as they are written, which needs their shapes: those of one measure differ where an axis sizes it."""
        names = (table.column(name).to_pylist() for name in ("experiment", "variant", "constants", "measure", "index"))
        known: dict[tuple[str, str, str, str, int], str] = {}

        def entry(experiment: str, variant: str, constants: str, measure: str, index: int) -> str:
            place = (experiment, variant, constants, measure, index)
            if place not in known:
                known[place] = subscript(index, self.shapes.get(place[:4], ()))
            return known[place]

        return pa.array([entry(*place) for place in zip(*names, strict=True)], pa.string())


def _text(constants: Any) -> str:
    return json.dumps(dict(constants), sort_keys=True)


def axis_columns(replicates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The columns of the axes of some entries of `cells.json`."""
    return axis_names([replicate["constants"] for replicate in replicates], FIXED)


def _replicates(run: RunRecord, experiment: str | None) -> list[dict[str, Any]]:
    return [
        {**replicate, "final": final_of(replicate)}
        for replicate in run.read("cells.json")
        if experiment is None or replicate["experiment"] == experiment
    ]


def _lead(replicates: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """The columns that tell replicates apart and say how they ended."""
    columns = {
        name: pa.array([replicate[name] for replicate in replicates], KINDS.get(name, pa.string())) for name in FIXED
    }
    for name, column in axis_columns(replicates).items():
        columns[column] = axis_array([replicate["constants"].get(name) for replicate in replicates])
    return columns


def finals_table(run: RunRecord, experiment: str | None = None) -> pa.Table:
    """A run's finals, one row a replicate, of all experiments or of one. Raises StoreError."""
    replicates = _replicates(run, experiment)
    columns = _lead(replicates)
    rows: list[dict[str, Any]] = []
    for replicate in replicates:
        finals = replicate["final"].items()
        rows.append(
            {
                key: _number(item, replicate)
                for name, value in finals
                for key, item in spread(column_name("measure", name, columns), value)
            }
        )
    for name in dict.fromkeys(name for row in rows for name in row):
        columns[name] = pa.array([row.get(name) for row in rows], pa.float64())
    return pa.table(columns)


def long_finals_table(run: RunRecord) -> pa.Table:
    """A run's finals, one row a number: of an array one an entry. Raises StoreError."""
    replicates = _replicates(run, None)
    rows = [
        (place, name, key, _number(value, replicate))
        for place, replicate in enumerate(replicates)
        for name, final in replicate["final"].items()
        for key, value in spread("", final)
    ]
    at = pa.array([row[0] for row in rows], pa.int64())
    columns = {name: values.take(at) for name, values in _lead(replicates).items()}
    kinds = (("measure", pa.string()), ("entry", pa.string()), ("value", pa.float64()))
    own = {name: pa.array([row[number] for row in rows], kind) for number, (name, kind) in enumerate(kinds, 1)}
    return pa.table(
        {column_name("axis", name, own) if name in own else name: value for name, value in columns.items()} | own
    )


def _number(value: Any, replicate: Mapping[str, Any]) -> float | None:
    """A final: NaN where it is undefined, nothing where the replicate is not done and has none."""
    if value is None:
        return math.nan if replicate["status"] == DONE else None
    return float(value)


def spread(name: str, value: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """A measure's final under its name, an array's entries each under its own."""
    if not isinstance(value, list):
        yield entry_name(name, place), value
        return
    for index, inner in enumerate(value):
        yield from spread(name, inner, (*place, index))


def _about(run: RunRecord) -> dict[str, str]:
    """What a table is of, for its schema."""
    overrides = " ".join(run.overrides)
    return {"run": run.name, "study": run.study, "profile": run.profile, "overrides": overrides}


def _axis_meanings(table: pa.Table) -> dict[str, str]:
    """The columns that are none of those that all finals have, and so are axes."""
    return {name: f"the axis {name.removeprefix('axis.')}" for name in table.column_names if name not in MEANINGS}


def _meanings(run: RunRecord, table: pa.Table) -> dict[str, str]:
    """The study's own columns of finals: axes, and measures as they are written, where the study can still be read."""
    from dlspec.spec.resolve.measure_texts import measure_texts

    cells = run.read("cells.json")
    axes = axis_columns(cells)
    meanings = {column: f"the axis {name}" for name, column in axes.items()}
    try:
        texts = measure_texts(spec.load(run.folder / "spec.yaml"))
    except spec.StudyError:  # of another version of the language
        return meanings
    for cell in cells:
        for name, value in cell["final"].items():
            text = texts.get(cell["experiment"], {}).get(name, "")
            column = column_name("measure", name, (*FIXED, *axes.values()))
            meanings |= {key: text for key, _ in spread(column, value) if key not in meanings}
    return meanings
