"""The files of stored cells: a part holds what one piece of a program gave, its curves in Parquet, its samples in npz.

A part's name ends in the checksum of its bytes, so that a file that is not what was written is known without the index.
Its Parquet schema carries what the index says of it, so that the index can be made anew.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dlspec.spec.identity import LANGUAGE, NUMERICS

from ..results import Array, Cell, Curve
from ..store_errors import Damaged
from ..wanted import Piece, Wanted
from . import atomic

FORMAT = 1
ABOUT = b"dlspec"
CHANGED = "its bytes are not those that were written"
CURVES = pa.schema(
    [("replicate", pa.int32()), ("measure", pa.string()), ("step", pa.int64()), ("index", pa.int32()), ("value", pa.float64())]
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part that was read and found whole: what it says of itself, and its values in the order of `about`."""

    path: Path
    about: Mapping[str, Any]
    values: Array

    @property
    def samples(self) -> Path | None:
        """Its file of samples."""
        name = self.about["samples"]
        return self.path.parent / name if name else None

    @cached_property
    def held(self) -> dict[str, tuple[Mapping[str, Any], int]]:
        """What it says of each cell by its key, and where the cell's values begin."""
        found, start = {}, 0
        for cell in self.about["cells"]:
            found[cell["key"]] = (cell, start)
            start += sum(_size(item, len(cell["steps"])) for item in cell["measures"])
        return found

    def cell(self, wanted: Wanted, replicate: int, key: str) -> Cell:
        """A stored cell as it is wanted: under the program's names, at the steps it asks for."""
        held, start = self.held[key]
        cell = wanted.cell(replicate, key)
        cell.status, cell.message, cell.end, cell.cause = held["status"], held["message"], held["end"], held["cause"]
        cell.seconds, cell.compiled, cell.stored = held["seconds"], held["compiled"], True
        steps = set(wanted.steps)
        kept = [place for place, step in enumerate(held["steps"]) if step in steps]
        cell.steps = [held["steps"][place] for place in kept]
        curves: dict[str, Array] = {}
        for item in held["measures"]:
            size = _size(item, len(held["steps"]))
            values = self.values[start : start + size].reshape(len(held["steps"]), *item["shape"])
            curves[item["digest"]] = values if len(kept) == len(held["steps"]) else values[kept]
            start += size
        cell.curves = {name: Curve(curves[item]) for name, item in wanted.measures.items()} if kept else {}
        if self.samples is not None and wanted.samples:
            cell.samples = StoredSamples(self.samples, held["replicate"], wanted, held["samples"])
        return cell


class StoredSamples(Mapping[str, dict[int, dict[str, Array]]]):
    """A stored cell's samples, read when they are asked for: figure → step → label → [examples, …]."""

    def __init__(self, path: Path, replicate: int, wanted: Wanted, held: Mapping[str, Sequence[int]]) -> None:
        self.path = path
        self.replicate = replicate
        self.labels = wanted.samples
        self.steps = {
            figure: [step for step in steps if all(step in held.get(item, ()) for item in wanted.samples[figure].values())]
            for figure, steps in wanted.sample_steps.items()
        }  # fmt: skip

    def __getitem__(self, figure: str) -> dict[int, dict[str, Array]]:
        if not self.steps[figure]:
            raise KeyError(figure)
        with np.load(self.path, allow_pickle=False) as held:
            return {
                step: {label: held[_entry(self.replicate, item, step)] for label, item in self.labels[figure].items()}
                for step in self.steps[figure]
            }

    def __iter__(self) -> Iterator[str]:
        return (figure for figure, steps in self.steps.items() if steps)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def write(folder: Path, piece: Piece, cells: Sequence[Cell], packages: Mapping[str, str], mark: str) -> Path:
    """Writes a part and its samples, the part last: what is there is whole. Raises OSError."""
    folder = _folder(folder, piece.name)
    samples, described = _samples(piece, cells)
    name = None
    if samples:
        name = atomic.write(
            folder, lambda stream: _save(stream, samples), lambda sum_: f"{piece.name}.{sum_}.npz", mark
        ).name
    about: dict[str, Any] = {
        "format": FORMAT, "language": LANGUAGE, "numerics": NUMERICS, "digest": piece.wanted.digest,
        "device": piece.wanted.device, "program": piece.program.name, "study": piece.program.study,
        "packages": dict(packages), "created": datetime.now(UTC).isoformat(timespec="microseconds"), "samples": name,
        "cells": [_about(piece, cell, shown) for cell, shown in zip(cells, described, strict=True)],
    }  # fmt: skip
    table = _table(about["cells"], cells, piece.wanted).replace_schema_metadata({ABOUT: json.dumps(about).encode()})
    return atomic.write(
        folder, lambda stream: pq.write_table(table, stream), lambda sum_: f"{piece.name}.{sum_}.parquet", mark
    )


