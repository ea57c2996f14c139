"""What diverged or was broken off has no final value, wherever finals are shown; how it ended stands beside it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from dlspec.interpreter.api.run_comparison_text import print_numbers
from dlspec.interpreter.cli.text.results import print_finals
from dlspec.interpreter.report.final_values import Spread, finals
from dlspec.interpreter.results.export_table import export
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_list import RunRecord
from dlspec.interpreter.results.run_writer import cells_json, write_curves
from dlspec.interpreter.verdicts.run_comparison import as_data, compare
from rich.console import Console

SMALL = 1e-9
"""What a diverged replicate measured last: better than all that are done."""
ENDS = ("done", "diverged", "done", "interrupted", "failed")


def replicates() -> list[Replicate]:
    found = []
    for number, status in enumerate(ENDS):
        replicate = Replicate("line", "plain", {"d": 2}, number, "a", status, key=f"a{number}")
        for step in (0, 10) if status != "failed" else ():
            error = number + 1.0 if status == "done" else SMALL
            replicate.record(step, {"error": error, "pair": np.asarray([[error, 2 * error]])})
        found.append(replicate)
    return found


def folder(path: Path, old: bool = False) -> RunRecord:
    """A run's folder; one of before has the last evaluation of every replicate as its final, and curves without a status."""
    path.mkdir()
    entries = cells_json({"line": Results("line", {}, len(ENDS), replicates())})
    write_curves(path / "curves.parquet", replicates())
    if old:
        for entry, replicate in zip(entries, replicates(), strict=True):
            entry["final"] = {name: values[-1].tolist() for name, values in replicate.curves.items()}
        pq.write_table(pq.read_table(path / "curves.parquet").drop_columns(["status"]), path / "curves.parquet")
    (path / "cells.json").write_text(json.dumps(entries))
    (path / "claims.json").write_text("[]")
    told = {"study": "small", "profile": "", "finished": "2026-01-01T00:00:00+00:00", "cells": {}, "verdicts": {}}
    (path / "run.json").write_text(json.dumps(told))
    return RunRecord(path, told)


def printed(width: int = 200) -> Console:
    return Console(file=io.StringIO(), width=width)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_cell_that_is_not_done_has_no_final_but_its_shape() -> None:
    found = [replicate.final() for replicate in replicates()]
    none = {"error": None, "pair": [[None, None]]}
    assert found == [
        {"error": 1.0, "pair": [[1.0, 2.0]]}, none, {"error": 3.0, "pair": [[3.0, 6.0]]}, none, {},
    ]  # fmt: skip


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_exports_say_how_a_cell_ended(ending: str, old: bool, tmp_path: Path) -> None:
    run, path = folder(tmp_path / "run", old), tmp_path / f"out.{ending}"

    def read() -> pa.Table:
        return csv.read_csv(path) if ending == "csv" else pq.read_table(path)

    export(run, path, finals=True)
    assert read().select(["status", "error", "pair[0, 1]"]).to_pylist() == [
        {"status": status, "error": error, "pair[0, 1]": 2 * error if error is not None else None}
        for status, error in zip(ENDS, (1.0, None, 3.0, None, None), strict=True)
    ]
    assert "pair" not in read().column_names
    export(run, path, finals=False)
    table = read()
    assert table.column_names[:6] == ["experiment", "variant", "d", "replicate", "digest", "status"]
    ended = dict(zip(table["replicate"].to_pylist(), table["status"].to_pylist(), strict=True))
    assert ended == {place: status for place, status in enumerate(ENDS) if status != "failed"}


@pytest.mark.parametrize("old", [False, True])
def test_the_report_leaves_them_out(old: bool, tmp_path: Path) -> None:
    (own,) = finals(folder(tmp_path / "run", old).read("cells.json"))
    assert own.measures == ["error", "pair[0, 0]", "pair[0, 1]"]
    assert [row.finals[0] for row in own.rows] == [Spread("2", "1 … 3")] and own.rows[0].replicates == "2 of 5"
    assert [row.finals[0].mean for row in own.each] == ["1", "–", "3", "–", "–"]


def test_the_terminal_leaves_them_out() -> None:
    console = printed()
    print_finals({"line": Results("line", {}, len(ENDS), replicates())}, console)
    assert "2 (1 … 3)" in said(console) and "2 of 5" in said(console) and "e-09" not in said(console)


def test_a_comparison_leaves_them_out(tmp_path: Path) -> None:
    made = compare(folder(tmp_path / "a"), folder(tmp_path / "b", old=True))
    console = printed()
    print_numbers(made, console)
    assert "2 (1 … 3) (2 of 5)" in said(console) and "e-09" not in said(console)
    (error,) = (item for item in as_data(made, [])["finals"] if item["measure"] == "error")
    assert error["second"] == {"mean": 2.0, "range": [1.0, 3.0]} and error["replicates"] == [{"done": 2, "of": 5}] * 2


def test_replicates_of_a_cell_that_ended_alike_stand_in_one_line() -> None:
    found = [
        Replicate("line", variant, {"d": 2}, number, variant, "diverged", message, key=f"{variant}{number}")
        for variant in ("plain", "wide")
        for number, message in enumerate(("in l at step 1",) * 3 + ("in l at step 2",))
    ]
    console = printed()
    print_finals({"line": Results("line", {}, len(found), found)}, console)
    lines = [text.strip() for text in said(console).splitlines() if "diverged" in text]
    assert lines == [
        f"{variant}, d = 2, {numbers}: diverged: in l at step {step}"
        for variant in ("plain", "wide")
        for numbers, step in (("replicates 0 to 2", 1), ("replicate 3", 2))
    ]
