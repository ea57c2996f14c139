"""Datasets of HDF5, against what h5py wrote: each read right, or refused with the reason; nothing outside the file is opened."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from dlspec.spec.data_files import heads
from dlspec.spec.data_files import survey as surveys
from dlspec.spec.data_files.hdf5 import Hdf5File
from dlspec.spec.data_files.heads_alone import heads_alone
from dlspec.spec.data_files.row_copies import row_access
from dlspec.spec.data_files.survey import open_file, survey
from dlspec.spec.diagnostics.problems import StudyError

X = np.random.default_rng(1).normal(size=(50, 3)).astype(">f4")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        file["x"] = X
        file.create_dataset("packed", data=X, chunks=(7, 2), compression="gzip", shuffle=True)
        file["group/y"] = np.arange(50, dtype="i2") % 5
        file["yes"] = np.arange(50) % 2 == 0
        file["word"] = ["é", "b"] * 25
        file["bytes"] = np.array([b"a", b"b"] * 25)
        file.create_dataset("kind", data=np.arange(50) % 2, dtype=h5py.enum_dtype({"a": 0, "b": 1}, "u1"))
        file["gap"] = np.where(np.arange(50) == 7, np.nan, 1.0)
        file["one"] = 5.0
        file["nothing"] = h5py.Empty("f")
        rows = np.array([np.arange(1 + n % 2) for n in range(50)], object)
        file.create_dataset("ragged", data=rows, dtype=h5py.vlen_dtype(np.int32))
        file["record"] = np.zeros(50, [("a", "f4")])
    return path


def test_each_dataset_is_read_right_or_refused(path: Path) -> None:
    columns = survey(path).columns
    kinds = {name: column.kind for name, column in columns.items() if not column.problem}
    assert kinds == {
        "x": "real", "packed": "real", "group/y": "int", "yes": "bool", "word": "text", "bytes": "text", "kind": "int", "gap": "real",
    }  # fmt: skip
    assert columns["x"].shape == (3,) and columns["x"].checksum == columns["packed"].checksum
    assert (columns["group/y"].low, columns["group/y"].high, columns["word"].classes) == (0, 4, {"b": 25, "é": 25})
    assert (columns["gap"].missing, columns["gap"].first_missing) == (1, 8)
    problems = {name: column.problem for name, column in columns.items() if column.problem}
    assert set(problems) == {"one", "nothing", "ragged", "record"}
    assert "single value" in problems["one"] and "several lengths" in problems["ragged"]
    opened = open_file(path)
    assert opened.read("x").values.dtype.isnative
    np.testing.assert_array_equal(opened.read("x").values, X)


def test_rows_are_read_where_they_lie_in_one_piece_and_from_a_copy_otherwise(path: Path) -> None:
    rows, columns = np.array([49, 0, 7, 7]), survey(path).columns
    assert Hdf5File(path).placed("x") is not None and Hdf5File(path).placed("packed") is None
    for name in ("x", "packed"):
        np.testing.assert_array_equal(
            row_access(path, True, [name], [columns[name].checksum], False).take(rows), X[rows]
        )


def test_a_large_file_is_known_by_its_heads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(path, "a") as file:
        del file["word"], file["bytes"]
    monkeypatch.setattr(heads, "LARGE", 300)
    monkeypatch.setattr(surveys, "SETTLED", -1.0)
    with heads_alone():
        of_head = survey(path)
        assert {name: column.kind for name, column in of_head.columns.items()} | {} == {
            name: column.kind for name, column in survey(path).columns.items()
        }
        assert of_head.columns["group/y"].high == 4 and of_head.columns["x"].low is None
    assert survey(path).lengths.count(50) == 6 == of_head.lengths.count(50)


def test_other_files_are_not_opened(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = X
    (tmp_path / "raw").write_bytes(X.tobytes())
    layout = h5py.VirtualLayout(shape=X.shape, dtype=X.dtype)
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "secret", X.shape)
    with h5py.File(path, "a") as file:
        file["linked"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("outside", X.shape, X.dtype, external=[(str(tmp_path / "raw"), 0, X.nbytes)])
    columns = survey(path).columns
    assert "linked" not in columns
    for name in ("virtual", "outside"):
        assert columns[name].problem == "its values lie in other files: copy them into this one"


def test_files_that_lie_are_refused(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    for data in (whole[:100], whole[: len(whole) // 2], b"", b"no HDF5 at all"):
        lying = tmp_path / "lying.hdf5"
        lying.write_bytes(data)
        with pytest.raises(StudyError, match=r"lying\.hdf5: cannot be read as HDF5"):
            survey(lying)
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(StudyError, match="holds no dataset"):
        survey(tmp_path / "empty.h5")
