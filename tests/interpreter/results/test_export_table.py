"""Tables of a run as other programs read them: axes are columns, every column has a kind and a meaning, NaN is found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from dlspec.interpreter.results.export_table import export
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_list import RunRecord
from dlspec.interpreter.results.run_writer import cells_json, write_curves

STUDY = """\
dlspec: 1
study: small
experiments:
  line: {constants: {d: 1}, sweep: {d: [1, 2]}, measures: {error: "d + 1", never: "d / 0", pair: "[[d, 2]]"}}
  other: {constants: {w: [1, 2], step: 1}, sweep: {w: [[1, 2], [3, 4]]}, measures: {only: "sum(w)"}}
"""


@pytest.fixture
def run(tmp_path: Path) -> RunRecord:
    """A run of two experiments with other axes and measures; `never` is finite nowhere."""
    folder = tmp_path / "run"
    folder.mkdir()
    results = {}
    replicates = []
    for d in (1, 2):
        one = Replicate("line", "", {"d": d}, 0, "a", "done" if d == 1 else "diverged", key=f"a{d}")
        for step in (0, 10):
            one.record(step, {"error": float(d), "never": np.nan, "pair": np.asarray([[d, np.nan]])})
        replicates.append(one)
    results["line"] = Results("line", {}, 1, list(replicates))
    other = Replicate("other", "b", {"w": (3, 4), "step": 2}, 0, "b", key="b")
    other.record(0, {"only": 7.0})
    results["other"] = Results("other", {}, 1, [other])
    (folder / "cells.json").write_text(json.dumps(cells_json(results)))
    write_curves(folder / "curves.parquet", [*replicates, other])
    (folder / "spec.yaml").write_text(STUDY)
    about = {"study": "small", "profile": "", "overrides": ["d=1,2"], "finished": "2026-01-01T00:00:00+00:00"}
    return RunRecord(folder, about)


def table(run: RunRecord, path: Path, **options: bool) -> pa.Table:
    rows = export(run, path, **{"finals": False, **options})
    read = csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)
    assert read.num_rows == rows
    return read


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_axes_are_columns_of_curves(run: RunRecord, ending: str, tmp_path: Path) -> None:
    curves = table(run, tmp_path / f"curves.{ending}")
    assert curves.column_names == [
        "experiment", "variant", "d", "w", "axis.step", "replicate", "digest", "status", "measure", "index", "entry", "step", "value", "error", "bias",
    ]  # fmt: skip
    of_two = curves.filter(pc.equal(curves["d"], 2))
    assert set(of_two["status"].to_pylist()) == {"diverged"} and of_two.num_rows == 8
    pairs = curves.filter(pc.equal(curves["measure"], "pair"))
    assert set(zip(pairs["index"].to_pylist(), pairs["entry"].to_pylist(), strict=True)) == {
        (0, "[0, 0]"),
        (1, "[0, 1]"),
    }
    assert curves["w"].to_pylist()[-1] == "[3, 4]" and curves["axis.step"].to_pylist()[-1] == 2


@pytest.mark.parametrize("options", [{}, {"finals": True}, {"long": True}], ids=["curves", "finals", "long"])
def test_every_column_has_a_kind_and_a_meaning(run: RunRecord, options: dict[str, bool], tmp_path: Path) -> None:
    schema = table(run, tmp_path / "out.parquet", **options).schema
    assert not [field.name for field in schema if pa.types.is_null(field.type)]
    meanings = {field.name: (field.metadata or {}).get(b"description", b"").decode() for field in schema}
    assert all(meanings.values()), meanings
    if options == {"finals": True}:
        assert (meanings["error"], meanings["never"], meanings["pair[0, 1]"]) == ("d + 1", "d / 0", "[[d, 2]]")
        assert schema.field("seconds").metadata[b"unit"] == b"s" and schema.field("never").type == pa.float64()
    assert schema.metadata[b"study"] == b"small" and schema.metadata[b"overrides"] == b"d=1,2"


@pytest.mark.parametrize("options", [{}, {"finals": True}, {"long": True}], ids=["curves", "finals", "long"])
def test_numbers_that_may_be_nan_have_no_statistics(run: RunRecord, options: dict[str, bool], tmp_path: Path) -> None:
    """Parquet's statistics leave NaN out: what filters rows by them finds none."""
    table(run, tmp_path / "out.parquet", **options)
    for path in (tmp_path / "out.parquet", run.folder / "curves.parquet"):
        read = pq.ParquetFile(path)
        columns = [read.metadata.row_group(0).column(place) for place in range(read.metadata.num_columns)]
        with_them = {column.path_in_schema: column.statistics is not None for column in columns}
        reals = {field.name for field in read.schema_arrow if pa.types.is_floating(field.type)}
        assert reals and not any(with_them[name] for name in reals)
        assert all(with_them[name] for name in with_them.keys() - reals)


def test_finals_are_long_with_a_row_a_number(run: RunRecord, tmp_path: Path) -> None:
    long = table(run, tmp_path / "long.parquet", long=True)
    first = long.filter(pc.equal(long["measure"], "pair")).to_pylist()[0]
    assert (first["entry"], first["value"], first["d"], first["status"]) == ("[0, 0]", 1.0, 1, "done")
    assert long.num_rows == 2 * 4 + 1


