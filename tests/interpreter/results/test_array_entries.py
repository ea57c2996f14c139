"""Array measures in the terminal's table, in comparisons and in the report's page: none is left out."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
from dlspec.interpreter.cli.text.results import print_finals
from dlspec.interpreter.report.page import page
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_list import RunRecord
from dlspec.interpreter.results.run_writer import cells_json, write_curves
from dlspec.interpreter.verdicts.run_comparison import as_data, compare
from rich.console import Console


def replicates(shift: float = 0.0) -> list[Replicate]:
    """Two replicates with a square of four entries, and a table of 3 × 4 whose entries count up from the replicate."""
    found = []
    for number in range(2):
        replicate = Replicate("e", "v", {}, number, f"{shift}")
        for step in (0, 10):
            table = np.arange(12.0).reshape(3, 4) + number + shift
            table[0, 1] = math.nan
            replicate.record(step, {"square": np.asarray([[1.0, 2.0], [3.0, 4.0]]) + number + shift, "table": table})
        found.append(replicate)
    return found


def folder(path: Path, shift: float = 0.0) -> RunRecord:
    path.mkdir()
    write_curves(path / "curves.parquet", replicates(shift))
    (path / "cells.json").write_text(json.dumps(cells_json({"e": Results("e", {}, 2, replicates(shift))})))
    (path / "claims.json").write_text("[]")
    told = {"study": "s", "profile": "", "finished": "2026-01-01T00:00:00+00:00", "cells": {"done": 2}, "verdicts": {}}
    (path / "run.json").write_text(json.dumps(told))
    return RunRecord(path, told)


def test_the_terminal_shows_entries_or_what_they_span() -> None:
    console = Console(file=io.StringIO(), width=200)
    print_finals({"e": Results("e", {}, 2, replicates())}, console)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    for name, value in (
        ("[0, 0]", "1.5 (1 … 2)"),
        ("[0, 1]", "2.5 (2 … 3)"),
        ("[1, 0]", "3.5 (3 … 4)"),
        ("[1, 1]", "4.5 (4 … 5)"),
    ):
        assert f"square{name}" in told and value in told
    assert "3 × 4: 0 … 12" in told and told.count("mean (least … largest) over replicates") == 1


def test_a_comparison_shows_entries_or_what_they_span(tmp_path: Path) -> None:
    made = as_data(compare(folder(tmp_path / "a"), folder(tmp_path / "b", 0.5)), [])
    found = {item["measure"]: (item["first"]["mean"], item["second"]["mean"]) for item in made["finals"]}
    assert found == {
        "square[0, 0]": (1.5, 2.0), "square[0, 1]": (2.5, 3.0), "square[1, 0]": (3.5, 4.0), "square[1, 1]": (4.5, 5.0),
        "table (3 × 4), least": (0.5, 1.0), "table (3 × 4), largest": (11.5, 12.0),
    }  # fmt: skip


def test_the_page_has_every_entry(tmp_path: Path) -> None:
    text = page(folder(tmp_path / "a"))
    assert "table: 3 × 4 entries, from 0 to 12" in text
    assert all(f"<td>{row}, {column}</td>" in text for row in range(3) for column in range(4))
