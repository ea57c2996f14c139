"""Studies are checked by the heads of large files: what a head says is what the values say, and a fault is never imagined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
from dlspec import spec
from dlspec.spec.data_files import heads, survey
from dlspec.spec.data_files.arrays import NpyFile, NpzFile
from dlspec.spec.data_files.heads_alone import heads_alone
from dlspec.spec.data_files.tables import ArrowFile, ParquetFile
from dlspec.spec.diagnostics.problems import Source, StudyError

COUNT = 600
X = np.random.default_rng(5).normal(size=(COUNT, 3)).astype("f4")
Y = np.arange(COUNT, dtype="i4") % 7
OPENED = (NpyFile, NpzFile, ParquetFile, ArrowFile)

BODY = """
dlspec: 1
study: t
experiments:
  e:
    task:
      data: {DATA, train: 0.5}
      example: {x: X, y: Y}
    architecture: {f: {input: x, layers: [dense: CLASSES]}}
    loss: {f: "cross_entropy(f, y)"}
    training: {optimizer: {sgd: 0.1}, batch: 7, steps: 3}
    measures: {f: "E(cross_entropy(f, y))"}
"""


@pytest.fixture(autouse=True)
def _large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(heads, "LARGE", 1000)
    monkeypatch.setattr(survey, "SETTLED", -1.0)


def columns(**more: Any) -> pa.Table:
    names = {
        "x": pa.array(list(X), pa.list_(pa.float32(), 3)),
        "y": pa.array(Y.astype("i1")),
        "side": pa.array(np.arange(COUNT) % 2 == 0),
    }
    names |= {"who": pa.array(["a", "b", "c"] * (COUNT // 3)), "day.of": pa.array([0.5] * COUNT), **more}
    return pa.table(names)


def written(folder: Path, kind: str, table: pa.Table) -> Path:
    path = folder / f"d.{kind}"
    if kind == "parquet":
        parquet.write_table(table, path, row_group_size=170)
    else:
        feather.write_feather(table, path, chunksize=170, compression="uncompressed")
    return path


def validated(folder: Path, **replaced: str) -> None:
    text = BODY
    for before, after in {"CLASSES": "7", **replaced}.items():
        text = text.replace(before, after)
    spec.validate(spec.parse(Source(str(folder / "t.yaml"), text)))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The columns whose values were read."""
    names: list[str] = []
    for kind in OPENED:
        for way in ("stretches", "read"):
            own = getattr(kind, way)
            monkeypatch.setattr(kind, way, lambda self, name, own=own: names.append(name) or own(self, name))
    return names


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_head_says_what_the_values_say(tmp_path: Path, kind: str, read: list[str]) -> None:
    path = written(tmp_path, kind, columns(gaps=pa.array([None, *range(COUNT - 1)], pa.int64())))
    with heads_alone():
        of_head = survey.survey(path)
        for name in of_head.columns:
            of_head.columns[name]
    assert read == (["gaps"] if kind == "parquet" else ["y", "gaps"])
    whole = survey.survey(path)
    assert list(of_head.columns) == list(whole.columns) and of_head.lengths == whole.lengths
    for name, column in whole.columns.items():
        own = of_head.columns[name]
        assert (own.kind, own.shape, own.rows, own.stored) == (column.kind, column.shape, column.rows, column.stored)
        assert (own.missing, own.first_missing, own.problem) == (column.missing, column.first_missing, column.problem)
        if column.kind == "int":
            assert (own.low, own.high) == (column.low, column.high)
        assert own.checksum != column.checksum
    assert of_head.read("who").classes == whole.columns["who"].classes


def test_nothing_is_read_of_a_table_with_statistics(tmp_path: Path, read: list[str]) -> None:
    written(tmp_path, "parquet", columns())
    validated(tmp_path, DATA="file: d.parquet", X="d.x", Y="d.y")
    assert read == []
    with pytest.raises(StudyError, match="6"):
        validated(tmp_path, DATA="file: d.parquet", X="d.x", Y="d.y", CLASSES="5")
    assert read == []  # the label that is no class is in the statistics
    validated(tmp_path, DATA="file: d.parquet, stratify: who", X="d.x", Y="d.y")
    assert set(read) == {"who"}


def test_what_was_just_written_is_known_by_its_head_too(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is not remembered: written again with other rows in the same tick, it would be taken for the first."""
    monkeypatch.setattr(survey, "SETTLED", 3600.0)
    written(tmp_path, "parquet", columns())
    validated(tmp_path, DATA="file: d.parquet", X="d.x", Y="d.y")
    assert read == [] and not list((tmp_path / "cache").rglob("*.json"))


@pytest.mark.parametrize("packed", [False, True])
def test_arrays_are_known_by_their_heads_and_small_whole_numbers_by_their_values(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    (np.savez_compressed if packed else np.savez)(tmp_path / "d.npz", x=X, y=Y.astype("i1"))
    validated(tmp_path, DATA="file: d.npz", X="d.x", Y="d.y")
    assert read == ["y"]
    read.clear()
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    names = {"DATA": "files: {x_: x.npy, y_: y.npy}", "X": "x_", "Y": "y_"}
    with pytest.raises(StudyError, match="6"):  # of more bytes than are read: all is read, before an error is told
        validated(tmp_path, **names, CLASSES="5")
    assert read == ["", ""]
    validated(tmp_path, **names)


def test_what_no_head_says_is_found_by_a_run(tmp_path: Path) -> None:
    bad = X.copy()
    bad[7, 1] = np.nan
    np.save(tmp_path / "x.npy", bad)
    np.save(tmp_path / "y.npy", Y)
    names = {"DATA": "files: {x_: x.npy, y_: y.npy}", "X": "x_", "Y": "'clip(y_, 0, 6)'"}
    validated(tmp_path, **names)
    text = BODY
    for before, after in {**names, "CLASSES": "7"}.items():
        text = text.replace(before, after)
    with pytest.raises(StudyError, match="'x_' has no finite value in 1 rows, the first of them row 8"):
        spec.resolve(spec.parse(Source(str(tmp_path / "t.yaml"), text)))


def test_a_changed_file_has_another_head(tmp_path: Path) -> None:
    written(tmp_path, "parquet", columns())
    validated(tmp_path, DATA="file: d.parquet", X="d.x", Y="d.y")
    written(tmp_path, "parquet", columns().set_column(1, "y", pa.array((Y + 1).astype("i1"))))
    with pytest.raises(StudyError, match="7"):
        validated(tmp_path, DATA="file: d.parquet", X="d.x", Y="d.y")
