"""A run whose replicates other versions had stored says so, and so do two runs that other versions made."""

from __future__ import annotations

import json
from pathlib import Path

import dlspec
import pytest
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.results import run_writer
from dlspec.interpreter.schedule import scheduler
from typer.testing import CliRunner

TRAINED = """
dlspec: 1
study: s
experiments:
  e:
    constants: {c: 1.0}
    sweep: {c: [1.0, 2.0]}
    task: {example: {x: "normal([2])", y: "c * sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: "mean((f - y) ^ 2)"}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 5}
    replicates: 3
    measures: {m: "E((f - y) ^ 2)"}
"""
STUDY = "dlspec: 1\nstudy: s\nexperiments:\n  e: {constants: {d: 2}, sweep: {d: [2]}, measures: {m: d + 1}}\n"
TOLD = "1 replicate was stored before, made by tensorflow 2.18.0"


def test_versions_of_what_was_stored_before_and_of_two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = {**run_writer.versions(), "tensorflow": "2.18.0"}
    with monkeypatch.context() as patched:
        patched.setattr(scheduler, "versions", lambda: older)
        patched.setattr(run_writer, "versions", lambda: older)
        patched.setattr(run_writer, "NUMERICS", 7)
        first = dlspec.run(dlspec.Study(STUDY), runs=tmp_path, jit="graph")
    second = dlspec.run(dlspec.Study(STUDY.replace("[2]", "[2, 3]")), runs=tmp_path, jit="graph")
    about = json.loads((second.path / "run.json").read_text("utf-8"))
    assert about["stored_by"] == [{"packages": older, "replicates": 1}] and about["stored"] == 1
    assert "stored_by" not in json.loads((first.path / "run.json").read_text("utf-8"))
    assert TOLD in (second.path / "report.html").read_text("utf-8")
    shown = CliRunner().invoke(app, ["runs", "--runs", str(tmp_path), "show", second.name])
    assert TOLD in " ".join(shown.stdout.split())

    both = dlspec.compare(first, second)
    words = f"tensorflow 2.18.0 and {about['packages']['tensorflow']}, numerics 7 and {about['numerics']}"
    assert words in " ".join(str(both).split()) and words in both._repr_html_()
    assert both.data()["made_by"] == words and dlspec.compare(second, second).data()["made_by"] is None
    page = both.report(tmp_path / "both.html").read_text("utf-8")
    assert "tensorflow 2.18.0" in page and TOLD in page


def test_cells_of_two_runs_that_programs_of_other_rows_trained(tmp_path: Path) -> None:
    """Each replicate keeps how many rows its program had: two cells of three replicates are six, one alone three. Stored ones keep theirs."""
    study = dlspec.Study(TRAINED)
    whole = dlspec.run(study, runs=tmp_path / "whole", jit="graph", jobs=1)
    again = dlspec.run(study, runs=tmp_path / "whole", jit="graph", jobs=1)
    alone = dlspec.run(study, runs=tmp_path / "alone", jit="graph", jobs=1, overrides=["e.sweep.c=[2.0]"])
    rows = [
        {cell["rows"] for cell in json.loads((run.path / "cells.json").read_text("utf-8"))}
        for run in (whole, again, alone)
    ]
    assert rows == [{6}, {6}, {3}]

    both = dlspec.compare(whole, alone)
    words = "3 replicates in a graph program of 6 rows, and in a graph program of 3 rows"
    assert (
        both.data()["trained_otherwise"] == words and dlspec.compare(whole, again).data()["trained_otherwise"] is None
    )
    assert words in " ".join(str(both).split()) and words in both._repr_html_()
    assert words in " ".join(both.report(tmp_path / "both.html").read_text("utf-8").split())
    assert "rows" not in " ".join(str(dlspec.compare(whole, again)).split())
