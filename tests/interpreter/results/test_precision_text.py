"""`plan`, `show` and the report say what a study's numbers are, and what of them is rounded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.interpreter.api.plan_text import print_plan
from dlspec.interpreter.cli.show import cells, resolved
from dlspec.interpreter.report.page import page
from dlspec.interpreter.results.replicates import Results
from dlspec.interpreter.results.run_list import read
from dlspec.interpreter.results.run_writer import RunFolder
from dlspec.interpreter.schedule.estimate import plan_data, rows
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import StudyPlan
from dlspec.spec.tables.dtypes import DTYPES

STUDY = """\
dlspec: 1
study: s
experiments:
  e:
    dtype: bfloat16
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 2}
    measures: {m: E(f)}
    variants: {a: {}, b: {}}
"""
SAID = "weights, optimisers, expressions, losses and measures are those of float32"


def planned(text: str = STUDY) -> StudyPlan:
    return spec.resolve(spec.parse(Source("s.yaml", text)))


def test_plan_says_what_is_rounded(capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned()
    found = rows(plan, {}, 1e9, "cpu")
    print_plan(plan, found, 1e9)
    told = " ".join(capsys.readouterr().out.split())
    assert told.count(f"numbers: bfloat16: {DTYPES['bfloat16'].meaning}") == 1 and SAID in told
    assert [replicate["dtype"] for replicate in plan_data(plan, found, 1e9, [])["cells"]] == ["bfloat16"] * 2


def test_plan_says_nothing_of_the_default_and_tells_variants_apart(capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned(STUDY.replace("dtype: bfloat16", "about: the default"))
    print_plan(plan, rows(plan, {}, 1e9, "cpu"), 1e9)
    assert "numbers" not in capsys.readouterr().out
    plan = planned(STUDY.replace("b: {}", "b: {dtype: float64}"))
    print_plan(plan, rows(plan, {}, 1e9, "cpu"), 1e9)
    told = " ".join(capsys.readouterr().out.split())
    assert f"{SAID} (a)" in told and "float64: double precision throughout (b)" in told


def test_show_says_it_of_each_cell() -> None:
    plan = planned()
    assert resolved(plan).count(f"  numbers bfloat16: {DTYPES['bfloat16'].meaning}") == 2
    assert cells(plan).count("numbers bfloat16") == 2


def test_the_report_says_it(tmp_path: Path) -> None:
    plan = planned()
    folder = RunFolder(tmp_path / "runs", plan)
    folder.write_results(plan, {"e": Results.of_plan(plan.experiments[0], [])}, "cpu", ["run", "s.yaml"])
    folder.write_claims([])
    folder.write_verdicts([])
    run = read(folder.commit())
    about = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert about["numbers"] == {"e": [f"bfloat16: {DTYPES['bfloat16'].meaning}"]}
    assert f"<dt>numbers</dt><dd>e: bfloat16: {DTYPES['bfloat16'].meaning.split(',')[0]}" in page(run) and SAID in page(
        run
    )
