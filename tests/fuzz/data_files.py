"""Data files of random studies: what a file's path says is what it holds, so that a study needs no more than its text."""

from __future__ import annotations

import gzip
import re
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.types import Type

from .expressions import Given
from .outcome import text

FORMATS = ("npz", "npy", "idx", "csv", "csv.gz", "parquet", "arrow", "feather", "h5")
SINGLE = ("npy", "idx")
"""Files that are one array."""
WIDTH = 3
CLASSES = 2
COUNTS = (12, 14, 20)
MOST = max(COUNTS)
GROUP = 2
OPTIONS = ("train", "share", "column", "test", "validation", "stratify", "group", "missing", "once", "header", "file", "with_replacement", "several")  # fmt: skip
"""What is said of rows."""
SETS = {"x0": "x0", "of_writer": f"one_hot(of_writer, {MOST // GROUP})", "of_label": f"one_hot(of_label, {CLASSES})"}
"""What measures of each set are taken of, by the name of the example that it reads: `expected` says what they must be."""
_PATH = re.compile(r"rows(\d+)_(\d+)\.(.+)")


def columns(seed: int, rows: int) -> dict[str, np.ndarray]:
    """What a table holds. Real numbers are eighths, so that no number type rounds them."""
    some = np.random.default_rng(seed)
    eighths = some.integers(-16, 17, (rows, WIDTH + 2)) / 8
    sets = np.array(["train", "test"])[(np.arange(rows) % 3 == 1).astype(int)]
    sets[some.integers(0, rows)] = "neither"
    gap = eighths[:, WIDTH].copy()
    gap[some.integers(0, rows)] = np.nan
    return {
        "vector": eighths[:, :WIDTH].astype(np.float32), "number": eighths[:, -1], "gap": gap,
        "whole": some.integers(0, 5, rows), "label": some.permutation(np.arange(rows) % CLASSES).astype(np.int16),
        "writer": some.permutation(np.arange(rows) // GROUP), "flag": some.random(rows) < 0.5, "set": sets,
    }  # fmt: skip


def array(seed: int, rows: int, ending: str) -> np.ndarray:
    """What a file holds that is one array."""
    found = columns(seed, rows)["vector"]
    return (found * 8 + 16).astype(np.uint8) if ending == "idx" else found


def files_of(tree: Mapping[str, Any]) -> dict[str, str]:
    """The paths of all data files of a study, by their names in it."""
    found = {}
    for experiment in tree.get("experiments", {}).values():
        data = experiment.get("task", {}).get("data") if isinstance(experiment, dict) else None
        if isinstance(data, dict):
            found.update(
                data.get("files", {}), **({data["file"].partition(".")[0]: data["file"]} if "file" in data else {})
            )
    return found


def parts(path: str) -> tuple[int, int, str]:
    """What a path says: the number that its values come of, how many rows, and the format."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError(f"'{path}' names no data file of a random study")
    return int(match[1]), int(match[2]), match[3]


@contextmanager
def source(tree: Mapping[str, Any]) -> Iterator[Source]:
    """A study as it is read, with its data files beside it as long as that takes."""
    paths = files_of(tree)
    if not paths:
        yield Source("fuzzed.yaml", text(tree))
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in paths.values():
            _write(Path(folder) / path, *parts(path), header="header: false" not in text(tree))
        yield Source("fuzzed.yaml", text(tree), folder)


def _write(path: Path, seed: int, rows: int, ending: str, header: bool) -> None:
    table = columns(seed, rows)
    match ending:
        case "npz":
            np.savez(path, **table)
        case "npy":
            np.save(path, array(seed, rows, ending))
        case "idx":
            values = array(seed, rows, ending)
            path.write_bytes(struct.pack(">HBB2I", 0, 8, 2, *values.shape) + values.tobytes())
        case "csv" | "csv.gz":
            data = _csv(table, header).encode()
            path.write_bytes(gzip.compress(data) if ending == "csv.gz" else data)
        case "h5":
            import h5py

            with h5py.File(path, "w") as file:
                for name, values in table.items():
                    file[name] = values.astype(object) if name == "set" else values
        case _:
            _columnar(path, table, ending)


def _csv(table: Mapping[str, np.ndarray], header: bool) -> str:
    flat = {}
    for name, values in table.items():
        flat.update({f"v{i}": values[:, i] for i in range(WIDTH)} if name == "vector" else {name: values})
    lines = [",".join(flat)] if header else []
    for row in zip(*flat.values(), strict=True):
        lines.append(",".join(_field(value) for value in row))
    return "\n".join(lines) + "\n"


def _field(value: Any) -> str:
    if isinstance(value, np.bool_):
        return str(bool(value)).lower()
    return "" if isinstance(value, np.floating) and np.isnan(value) else str(value)


def _columnar(path: Path, table: Mapping[str, np.ndarray], ending: str) -> None:
    import pyarrow as pa
    from pyarrow import feather, parquet

    made = pa.table({name: pa.array(values.tolist(), from_pandas=True) if name in ("vector", "gap") else pa.array(values) for name, values in table.items()})  # fmt: skip
    if ending == "parquet":
        parquet.write_table(made, path, row_group_size=4)
    elif ending == "feather":
        feather.write_feather(made, str(path))
    else:
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_stream(out, made.schema) as writer:
            writer.write_table(made)


class Rows:
    """Writes the data of a study whose examples are rows of files, and what of it examples are made of."""

    def __init__(self, random: Random, seen: set[str]) -> None:
        self.random = random
        self.seen = seen
        self.ending = random.choice(FORMATS)
        self.seed, self.count = random.randint(0, 999), random.choice(COUNTS)
        self.path = f"rows{self.seed}_{self.count}.{self.ending}"
        self.data: dict[str, Any] = {}
        self.table = "rows"

    def _has(self, share: float, *options: str) -> bool:
        given = self.random.random() < share
        if given:
            self.seen.update(f"rows {option}" for option in options)
        return given

    def compose(self) -> tuple[dict[str, Any], dict[str, str], list[Given]]:
        """`task.data`, names of the example, and these as later parts may use them."""
        self.seen.add(f"file {self.ending}")
        single = self.ending in SINGLE
        if self._has(0.3 if not single else 0.6, "several"):
            self.data["files"] = {"rows": self.path}
            other = self.random.choice(("npz", "csv", "parquet"))
            if single:
                self.data["files"]["more"] = f"rows{self.seed + 1}_{self.count}.{other}"
                self.table = "more"
                self.seen.add(f"file {other}")
            else:
                self.data["files"]["more"] = f"rows{self.seed + 1}_{self.count}.npy"
        else:
            self.data["file"] = self.path
            self.table = self.path.partition(".")[0]
        tabled = not single or self.table == "more"
        path = self.data["files"][self.table] if tabled and "files" in self.data else self.path
        self.csv = ".csv" in path
        self.bare = self.csv and self._has(0.3, "header")
        if self.bare:
            self.data["header"] = False
        self._sizes(tabled)
        return self.data, *self._example(tabled, single)

    def column(self, name: str) -> str:
        """How a column is written: without a header by its place."""
        names = [*(f"v{i}" for i in range(WIDTH)), *list(columns(0, 4))[1:]]
        return f"c{names.index(name)}" if self.bare else name

    def _sizes(self, tabled: bool) -> None:
        data, count, random = self.data, self.count, self.random
        whole = count
        if tabled and self._has(0.3, "missing"):
            data["missing"] = [self.column("gap")]
            whole -= 1
        if tabled and self._has(0.2, "column"):
            data["train"] = self.column("set")
        else:
            grouped = tabled and "missing" not in data and self._has(0.3, "group")
            if grouped:
                data["group"] = self.column("writer")
            elif tabled and self._has(0.4, "stratify"):
                data["stratify"] = self.column("label")
            if self._has(0.5, "share"):
                data["train"] = random.choice((0.5, 0.6))
            else:
                self.seen.add("rows train")
                data["train"] = 6
            if self._has(0.4, "validation"):
                data["validation"] = 2
            if self._has(0.3, "test"):
                data["test"] = 4 if grouped else 3
        if self._has(0.2, "file") and not {"stratify", "group"} & set(data):
            data["order"] = "file"
        elif self._has(0.2, "with_replacement"):
            data["order"] = "with_replacement"

    def _example(self, tabled: bool, single: bool) -> tuple[dict[str, str], list[Given]]:
        table, example, names = self.table, {}, []

        def add(name: str, written: str, given: Type, below: int = 0) -> None:
            example[name] = written
            names.append(Given(name, given, below))

        if tabled:
            add("x0", f"{table}.{self.column('number')}", Type("real"))
            first, last = self.column("v0"), self.column(f"v{WIDTH - 1}")
            if self.random.random() < 0.8:
                add("x1", f"{table}[{first}:{last}]" if self.csv else f"{table}.vector", Type("real", (WIDTH,)))
            for place, (name, kind, below) in enumerate(
                (("whole", "int", 5), ("label", "int", CLASSES), ("flag", "bool", 0))
            ):
                if self.random.random() < 0.4:
                    add(f"x{place + 2}", f"{table}.{self.column(name)}", Type(kind, ()), below)
            if "missing" in self.data and self.random.random() < 0.7:
                add("x5", f"{table}.{self.column('gap')}", Type("real"))
            for name, key in (("writer", "group"), ("label", "stratify")):
                if key in self.data:
                    add(
                        f"of_{name}",
                        f"{table}.{self.column(name)}",
                        Type("int"),
                        self.count // GROUP if name == "writer" else CLASSES,
                    )
        if single:
            name = "rows" if "files" in self.data else table
            idx = self.ending == "idx"
            add("x6", name, Type("int" if idx else "real", (WIDTH,)), 33 if idx else 0)
        elif "files" in self.data:
            add("x6", "more", Type("real", (WIDTH,)))
        if self.random.random() < 0.4:
            add("x7", "normal([3])", Type("real", (3,)))
            self.seen.add("distribution normal")
            if self._has(0.5, "once"):
                self.data["once"] = ["x7"]
        return example, names
