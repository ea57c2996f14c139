"""Axes in step, of which one has a value twice: in the store, the exports, the report and a difference each row carries both values."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dlspec import spec
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.cli.run import DONE, execute
from dlspec.interpreter.cli.run_options import Jit, RunOptions
from dlspec.spec.diagnostics.problems import Source
from typer.testing import CliRunner

STUDY = """\
dlspec: 1
study: zipped
experiments:
  e:
    constants: {d: 1, m: 1}
    sweep: {d: [2, 2, 3], m: [5, 7, 7]}
    zip: [[d, m]]
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: (f - d)^2}
    gradient: {f: freeze}
    training: {optimizer: sgd, batch: 4, steps: 2, evaluate: {every: 1, examples: 8}}
    measures: {size: norm(f.weights), place: "E(0 * x[0]) + 10 * d + m"}
    replicates: 1
"""  # every weight is frozen: nothing is trained, and all is measured
PAIRS = {(2.0, 5.0), (2.0, 7.0), (3.0, 7.0)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one of the study, and its cells in the store."""
    root = tmp_path_factory.mktemp("zipped") / "runs"
    (root.parent / "zipped.yaml").write_text(STUDY, "utf-8")
    assert (
        execute(
            spec.resolve(spec.parse(Source("zipped.yaml", STUDY))),
            RunOptions(str(root.parent / "zipped.yaml"), runs=root, jobs=1, jit=Jit.graph),
            ["run", "zipped.yaml"],
        )
        == DONE
    )
    return root


def folder(root: Path) -> Path:
    return min(path.parent for path in root.glob("*/run.json"))


def said(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, list(arguments))
    assert found.exit_code == code, found.output
    return found.output


def test_each_row_of_an_export_carries_both_values(runs: Path, tmp_path: Path) -> None:
    for finals in ([], ["--finals"]):
        for end in ("csv", "parquet"):
            path = tmp_path / f"table{len(finals)}.{end}"
            said("runs", "export", folder(runs).name, str(path), *finals, "--runs", str(runs))
            rows = list(csv.DictReader(path.open())) if end == "csv" else pq.read_table(path).to_pylist()
            points = rows
            assert {(float(point["d"]), float(point["m"])) for point in points} == PAIRS
            for row, point in zip(rows, points, strict=True):
                if finals or row["measure"] == "place":
                    assert float(row["place" if finals else "value"]) == 10 * float(point["d"]) + float(point["m"])


def test_a_second_run_takes_all_from_the_store(runs: Path) -> None:
    plan = spec.resolve(spec.parse(Source("zipped.yaml", STUDY)))
    options = RunOptions(str(runs.parent / "zipped.yaml"), runs=runs, jobs=1, jit=Jit.graph)
    assert execute(plan, options, ["run", "zipped.yaml"]) == DONE
    newest = max((path.parent for path in runs.glob("*/run.json")), key=lambda path: path.stat().st_mtime_ns)
    cells = json.loads((newest / "cells.json").read_text("utf-8"))
    assert all(cell["stored"] for cell in cells) and len(cells) == 3
    assert all(cell["final"]["place"] == 10 * cell["constants"]["d"] + cell["constants"]["m"] for cell in cells)


def test_frozen_weights_stay_as_they_were_drawn(runs: Path) -> None:
    table = pq.read_table(folder(runs) / "curves.parquet").to_pylist()
    sizes = [row["value"] for row in table if row["measure"] == "size"]
    assert len(sizes) == 9 and len({round(size, 9) for size in sizes}) <= 3 and min(sizes) > 0
    assert all(sizes[at] == sizes[at + 1] == sizes[at + 2] for at in (0, 3, 6))


def test_what_is_shown_of_a_run_names_both_values_and_the_form(runs: Path) -> None:
    told = said("runs", "show", folder(runs).name, "--runs", str(runs))
    assert "compiled as graph" in told
    page = (folder(runs) / "report.html").read_text("utf-8")
    for d, m in PAIRS:
        assert f"d = {d:g}, m = {m:g}" in told and f"d = {d:g}, m = {m:g}" in page


def test_a_difference_names_both_values(runs: Path, tmp_path: Path) -> None:
    after = tmp_path / "after.yaml"
    after.write_text(STUDY.replace("m: [5, 7, 7]", "m: [5, 7, 8]"), "utf-8")
    told = said("diff", str(runs.parent / "zipped.yaml"), str(after), "--runs", str(runs), "--json", code=1)
    (diff,) = json.loads(told)["studies"]
    points = {(cell["constants"]["d"], cell["constants"]["m"]): cell["status"] for cell in diff["cells"]}
    assert points == {(2, 5): "same", (2, 7): "same", (3, 8): "new", (3, 7): "gone"}
    stored = json.loads(told)["stored"]["finals"]
    shown = {name: float(rows["place"]["before"]) for name, rows in stored.items() if "place" in rows}
    assert shown == {"e d=2 m=5": 25, "e d=2 m=7": 27, "e d=3 m=7": 37}, "cells of one training, measured otherwise"
