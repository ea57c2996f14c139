"""What files hold, against NumPy and pandas; files that lie are read right, or refused with place and remedy."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from dlspec.spec.data_files import survey as surveys
from dlspec.spec.data_files.described import describe
from dlspec.spec.data_files.survey import Column, open_file, survey
from dlspec.spec.diagnostics.problems import StudyError


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def columns(path: Path, header: bool = True) -> dict[str, Column]:
    return survey(path, header).columns


def refusal(path: Path, header: bool = True) -> str:
    with pytest.raises(StudyError) as caught:
        survey(path, header)
    (problem,) = caught.value.problems
    assert path.name in problem.message and problem.hint
    return problem.message.removeprefix(f"{path.name}: ")


TABLE = {
    "n": pd.array([1, None, 3], dtype="Int64"), "big": np.array([2**53 + 1, 1, 2]), "half": np.array([1, 2.5, 3], np.float16),
    "yes": pd.array([True, False, None], dtype="boolean"), "word": pd.Categorical(["b", "a", "b"]), "x": np.array([0.5, np.nan, np.inf]),
    "u": np.array([0, 255, 7], np.uint8),
}  # fmt: skip


@pytest.mark.parametrize("end", ["parquet", "feather", "arrow"])
def test_tables_of_pandas_keep_their_values_in_every_format(tmp_path: Path, end: str) -> None:
    frame = pd.DataFrame(TABLE)
    path = tmp_path / f"t.{end}"
    if end == "parquet":
        frame.to_parquet(path)
    elif end == "feather":
        frame.to_feather(path)
    else:
        table = pa.Table.from_pandas(frame)
        with pa.ipc.new_stream(str(path), table.schema) as stream:
            stream.write_table(table)
    found = columns(path)
    kinds = {"n": "int", "big": "int", "half": "real", "yes": "bool", "word": "text", "x": "real", "u": "int"}
    assert {name: column.kind for name, column in found.items()} == kinds
    assert (found["n"].low, found["n"].high, found["n"].missing, found["n"].first_missing) == (1, 3, 1, 2)
    assert found["big"].high == 2**53 + 1
    assert (found["yes"].classes, found["yes"].missing) == ({"false": 1, "true": 1}, 1)
    assert found["word"].classes == frame["word"].value_counts().sort_index().to_dict() == {"a": 1, "b": 2}
    assert (found["x"].low, found["x"].missing, found["x"].first_missing) == (0.5, 2, 2)
    for name in ("big", "half", "u"):
        np.testing.assert_array_equal(open_file(path).read(name).values, TABLE[name])


LISTS = {
    "fixed": pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)),
    "same": pa.array([[1, 2], [3, None], [5, 6]]),
    "ragged": pa.array([[1], [1, 2], [3]]),
    "deep": pa.array([[[1, 2], [3, 4], [5, 6]]] * 3),
    "tensor": pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12.0).reshape(3, 2, 2)),
    "decimal": pa.array([1, 2, 3]).cast(pa.decimal128(30, 2)),
    "when": pa.array([0, 1, 2], pa.timestamp("s")),
    "none": pa.nulls(3),
    "record": pa.array([{"a": 1}] * 3),
}


def test_lists_become_axes_where_they_have_one_length(tmp_path: Path) -> None:
    table = pa.table(LISTS)
    pa.feather.write_feather(table, str(tmp_path / "t.feather"))
    found = columns(tmp_path / "t.feather")
    assert {name: found[name].shape for name in ("fixed", "same", "deep", "tensor")} == {
        "fixed": (2,), "same": (2,), "deep": (3, 2), "tensor": (2, 2),
    }  # fmt: skip
    opened = open_file(tmp_path / "t.feather")
    np.testing.assert_array_equal(opened.read("fixed").values[[0, 2]], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(opened.read("tensor").values, np.arange(12.0).reshape(3, 2, 2))
    assert (found["fixed"].first_missing, found["same"].first_missing) == (2, 2)
    assert found["ragged"].problem == "row 2 has 2 entries, and row 1 has 1: an array has one shape"
    assert all(found[name].problem for name in ("decimal", "when", "none", "record"))
    sliced = tmp_path / "slice.feather"
    pa.feather.write_feather(table.slice(1), str(sliced))
    np.testing.assert_array_equal(open_file(sliced).read("fixed").values[1], [3, 4])
    pa.parquet.write_table(table.select(["same", "deep"]), tmp_path / "t.parquet", row_group_size=2)
    assert columns(tmp_path / "t.parquet")["deep"].shape == (3, 2)


def test_row_groups_are_one_column(tmp_path: Path) -> None:
    table = pa.table({
        "late": pa.array([None, None, [1, 2], [3, 4], None, None], pa.list_(pa.int64())),
        "ragged": pa.array([[1], [2], [1, 2], [3, 4], [1, 2], [5, 6]]),
        "never": pa.array([None] * 6, pa.list_(pa.int64())),
        "n": pa.array([5, 3, None, 2, 9, 3]), "w": ["a", "b", "a", "c", "a", "b"],
    })  # fmt: skip
    pa.parquet.write_table(table, tmp_path / "groups.parquet", row_group_size=2)
    pa.feather.write_feather(table, str(tmp_path / "whole.feather"))
    groups, whole = columns(tmp_path / "groups.parquet"), columns(tmp_path / "whole.feather")
    for name in ("late", "n", "w", "never"):
        one, other = groups[name], whole[name]
        assert (one.checksum, one.low, one.high, one.missing, one.first_missing, one.classes, one.problem) == (
            other.checksum, other.low, other.high, other.missing, other.first_missing, other.classes, other.problem,
        )  # fmt: skip
    assert groups["late"].shape == (2,) and (groups["late"].missing, groups["late"].first_missing) == (4, 1)
    assert groups["ragged"].problem == "row 3 has the shape [2], and row 1 has [1]: an array has one shape"
    assert groups["n"].classes == {"2": 1, "3": 2, "5": 1, "9": 1}


def test_arrays_of_numpy_come_in_native_order_and_are_never_unpickled(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "big": np.arange(6, dtype=">i4").reshape(3, 2), "fortran": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        "half": np.ones(3, np.float16), "flag": np.array([True, False, True]), "label": np.array([0, 1, np.nan]),
        "far": np.array([2**63 + 1, 1, 2], np.uint64), "word": np.array(["b", "a", "b"]),
        "one": np.float32(3), "complex": np.ones(3, complex), "void": np.zeros(3, "V2"), "objects": np.array([None, 1, 2]),
    }  # fmt: skip
    np.savez(tmp_path / "z.npz", **arrays)
    found = columns(tmp_path / "z.npz")
    opened = open_file(tmp_path / "z.npz")
    for name in ("big", "fortran", "half", "flag", "far"):
        read = opened.read(name).values
        assert read.dtype.isnative and found[name].shape == arrays[name].shape[1:]
        np.testing.assert_array_equal(read, arrays[name])
    assert found["big"].stored == "int32, big-endian" and found["far"].high == 2**63 + 1
    assert (found["label"].kind, found["label"].first_missing) == ("real", 3)
    assert found["word"].classes == {"a": 1, "b": 2}
    assert all(found[name].problem for name in ("one", "complex", "void", "objects"))
    assert "unpickled" in found["objects"].problem
    for name in ("big", "fortran"):
        np.save(tmp_path / f"{name}.npy", arrays[name])
        (column,) = columns(tmp_path / f"{name}.npy").values()
        assert (column.name, column.checksum) == ("", found[name].checksum)
    np.save(tmp_path / "objects.npy", arrays["objects"])
    assert "unpickled" in columns(tmp_path / "objects.npy")[""].problem
    np.save(tmp_path / "fields.npy", np.array([(1, 2.5), (3, 4.5)], [("a", "i4"), ("b", "f8")]))
    assert {name: column.kind for name, column in columns(tmp_path / "fields.npy").items()} == {"a": "int", "b": "real"}
    np.save(tmp_path / "fields.npy", np.zeros(3, [(f"column_number_{place}", "f8") for place in range(500)]))
    assert refusal(tmp_path / "fields.npy") == "its header names more fields than NumPy reads (10,000 bytes)"


def test_what_has_no_rows_is_described(tmp_path: Path) -> None:
    for shape in ((0,), (0, 3), (3, 0)):
        np.save(tmp_path / "none.npy", np.zeros(shape))
        (column,) = columns(tmp_path / "none.npy").values()
        assert column.rows == shape[0] and column.low is None and bool(column.problem) == (shape[0] > 0)
    assert "all whole" not in describe(survey(tmp_path / "none.npy"))


def test_idx_packed_or_not(tmp_path: Path) -> None:
    images = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    data = struct.pack(">BBBBIII", 0, 0, 8, 3, 3, 2, 2) + images.tobytes()
    plain = written(tmp_path, "train-images-idx3-ubyte", data)
    packed = written(tmp_path, "train-images-idx3-ubyte.gz", gzip.compress(data))
    assert columns(plain)[""].checksum == columns(packed)[""].checksum
    np.testing.assert_array_equal(open_file(packed).read("").values, images)
    ints = struct.pack(">BBBBI", 0, 0, 0x0C, 1, 2) + np.array([-1, 70000], ">i4").tobytes()
    assert columns(written(tmp_path, "y.idx", ints))[""].low == -1
    cut = written(tmp_path, "cut.idx", struct.pack(">BBBBI", 0, 0, 0x0C, 1, 3) + bytes(8))
    assert refusal(cut) == "has 16 bytes unpacked; its header says 20, for shape [3]"
    assert "begins with 89 50 4e 47" in refusal(written(tmp_path, "picture.idx", b"\x89PNG"))


CSV = b"""i,r,b,t,zeros,mixed,huge,far,gap,nan
1,1.5,true,x,007,true,1e400,9223372036854775808,,nan
2,5.0,false,"a, b",010,1,1,1,4,2
"""


def test_the_kind_of_a_csv_column_is_that_of_all_its_rows(tmp_path: Path) -> None:
    found = columns(written(tmp_path, "t.csv", CSV))
    kinds = {name: column.kind for name, column in found.items() if not column.problem}
    assert kinds == {"i": "int", "r": "real", "b": "bool", "t": "text", "gap": "int", "nan": "real"}
    assert found["t"].classes == {"a, b": 1, "x": 1}
    assert (found["gap"].first_missing, found["nan"].first_missing) == (1, 1)
    assert found["zeros"].problem == "row 1 holds '007', which is not a number with its leading zeros"
    assert found["mixed"].problem == "row 2 holds '1' among other kinds of values (a missing value is an empty field)"
    assert found["huge"].problem == "row 1 holds '1e400', which is beyond float64"
    assert found["far"].problem == "row 1 holds '9223372036854775808', which does not fit into 64 bits"
    late = b"a,b\n" + b"1,\n" * 300_000 + b"2.5,5\n1,x\n"
    found = columns(written(tmp_path, "late.csv", late))
    assert (found["a"].kind, found["a"].rows, found["b"].rows) == ("real", 300_002, 300_002)
    assert found["b"].problem == "row 300002 holds 'x' among other kinds of values (a missing value is an empty field)"
    quoted = b'a,b\n"' + b"x\n" * 600_000 + b'",2\ny,3\n'
    assert columns(written(tmp_path, "quoted.csv", quoted))["b"].rows == 2
    assert columns(written(tmp_path, "blank.csv", b"a\n1\n\n2\n"))["a"].first_missing == 2
    assert columns(written(tmp_path, "mark.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n"))["a"].high == 1
    frame = pd.read_csv(written(tmp_path, "plain.csv", b"a,b,c\n1,-2.5e-3,u\n-4,.5,v\n"))
    opened = open_file(tmp_path / "plain.csv")
    for name in frame:
        np.testing.assert_array_equal(opened.read(str(name)).values, frame[name].to_numpy())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a,b\n1,2\n1,2,3\n", "row 2 has 3 fields, but there are 2 columns"),
        (b"a,b\n1\n", "row 1 has 1 field, but there are 2 columns"),
        (b"", "is empty"),
        (b"a,b\n", "has names and no rows"),
        (b"a,b\n1,2\n3,\xe9\n", "line 3: byte 0xe9 is not UTF-8"),
        (b"0,0,5\n1,2,3\n", "its first row holds numbers instead of names of columns: '0', '0' and '5'"),
        (b"150,4,setosa\n1,2,0\n", "its first row holds numbers instead of names of columns: '150' and '4'"),
        (b"a,a\n1,2\n", "two columns are called 'a'"),
        (b'a,b\n1,2\n3,"4\n5,6\n7,8\n', "row 2 opens a quote that is never closed"),
        (b'a,"b\n1,2\n', "the row of names opens a quote that is never closed"),
        (b'a,b\n1,"' + b"2,3\n" * 50_000, "row 1 opens a quote that is never closed"),
    ],
)
def test_tables_that_lie_are_refused(tmp_path: Path, text: bytes, message: str) -> None:
    assert refusal(written(tmp_path, "t.csv", text)) == message
    assert refusal(written(tmp_path, "t.csv.gz", gzip.compress(text))) == message


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    found = columns(written(tmp_path, "t.csv", b"0,0,5\n1,2,3\n"), header=False)
    assert {name: (column.low, column.rows) for name, column in found.items()} == {
        "c0": (0, 2),
        "c1": (0, 2),
        "c2": (3, 2),
    }


def test_files_that_were_cut_off_or_are_others_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(6))
    np.savez(tmp_path / "x.npz", a=np.arange(600))
    table = pa.table({"a": np.arange(6)})
    pa.parquet.write_table(table, tmp_path / "x.parquet")
    pa.feather.write_feather(table, str(tmp_path / "x.arrow"))
    written(tmp_path, "x.csv.gz", gzip.compress(b"a\n" + b"1\n" * 999))
    for name in ("x.npy", "x.npz", "x.parquet", "x.arrow", "x.csv.gz"):
        whole = (tmp_path / name).read_bytes()
        for data in (whole[:-9], whole[: len(whole) // 2], b"hello, I am something else", b""):
            assert refusal(written(tmp_path, name, data))
    np.save(tmp_path / "x.npy", np.arange(6).reshape(3, 2))
    array = (tmp_path / "x.npy").read_bytes()
    assert refusal(written(tmp_path, "x.npy", array + b"and more.")) == "9 bytes follow its array"
    assert "cannot be negative" in refusal(written(tmp_path, "x.npy", array.replace(b"(3, 2)", b"(-3,2)")))
    np.savez(tmp_path / "x.npz", a=np.arange(600))
    spoilt = bytearray((tmp_path / "x.npz").read_bytes())
    spoilt[1000] ^= 1
    assert "the array 'a' cannot be read" in refusal(written(tmp_path, "x.npz", bytes(spoilt)))
    assert "not a known kind of file" in refusal(written(tmp_path, "x.txt", b"1"))
    assert "No such file" in refusal(tmp_path / "away.csv")


def test_ten_thousand_columns_and_names_that_are_no_names(tmp_path: Path) -> None:
    names = [f"a{place}" for place in range(9_998)] + ["petal length (cm)", "class"]
    pa.parquet.write_table(pa.table({name: [place, 0] for place, name in enumerate(names)}), tmp_path / "w.parquet")
    found = survey(tmp_path / "w.parquet")
    assert len(found.columns) == 10_000 and found.columns["a9997"].high == 9_997
    text = describe(found)
    assert "w.a0 " in text and "and 9,800 more" in text
    pa.parquet.write_table(pa.table({"petal length (cm)": [1.5]}), tmp_path / "p.parquet")
    assert "is not a name: rename it" in describe(survey(tmp_path / "p.parquet"))
    (tmp_path / "words.csv").write_text("if,x\n1,2\n")
    assert "words: 'if'  int  whole numbers  is a word of the language: rename it" in describe(
        survey(tmp_path / "words.csv")
    )


def test_a_checksum_is_of_the_values_and_a_survey_is_remembered_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "t.csv", b"a,b\n1,2.5\n3,4\n")
    packed = written(tmp_path, "u.csv.gz", gzip.compress(b"a,b\n1,2.5\n3,4\n", mtime=7))
    pd.read_csv(path).to_parquet(tmp_path / "v.parquet")
    first = survey(path)
    assert first.checksum == survey(packed).checksum == survey(tmp_path / "v.parquet").checksum
    long_ago = 1_000_000_000
    os.utime(path, (long_ago, long_ago))
    assert survey(path) == first
    opened = []
    monkeypatch.setattr(surveys, "open_file", lambda *given: opened.append(given) or open_file(*given))
    assert survey(path) == first and not opened
    written(tmp_path, "t.csv", b"a,b\n1,2.5\n3,5\n")
    os.utime(path, (long_ago, long_ago + 1))
    changed = survey(path)
    assert opened and changed.checksum != first.checksum
    assert changed.columns["a"] == first.columns["a"] and changed.columns["b"] != first.columns["b"]