def read(folder: Path, name: str, samples: bool = True) -> Part:
    """Reads a part by its file's name. Raises Damaged where it, or its samples, are not what was written."""
    path = _folder(folder, name) / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Damaged(path, error.strerror or str(error)) from error
    if atomic.checksum_of(content) != name.split(".")[1]:
        raise Damaged(path, CHANGED)
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as stream:
            about = json.loads(stream.schema_arrow.metadata[ABOUT])
            values = stream.read(columns=["value"], use_threads=False).column("value").to_numpy()
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise Damaged(path, str(error).split("\n")[0]) from error
    part = Part(path, about, values)
    if samples and part.samples is not None:
        checked(part.samples)
    return part


def checked(path: Path) -> None:
    """Raises Damaged unless a file's checksum is the one in its name."""
    try:
        found = atomic.checksum(path)
    except OSError as error:
        raise Damaged(path, error.strerror or str(error)) from error
    if found != path.name.split(".")[1]:
        raise Damaged(path, CHANGED)


def found(folder: Path, piece: str) -> list[str]:
    """The files that hold a piece, by its name: there is one at most, unless a process was killed at replacing it."""
    return sorted(path.name for path in _folder(folder, piece).glob(f"{piece}.*.parquet"))


def every(folder: Path) -> Iterator[Path]:
    """All parts."""
    yield from sorted(folder.glob("??/*.parquet"))


def remove(folder: Path, name: str, samples: str | None) -> int:
    """Removes a part and its samples; returns the bytes that this frees."""
    freed = 0
    for file in (name, samples):
        path = _folder(folder, name) / file if file else None
        if path is not None and path.exists():
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def _folder(folder: Path, name: str) -> Path:
    return folder / name[:2]


def _size(item: Mapping[str, Any], steps: int) -> int:
    return steps * int(math.prod(item["shape"]))


def _entry(replicate: int, item: str, step: int) -> str:
    return f"{replicate}/{item}/{step}"


def _about(piece: Piece, cell: Cell, samples: Mapping[str, list[int]]) -> dict[str, Any]:
    names = {item: name for name, item in piece.wanted.measures.items()}
    measures = [
        {"digest": item, "name": name, "shape": list(np.shape(cell.curves[name][0]))}
        for item, name in names.items()
        if cell.curves.get(name)
    ]
    cause = piece.wanted.measures[cell.cause] if cell.cause else ""
    return {
        "key": cell.key, "replicate": cell.replicate, "status": cell.status, "message": cell.message, "end": cell.end,
        "cause": cause, "seconds": cell.seconds, "compiled": cell.compiled, "steps": list(cell.steps),
        "measures": measures, "samples": dict(samples),
    }  # fmt: skip


def _table(described: Sequence[Mapping[str, Any]], cells: Sequence[Cell], wanted: Wanted) -> pa.Table:
    """A row a number, in the order of the description: cell, measure, step, index."""
    batches = []
    for about, cell in zip(described, cells, strict=True):
        for item in about["measures"]:
            values = np.asarray(cell.curves[item["name"]], dtype=np.float64)
            width = math.prod(item["shape"])
            columns = [
                pa.array(np.full(values.size, cell.replicate), pa.int32()), pa.repeat(item["name"], values.size),
                pa.array(np.repeat(cell.steps, width), pa.int64()),
                pa.array(np.tile(np.arange(width), len(cell.steps)), pa.int32()), pa.array(values.ravel(), pa.float64()),
            ]  # fmt: skip
            batches.append(pa.record_batch(columns, schema=CURVES))
    return pa.Table.from_batches(batches, CURVES)


def _samples(piece: Piece, cells: Sequence[Cell]) -> tuple[dict[str, Array], list[dict[str, list[int]]]]:
    """The samples of all cells by their entries, and for each cell at which steps it has which."""
    entries: dict[str, Array] = {}
    described = []
    for cell in cells:
        shown: dict[str, list[int]] = {}
        for figure, labels in piece.wanted.samples.items():
            for step, values in cell.samples.get(figure, {}).items():
                for label, item in labels.items():
                    if step not in shown.setdefault(item, []):
                        shown[item].append(step)
                    entries[_entry(cell.replicate, item, step)] = values[label]
        described.append(shown)
    return entries, described


def _save(stream: IO[bytes], arrays: Mapping[str, Array]) -> None:
    """As `np.savez_compressed`, whatever the entries are called."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(value), allow_pickle=False)
