"""A run in Python: what it gave, as the run's folder holds it."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dlspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from dlspec.interpreter.api.settings import RunSettings
from dlspec.interpreter.api.shown_figures import Figures
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.cli.run_options import RunOptions
from typer.testing import CliRunner

LONG = """\
dlspec: 1
study: long
experiments:
  e:
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 2, steps: 100, evaluate: {every: 1, examples: 2}}
    measures: {error: E(f^2)}
"""


def test_finals_are_those_of_the_folder_with_the_axes_as_numbers(run: dlspec.Run) -> None:
    cells = json.loads((run.path / "cells.json").read_text("utf-8"))
    finals = run.finals()
    assert finals.columns.tolist() == [
        "cell", "experiment", "variant", "d", "r", "axis.steps", "replicate", "digest", "status", "steps", "seconds", "error",
        "pair[0]", "pair[1]", "m",
    ]  # fmt: skip
    assert [str(finals[name].dtype) for name in ("d", "r", "axis.steps", "replicate")] == [
        "Int64",
        "float64",
        "Int64",
        "int64",
    ]
    own = finals[finals.experiment == "e"]
    assert own["error"].tolist() == [item["final"]["error"] for item in cells if item["experiment"] == "e"]
    assert own["pair[1]"].tolist() == own["r"].tolist() and own["pair[0]"].nunique() > 1
    assert finals["cell"].tolist()[4] == "e d=2 r=0.5" and finals["m"].tolist()[-2:] == [4, 5]
    assert set(finals["status"]) == {"done"} and finals["steps"].tolist() == [30] * 8 + [0] * 2
    alone = run.finals("other")
    assert {"m", "axis.steps"} <= set(alone.columns) and not {"d", "error"} & set(alone.columns)
    assert alone["axis.steps"].tolist() == [3, 4] and str(alone["axis.steps"].dtype) == "int64"


def test_curves_are_those_of_the_folder(run: dlspec.Run) -> None:
    table = pq.read_table(run.path / "curves.parquet").to_pandas()
    curves = run.curves()
    for name in ("experiment", "replicate", "measure", "index", "step", "value", "status", "digest"):
        assert curves[name].tolist() == table[name].tolist()
    points = [json.loads(text) for text in table["constants"]]
    assert [value for value in curves["d"].dropna()] == [point["d"] for point in points if "d" in point]
    assert str(curves["d"].dtype) == "Int64" and curves["d"].isna().sum() == 2
    one = run.curves("e", "error")
    assert set(one["measure"]) == {"error"} and sorted(set(one["step"])) == [0, 10, 20, 30] and len(one) == 4 * 8
    assert (one["error"] > 0).all() and "steps" not in one.columns and str(one["d"].dtype) == "int64"


def test_a_dataset_holds_the_same_on_its_axes(run: dlspec.Run) -> None:
    data, curves = run.to_xarray("e"), run.curves("e")
    assert dict(data.sizes) == {"d": 2, "r": 2, "replicate": 2, "step": 4, "pair_0": 2}
    for row in curves.itertuples():
        found = data[row.measure].sel(d=row.d, r=row.r, replicate=row.replicate, step=row.step)
        assert float(found if row.measure == "error" else found.isel(pair_0=row.index)) == row.value
    assert (data["status"] == "done").all() and data.attrs["experiment"] == "e"
    other = run.to_xarray("other")
    assert other["m"].dims == ("steps", "replicate", "step") and other["steps"].values.tolist() == [3, 4]
    assert other["m"].values.ravel().tolist() == [4, 5]


def test_claims_are_those_of_the_folder(run: dlspec.Run) -> None:
    kept = json.loads((run.path / "claims.json").read_text("utf-8"))
    claims = run.claims()
    assert claims["claim"].tolist() == ["e.small", "e.large"] and claims["verdict"].tolist() == ["seen", "fails"]
    assert claims["value"].tolist() == [item["value"] for item in kept] and claims["low"].tolist() == [
        item["range"][0] for item in kept
    ]
    assert [one.verdict for one in run.verdicts] == ["seen", "fails"] and run.verdicts[
        0
    ].claim.text == "final(error) < 10"
    assert repr(run.verdicts).splitlines()[1] == "✗ fails        e.large: It is large."
    assert run.exit_code == 3 and not run.interrupted


def test_weights_are_keras_models_and_what_is_not_there_is_said(run: dlspec.Run, tmp_path: Path) -> None:
    (model,) = run.weights("e d=2 r=0.5", 1).values()
    assert model.input_shape == (None, 2) and [weight.shape for weight in model.weights] == [(2, 1), (1,)]
    assert float(model(np.zeros((1, 2)))[0, 0]) == pytest.approx(float(model.weights[1][0]))
    other = run.weights("e d=2 r=0.5", 0)["f"]
    assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])
    # An archive takes them elsewhere.
    elsewhere = dlspec.unpack(run.pack(tmp_path / "a.dlspec.zip", weights=True), tmp_path / "runs")
    assert elsewhere.path.parent == tmp_path / "runs"
    (taken,) = elsewhere.weights("e d=2 r=0.5", 1).values()
    for one, same in zip(taken.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)


def test_figures_and_report_are_those_of_the_folder(run: dlspec.Run, tmp_path: Path) -> None:
    assert list(run.figures) == ["e.curves"] and run.figures["e.curves"].path == run.path / "e.curves.png"
    figure = run.figures["e.curves"]
    assert figure.title == "Errors <u>fall</u>" and figure.svg.startswith("<?xml") and figure.numbers is not None
    assert figure.numbers["panels"][0]["series"][0]["x"] == [0, 10, 20, 30]
    assert "<img src='data:image/" in figure.html and "<u>" not in figure.html
    assert not hasattr(figure, "_repr_html_"), (
        "IPython would put it beside the drawing, and JupyterLab shows HTML first"
    )
    shown, sizes = figure._repr_mimebundle_()
    assert set(shown) == {"application/vnd.vegalite.v5+json", "image/png", "text/plain"}, (
        "HTML would come before the drawing"
    )
    assert base64.b64decode(shown["image/png"]) == figure.path.read_bytes() and set(sizes["image/png"]) == {
        "width",
        "height",
    }
    drawing = json.loads(json.dumps(shown["application/vnd.vegalite.v5+json"], allow_nan=False))
    assert drawing["$schema"].endswith("/vega-lite/v5.json") and "0,0,30," in drawing["data"]["values"]
    assert run.report() == run.path / "report.html"
    assert run.report(tmp_path / "page.html").read_text("utf-8") == run.report().read_text("utf-8")


def test_a_notebook_shows_every_figure_as_it_shows_itself(run: dlspec.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    display = SimpleNamespace(HTML=lambda text: ("html", str(text)), display=lambda *values: shown.extend(values))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    run.figures._ipython_display_()
    assert shown == [("html", "<p style='margin:0.2em 0'>e.curves</p>"), run.figures["e.curves"]]
    shown.clear()
    Figures({})._ipython_display_()
    assert shown == [("html", "<p style='margin:0.2em 0;opacity:0.75'>no figures</p>")]


def test_runs_are_found_again(run: dlspec.Run, folder: Path) -> None:
    (listed,) = dlspec.runs(folder)
    assert listed.path == run.path == dlspec.open_run("small", folder).path == dlspec.open_run(run.path).path
    assert dlspec.runs(folder, verdict="holds") == [] and len(dlspec.runs(folder, study="small", verdict="fails")) == 1
    assert dlspec.runs(folder / "none") == []
    assert listed.study.name == "small" and listed.study.validate().valid
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("[]")
    with pytest.warns(dlspec.StudyWarning, match=r"broken/run\.json: cannot be read: it is not an object"):
        assert len(dlspec.runs(folder)) == 1
    (folder / "broken" / "run.json").unlink()


def test_what_is_not_there_is_said_with_what_is(run: dlspec.Run, folder: Path) -> None:
    study = run.study
    cases = [
        (lambda: run.to_xarray(), "several experiments: e and other", "to_xarray(NAME)"),
        (lambda: run.finals("f"), "no experiment 'f'", "There are e and other."),
        (lambda: run.curves(measure="eror"), "no measure 'eror'", "Did you mean 'error'?"),
        (lambda: run.weights("e"), "no cell 'e'", "'e d=1 r=0.5'"),
        (lambda: run.weights("e d=1 r=1", 5), "no replicate 5", "There are 0 and 1."),
        (lambda: run.weights("other steps=3"), "were not kept", "keep_weights=True"),
        (lambda: run.figures["e.curve"], "no figure 'e.curve'", "Did you mean 'e.curves'?"),
        (lambda: dlspec.open_run("x", folder), "no run 'x'", "lists them all"),
        (lambda: dlspec.run(study, jit="xl"), "no jit 'xl'", "Did you mean 'xla'?"),
        (lambda: dlspec.run(study, executor="rey"), "no executor 'rey'", "Did you mean 'ray'?"),
        (lambda: dlspec.run(study, device="tpu"), "no device 'tpu'", "It is auto, cpu, gpu"),
        (lambda: dlspec.run(study, jobs=0), "jobs is 0", "At least one"),
        (lambda: dlspec.run(study, progress=3, runs=folder), "progress is 3", "a function"),
        (lambda: dlspec.run(study, address="h:1"), "address is that of a Ray cluster", 'executor="ray"'),
        (lambda: dlspec.run(study, profile="quick"), "no profile 'quick'", "There are no profiles here."),
    ]  # fmt: skip
    for act, message, remedy in cases:
        with pytest.raises(dlspec.StudyError) as caught:
            act()
        assert message in str(caught.value) and remedy in str(caught.value)


def test_what_a_notebook_shows_is_escaped_and_small(run: dlspec.Run, folder: Path) -> None:
    for shown in (run, run.verdicts, run.study, dlspec.Study(LONG)):
        text = shown._repr_html_()
        assert not any(tag in text for tag in ("<script", "<i>", "<u>")) and len(text) < 12_000
    assert "It is &lt;i&gt;small&lt;/i&gt;." in run._repr_html_() and "<table" in run._repr_html_()
    assert run.name in dlspec.runs(folder, study="small")._repr_html_()


def test_the_command_line_does_the_same_with_the_words_that_are_kept(run: dlspec.Run) -> None:
    words = run.about["command"]
    assert words[0] == "run" and words[2:] == [
        "-o", "e.training.steps=30", "--jit", "graph", "--runs", str(run.path.parent), "--keep-weights"
    ]  # fmt: skip
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == run.exit_code == 3, done.output
    told = json.loads(done.stdout)
    assert all(cell["stored"] for cell in told["cells"]) and len(told["cells"]) == 10
    assert [cell["final"] for cell in told["cells"]] == [item["final"] for item in run.record.read("cells.json")]


def test_a_function_is_told_of_every_event(run: dlspec.Run, events: list[dict[str, Any]]) -> None:
    assert run.path.exists() and events[0] == {
        **events[0],
        "event": "planned",
        "replicates": 10,
        "stored": 0,
        "to_run": 10,
    }
    told = [event["event"] for event in events]
    assert told.count("started") == told.count("finished") >= 2
    steps = [event["step"] for event in events if event["event"] == "evaluated" and event["experiment"] == "e"]
    assert set(steps) == {0, 10, 20, 30} and json.dumps(events)


def test_the_settings_are_the_options_of_the_command() -> None:
    assert RunOptions("a.yaml").settings() == RunSettings(study=Path("a.yaml"))


def test_interrupted_it_keeps_what_there_was_and_goes_on_from_there(tmp_path: Path) -> None:
    study = dlspec.Study(LONG, "long.yaml")
    before = signal.getsignal(signal.SIGINT)

    def interrupt(event: dict[str, Any]) -> None:
        if event["event"] == "evaluated" and event["step"] == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(
        KeyboardInterrupt, match="interrupted: 0 replicates are complete, 1 in part; their results are kept in"
    ):
        dlspec.run(study, runs=tmp_path, progress=interrupt, jit="graph", checkpoint=0)
    assert signal.getsignal(signal.SIGINT) is before
    (run,) = dlspec.runs(tmp_path)
    assert run.interrupted and run.exit_code == 130 and run.finals()["status"].tolist() == ["interrupted"]
    assert run.finals()["error"].isna().all() and 3 <= run.curves()["step"].max() < 100
    assert "broken off" in run._repr_html_()
    begun: list[int] = []
    whole = dlspec.run(study, runs=tmp_path, jit="graph", progress=lambda e: begun.append(e.get("from_step", 0)))
    assert whole.exit_code == 0 and max(begun) >= 3 and whole.curves()["step"].max() == 100


def test_interrupted_twice_it_ends_at_once_and_the_process_lives(tmp_path: Path) -> None:
    study = dlspec.Study(LONG, "long.yaml")

    def interrupt(event: dict[str, Any]) -> None:
        if event["event"] == "evaluated" and event["step"] == 1:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)  # until the main thread has heard the first
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    with pytest.raises(KeyboardInterrupt):
        dlspec.run(study, runs=tmp_path, progress=interrupt, jit="graph")
    assert dlspec.runs(tmp_path) == []
    assert dlspec.run(study, runs=tmp_path, jit="graph").exit_code == 0


def test_the_fault_of_a_function_ends_the_run_and_is_raised(tmp_path: Path) -> None:
    def fault(event: dict[str, Any]) -> None:
        if event["event"] == "evaluated":
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        dlspec.run(dlspec.Study(LONG), runs=tmp_path, progress=fault, jit="graph")
    assert dlspec.runs(tmp_path)[0].curves()["step"].max() < 100


def test_in_a_thread_of_its_own_it_runs_as_well(tmp_path: Path) -> None:
    made: list[dlspec.Run] = []
    worker = threading.Thread(target=lambda: made.append(dlspec.run(dlspec.Study(LONG), runs=tmp_path, jit="graph")))
    worker.start()
    worker.join()
    assert made[0].exit_code == 0