def test_an_undefined_final_is_nan_and_one_that_is_not_there_is_null(run: RunRecord, tmp_path: Path) -> None:
    finals = table(run, tmp_path / "finals.parquet", finals=True)
    assert finals["status"].to_pylist() == ["done", "diverged", "done"]
    for column in ("never", "pair[0, 1]"):
        assert finals[column].is_null().to_pylist() == [False, True, True] and np.isnan(finals[column][0].as_py())
    long = table(run, tmp_path / "long.parquet", long=True)
    never = long.filter(pc.equal(long["measure"], "never"))["value"]
    assert never.is_null().to_pylist() == [False, True] and np.isnan(never[0].as_py())


def test_tables_of_a_run_are_joined_by_their_columns(run: RunRecord, tmp_path: Path) -> None:
    curves, finals = table(run, tmp_path / "curves.parquet"), table(run, tmp_path / "finals.parquet", finals=True)
    keys = ["experiment", "variant", "d", "w", "replicate", "digest", "status"]
    assert [curves.schema.field(key).type for key in keys] == [finals.schema.field(key).type for key in keys]


def test_nothing_says_of_a_column_with_nan_that_it_has_none(run: RunRecord, tmp_path: Path) -> None:
    path = tmp_path / "curves.parquet"
    table(run, path)
    for file in (path, run.folder / "curves.parquet"):
        held = pq.ParquetFile(file).metadata.row_group(0)
        columns = {held.column(place).path_in_schema: held.column(place) for place in range(held.num_columns)}
        assert columns["value"].statistics is None and columns["measure"].statistics is not None


def test_duckdb_and_polars_find_what_is_there(run: RunRecord, tmp_path: Path) -> None:
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    path = tmp_path / "curves.parquet"
    table(run, path)
    assert duckdb.sql(f"select count(*) from '{path}' where isnan(value)").fetchall() == [(8,)]
    assert duckdb.sql(f"select sum(value) from '{path}' where d = 2 and measure = 'error'").fetchall() == [(4.0,)]
    read = polars.scan_parquet(path).filter(polars.col("value").is_nan()).collect()
    assert read.height == 8 and read["d"].dtype == polars.Int64


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_final_that_is_infinite_is_no_undefined_one(ending: str, tmp_path: Path) -> None:
    """Finals say of each number what the last of its curve says; what is not done has none."""
    folder = tmp_path / "run"
    folder.mkdir()
    values = ([np.inf, 1.0, np.nan], [-np.inf, np.inf, 2.0], [np.inf, np.inf, np.inf])
    found = []
    for number, (status, ends) in enumerate(zip(("done", "done", "diverged"), values, strict=True)):
        one = Replicate("e", "", {}, number, "a", status, key=f"a{number}")
        one.record(0, {"ratio": np.asarray(ends[0]), "table": np.asarray([ends, ends])})
        found.append(one)
    (folder / "cells.json").write_text(json.dumps(cells_json({"e": Results("e", {}, 3, found)}), allow_nan=False))
    write_curves(folder / "curves.parquet", found)
    run = RunRecord(folder, {"study": "small", "profile": "", "finished": "2026-01-01T00:00:00+00:00"})
    curves = table(run, tmp_path / f"curves.{ending}")
    last = {
        (number, measure, index): value
        for number, measure, index, value in zip(
            *(curves[name].to_pylist() for name in ("replicate", "measure", "index", "value")), strict=True
        )
    }
    finals = table(run, tmp_path / f"finals.{ending}", finals=True)
    long = table(run, tmp_path / f"long.{ending}", long=True)
    for number in (0, 1):
        assert finals["ratio"][number].as_py() == last[number, "ratio", 0]
        for index in range(6):
            own = finals[f"table[{index // 3}, {index % 3}]"][number].as_py()
            np.testing.assert_equal(own, last[number, "table", index])
    assert finals["ratio"][2].as_py() is None and finals["table[1, 2]"][2].as_py() is None
    np.testing.assert_equal(long["value"].to_pylist()[:14], [last[key] for key in sorted(last)[:14]])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_entries_of_arrays_whose_size_is_swept_are_those_of_their_own_cell(ending: str, tmp_path: Path) -> None:
    """The shape of the first cell named those of all: [0, 0] stood twice in the second."""
    folder = tmp_path / "run"
    folder.mkdir()
    found = []
    for d in (2, 3):
        one = Replicate("e", "", {"d": d}, 0, "a", key=f"a{d}")
        one.record(0, {"outer": np.add.outer(10.0 * np.arange(d), np.arange(d))})  # its entry [i, j] is 10 i + j
        found.append(one)
    (folder / "cells.json").write_text(json.dumps(cells_json({"e": Results("e", {}, 1, found)})))
    write_curves(folder / "curves.parquet", found)
    run = RunRecord(folder, {"study": "small", "profile": "", "finished": "2026-01-01T00:00:00+00:00"})
    curves = table(run, tmp_path / f"curves.{ending}").to_pylist()
    assert len(curves) == 4 + 9
    for row in curves:
        assert row["entry"] == "[{:.0f}, {:.0f}]".format(*divmod(row["value"], 10))
