"""The result files of a store: one holds the results of one replicate batch, its curves in Parquet, its samples in npz beside it.

The name of a result file ends in the checksum of its bytes, so that a damaged file is recognised without the index.
Its Parquet schema carries what the index says of it, so that the index can be made anew.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dlspec.spec.passes.digests import LANGUAGE, NUMERICS

from ..results import atomic_files
from ..results.errors import Damaged
from ..results.npz import write_npz
from ..results.replicates import BESIDE, Array, Replicate
from ..results.table_columns import beside_column
from .lazy_arrays import Numbers, Stored, StoredCurves, StoredSamples, entry
from .requests import CellRequest, ReplicateBatch

FORMAT = 1
METADATA_KEY = b"dlspec"
BYTES_CHANGED = "its bytes are not those that were written"
CURVES = pa.schema(
    [
        ("replicate", pa.int32()), ("measure", pa.string()), ("step", pa.int64()), ("index", pa.int32()), ("value", pa.float64()),
        ("error", pa.float64()), ("bias", pa.float64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class FileStat:
    """A file's size, and the time of its last change in ns: as long as both stay, its bytes count as unchanged."""

    size: int
    changed: int

    @staticmethod
    def of(path: str | Path) -> FileStat | None:
        """The present stamp of a file; none if it cannot be looked at."""
        try:
            found = os.stat(path)
        except OSError:
            return None
        return FileStat(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class IndexEntry:
    """What the index stores of a result file: its header as JSON, and the size and time of change of its files."""

    about: str
    stamp: FileStat
    sampled: FileStat | None


@dataclass(frozen=True)
class ResultFile:
    """A result file whose checksum was right: its header, and the size and time of change of its files at that time.

    `sampled` is that of its samples; None where it has none, or where they were not checked.
    """

    folder: Path
    name: str
    about: Mapping[str, Any]
    stamp: FileStat
    sampled: FileStat | None = None

    @property
    def samples(self) -> Path | None:
        """Its file of samples."""
        name = self.about["samples"]
        return _folder(self.folder, self.name) / name if name else None

    @cached_property
    def held(self) -> dict[str, Mapping[str, Any]]:
        """What it says of each replicate by its key."""
        return {replicate["key"]: replicate for replicate in self.about["cells"]}

    @property
    def rows(self) -> int:
        """How many rows the program had that its replicates were trained in; 0 where it was not kept."""
        return max(int(replicate.get("rows", 0)) for replicate in self.about["cells"])

    def replicate(self, request: CellRequest, number: int, key: str, numbers: Numbers) -> Replicate:
        """A stored replicate as it is wanted: under the program's names, at the steps it asks for; its numbers are read later."""
        held = self.held[key]
        replicate = request.replicate(number, key)
        replicate.status, replicate.message, replicate.end = held["status"], held["message"], held["end"]
        replicate.seconds, replicate.compiled, replicate.stored = held["seconds"], held["compiled"], True
        replicate.rows = held.get("rows", 0)
        replicate.made_by = self.about.get("packages") or {}
        steps = tuple(held["steps"])
        if steps == request.steps:
            replicate.steps, places = list(request.steps), None
        else:
            places = [place for place, step in enumerate(steps) if step in request.steps]
            replicate.steps = [steps[place] for place in places]
        if replicate.steps:
            replicate.curves = StoredCurves(numbers.curves, self.name, key, request.measures, places, request.counted)
            for column in BESIDE:
                if found := _beside(column, held["measures"], request):
                    read = partial(numbers.beside, column)
                    replicate.beside[column] = StoredCurves(read, self.name, key, found, places)
        if self.samples is not None and request.samples:
            replicate.samples = StoredSamples(numbers, self.samples, held["replicate"], request, held)
        return replicate


def _beside(column: str, measures: Sequence[Mapping[str, Any]], request: CellRequest) -> dict[str, str]:
    """The wanted measures with numbers in a column beside their values, of this version: digests by name."""
    there = {item["digest"] for item in measures if item.get(column) == BESIDE[column]}
    return {name: item for name, item in request.measures.items() if item in there}


def write(
    folder: Path, batch: ReplicateBatch, replicates: Sequence[Replicate], packages: Mapping[str, str], mark: str
) -> Path:
    """Writes a result file and its samples, itself last: what is there is whole. Raises OSError."""
    folder = _folder(folder, batch.name)
    samples, described = _samples(batch, replicates)
    name = None
    if samples:
        name = atomic_files.write(
            folder, lambda stream: write_npz(stream, samples.items()), lambda sum_: f"{batch.name}.{sum_}.npz", mark
        ).name
    about: dict[str, Any] = {
        "format": FORMAT, "language": LANGUAGE, "numerics": NUMERICS, "digest": batch.request.digest,
        "device": batch.request.device, "program": batch.program.name, "study": batch.program.study,
        "packages": dict(packages), "created": datetime.now(UTC).isoformat(timespec="microseconds"), "samples": name,
        "cells": [_about(batch, replicate, shown) for replicate, shown in zip(replicates, described, strict=True)],
    }  # fmt: skip
    table = _table(about["cells"], replicates, batch.request).replace_schema_metadata(
        {METADATA_KEY: json.dumps(about).encode()}
    )
    return atomic_files.write(
        folder, lambda stream: pq.write_table(table, stream), lambda sum_: f"{batch.name}.{sum_}.parquet", mark
    )


def read(folder: Path, name: str, samples: bool = True) -> ResultFile:
    """Reads a result file by its name. Raises Damaged where it, or its samples, are not what was written."""
    path = _folder(folder, name) / name
    content, stamp = _content(path)
    about = _described(path, content)
    sampled = checked(path.parent / about["samples"]) if samples and about["samples"] else None
    return ResultFile(folder, name, about, stamp, sampled)


def known(folder: Path, name: str, samples: bool, seen: IndexEntry | None) -> ResultFile | None:
    """A result file as it was found whole before, unread, if none of its files was changed since; else nothing."""
    if seen is None or FileStat.of(f"{folder}/{name[:2]}/{name}") != seen.stamp:
        return None
    about = json.loads(seen.about)
    if samples and about["samples"]:
        sampled = FileStat.of(_folder(folder, name) / about["samples"])
        if sampled is None or sampled != seen.sampled:
            return None
    return ResultFile(folder, name, about, seen.stamp, seen.sampled)


def numbers(folder: Path, name: str) -> Stored:
    """The curves in a result file, and what it has beside them. Raises Damaged."""
    path = _folder(folder, name) / name
    content, _ = _content(path)
    about = _described(path, content)
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as stream:
            measures = [item for replicate in about["cells"] for item in replicate["measures"]]
            columns = ["value", *(column for column in BESIDE if any(item.get(column) for item in measures))]
            table = stream.read(columns=columns, use_threads=False)
        arrays = {column: table.column(column).to_numpy() for column in columns}
        found: dict[str, dict[str, dict[str, Array]]] = {column: {} for column in ("value", *BESIDE)}
        start = 0
        for replicate in about["cells"]:
            own = {column: each.setdefault(replicate["key"], {}) for column, each in found.items()}
            for item in replicate["measures"]:
                shape = (len(replicate["steps"]), *item["shape"])
                end = start + math.prod(shape)
                for column, array in arrays.items():
                    if column == "value" or item.get(column):
                        own[column][item["digest"]] = array[start:end].reshape(shape)
                start = end
        return Stored(found.pop("value"), found)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise Damaged(path, str(error).split("\n")[0]) from error


def _content(path: Path) -> tuple[bytes, FileStat]:
    """The bytes of a result file, compared with the checksum in its name, and its stamp from before they were read."""
    try:
        with path.open("rb") as stream:
            found = os.fstat(stream.fileno())
            content = stream.read()
    except OSError as error:
        raise Damaged(path, error.strerror or str(error)) from error
    if atomic_files.checksum_of(content) != path.name.split(".")[1]:
        raise Damaged(path, BYTES_CHANGED)
    return content, FileStat(found.st_size, found.st_mtime_ns)


def _described(path: Path, content: bytes) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(pq.read_schema(pa.BufferReader(content)).metadata[METADATA_KEY])
        return about
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise Damaged(path, str(error).split("\n")[0]) from error


def checked(path: Path) -> FileStat:
    """The stamp of a file whose checksum is the one in its name. Raises Damaged where it is another."""
    stamp = FileStat.of(path)
    try:
        found = atomic_files.checksum(path)
    except OSError as error:
        raise Damaged(path, error.strerror or str(error)) from error
    if stamp is None or found != path.name.split(".")[1]:
        raise Damaged(path, BYTES_CHANGED)
    return stamp


def files_of(folder: Path, batch: str) -> list[str]:
    """The files that hold a replicate batch, by its name: there is one at most, unless a process was killed at replacing it."""
    return sorted(path.name for path in _folder(folder, batch).glob(f"{batch}.*.parquet"))


def every(folder: Path) -> Iterator[Path]:
    """All result files."""
    yield from sorted(folder.glob("??/*.parquet"))


def remove(folder: Path, name: str, samples: str | None) -> int:
    """Removes a result file and its samples; returns the bytes that this frees."""
    freed = 0
    for file in (name, samples):
        path = _folder(folder, name) / file if file else None
        if path is not None and path.exists():
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def remove_all_but(folder: Path, batch: str, file: ResultFile) -> None:
    """Removes result files of a replicate batch that a process was killed before it could list."""
    kept = {file.name, file.about["samples"]}
    for path in _folder(folder, batch).glob(f"{batch}.*"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _folder(folder: Path, name: str) -> Path:
    return folder / name[:2]


def _about(batch: ReplicateBatch, replicate: Replicate, samples: Mapping[str, list[int]]) -> dict[str, Any]:
    names = {item: name for name, item in batch.request.measures.items()}
    measures = [
        {
            "digest": item, "name": name, "shape": list(np.shape(replicate.curves[name][0])),
            **{column: BESIDE[column] for column, curves in replicate.beside.items() if name in curves},
        }
        for item, name in names.items()
        if replicate.curves.get(name)
    ]  # fmt: skip
    return {
        "key": replicate.key, "replicate": replicate.number, "status": replicate.status, "message": replicate.message, "end": replicate.end,
        "seconds": replicate.seconds, "compiled": replicate.compiled, "rows": replicate.rows, "steps": list(replicate.steps),
        "measures": measures, "samples": dict(samples),
    }  # fmt: skip


def _table(described: Sequence[Mapping[str, Any]], replicates: Sequence[Replicate], request: CellRequest) -> pa.Table:
    """A row a number, in the order of the description: replicate, measure, step, index."""
    batches = []
    for about, replicate in zip(described, replicates, strict=True):
        for item in about["measures"]:
            values = np.asarray(replicate.curves[item["name"]], dtype=np.float64)
            width = math.prod(item["shape"])
            columns = [
                pa.array(np.full(values.size, replicate.number), pa.int32()), pa.repeat(item["name"], values.size),
                pa.array(np.repeat(replicate.steps, width), pa.int64()),
                pa.array(np.tile(np.arange(width), len(replicate.steps)), pa.int32()), pa.array(values.ravel(), pa.float64()),
                *(beside_column(curves.get(item["name"]), values.size) for curves in replicate.beside.values()),
            ]  # fmt: skip
            batches.append(pa.record_batch(columns, schema=CURVES))
    return pa.Table.from_batches(batches, CURVES)


def _samples(
    batch: ReplicateBatch, replicates: Sequence[Replicate]
) -> tuple[dict[str, Array], list[dict[str, list[int]]]]:
    """The samples of all replicates by their entries, and for each replicate at which steps it has which."""
    entries: dict[str, Array] = {}
    described = []
    for replicate in replicates:
        shown: dict[str, list[int]] = {}
        for figure, labels in batch.request.samples.items():
            for step, values in replicate.samples.get(figure, {}).items():
                for label, item in labels.items():
                    if step not in shown.setdefault(item, []):
                        shown[item].append(step)
                    entries[entry(replicate.number, item, step)] = values[label]
        described.append(shown)
    return entries, described
