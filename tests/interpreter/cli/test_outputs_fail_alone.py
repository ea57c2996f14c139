"""Trackers, exporters, progress and what is printed: each fails on purpose, one after the other, and takes nothing else with it."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dlspec.interpreter.tracking as tracking_room
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from dlspec import spec
from dlspec.interpreter.api.notebook_progress import InNotebook
from dlspec.interpreter.cli.app import app
from dlspec.interpreter.cli.run import CLAIM_FAILS, DONE, ERROR
from dlspec.interpreter.program import export as program_export
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.results import export_table
from dlspec.interpreter.results.folder_names import REPORT
from dlspec.interpreter.results.run_list import read
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.schedule.progress import JsonLines, Live, Log, Quiet
from dlspec.interpreter.store.requests import requests_of
from dlspec.interpreter.tracking.tracker import Tracker
from rich.console import Console
from typer.testing import CliRunner

from tests.interpreter.cli.made_runs import fails, pictures, put, whole
from tests.interpreter.tracking.made_mlflow import CALLS, Server, install

METHODS = [name for name in vars(Tracker) if not name.startswith("_")]
ASKED: dict[str, dict[str, Any]] = {"TensorBoard": {"tensorboard": True}, "MLflow": {"mlflow": "file:x"}}
"""How each tracker is asked for."""


def trackers() -> dict[str, Any]:
    """All classes of the room that are trackers."""
    modules = [
        importlib.import_module(f"{tracking_room.__name__}.{one.name}")
        for one in pkgutil.iter_modules(tracking_room.__path__)
    ]
    classes = {name: one for module in modules for name, one in inspect.getmembers(module, inspect.isclass)}
    return {
        name: one
        for name, one in classes.items()
        if one is not Tracker and all(hasattr(one, method) for method in METHODS)
    }


TRACKERS = trackers()


def test_every_tracker_is_made_to_fail() -> None:
    assert TRACKERS.keys() == ASKED.keys()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ASKED)
def test_a_tracker_fails_alone(
    name: str, method: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, Server())
    monkeypatch.setattr(TRACKERS[name], method, fails)
    code, out, told, folder = run(**ASKED[name])
    whole(out, folder)
    assert code == CLAIM_FAILS and pictures(folder) == {"curves"} and (folder / REPORT).exists()
    assert told == [
        f"warning: {name} gets no more of this run: RuntimeError: broken on purpose. The run continues, and keeps everything"
    ]


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_refuses_a_call_costs_its_tracker_alone(
    call: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(call, fails)
    install(monkeypatch, server)
    asks_for_earlier_runs = call == "search_runs"  # of what is stored alone
    code, out, told, folder = run(stored=asks_for_earlier_runs, mlflow="file:x", tensorboard=True)
    whole(out, folder)
    assert (
        call in server.called
        and code == CLAIM_FAILS
        and len(told) == 1
        and told[0].startswith("warning: MLflow gets no more")
    )
    assert (folder.parent / "tensorboard" / folder.name / "figures").is_dir(), "the other tracker has all"


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("cli.run Text", "title"), ("cli.text.results print_finals", "table of finals"), ("cli.text.results print_claims", "list of claims"),
        ("cli.run registration_text", "comparison with what was registered"), ("cli.run _print_files", "list of files"),
        ("api.conclude earlier_looks", "the look for earlier verdicts"), ("api.running compared", "the comparison with what was registered"),
    ],
)  # fmt: skip
def test_each_part_of_what_is_printed_fails_alone(
    place: str, part: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, place, fails)
    code, out, told, folder = run()
    assert code == CLAIM_FAILS and folder is not None and (folder / REPORT).exists() and pictures(folder) == {"curves"}
    assert len(told) == 1 and told[0].startswith(f"warning: {part} failed: RuntimeError: broken on purpose.")
    assert ("steps   replicates" in out) == (part != "table of finals") and ("✗ fails" in out) == (
        part != "list of claims"
    )


def test_json_that_cannot_be_made_is_told_and_the_run_is_kept(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, "cli.run summary", fails)
    code, out, told, folder = run(as_json=True)
    assert code == ERROR and out == "" and folder is not None and (folder / "claims.json").exists()
    assert len(told) == 1 and f"The run is kept in {folder}" in told[0]


# -- progress ------------------------------------------------------------------------------------------------------------

SHOWS = [name for name in vars(Quiet) if name.startswith("show_")]
WATCHERS: dict[str, Callable[[Any], Quiet]] = {
    "Log": Log, "JsonLines": JsonLines, "Live": lambda batches: Live(batches, Console(stderr=True)),
    "InNotebook": lambda batches: InNotebook(batches, lambda text: print, Quiet().warn),
}  # fmt: skip


@pytest.mark.parametrize("error", [RuntimeError("broken on purpose"), MemoryError(), SystemExit(1), OSError(5, "gone")])
@pytest.mark.parametrize("name", WATCHERS)
def test_progress_that_cannot_be_shown_ends_no_run(
    name: str, error: BaseException, plan: spec.StudyPlan, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Each event in turn; the first fault of dlspec's own is told, and no other."""
    first, second = (split_into_batches(one, [0])[0] for one in requests_of(plan, "cpu"))
    job, events = Job(1, first, "graph"), []

    def broken(*_: Any) -> None:
        events.append(1)
        raise error

    watcher = WATCHERS[name]([first, second])
    for show in SHOWS:
        monkeypatch.setattr(watcher, show, broken)
    with watcher:
        watcher.started(job, 0)
        watcher.compiling(job)
        watcher.evaluated(job, 10, {"error": [0.5]}, 1.0)
        watcher.stored(second, [], False)
        watcher.waiting(2)
        watcher.finished(job, [])
    assert len(events) == len(SHOWS) == 6
    told = capsys.readouterr().err.count("progress cannot be shown")
    assert told == isinstance(error, Exception) - isinstance(error, OSError)


def test_bars_that_cannot_be_begun_or_ended_end_no_run(plan: spec.StudyPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = Live([], Console(stderr=True))
    monkeypatch.setattr(bars.progress, "start", fails)
    monkeypatch.setattr(bars.progress, "stop", fails)
    with bars, InNotebook([], fails, print):
        pass


# -- exporters -----------------------------------------------------------------------------------------------------------


def half(*told: Any, **_: Any) -> Any:
    """Writes a part of a file, given as a path or open, and fails."""
    out = next(one for one in told if isinstance(one, Path) or hasattr(one, "fileno"))
    out.write_bytes(b"half") if isinstance(out, Path) else out.write(b"half")
    raise OSError(28, "No space left on device")


WRITERS = {
    (".csv", True): (csv, "write_csv"), (".parquet", True): (pq, "write_table"),
    (".csv", False): (csv, "CSVWriter"), (".parquet", False): (pq, "ParquetWriter"),
}  # fmt: skip


@pytest.mark.parametrize(("ending", "finals"), WRITERS)
def test_a_table_is_exported_whole_or_the_one_before_stays(
    ending: str, finals: bool, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = run()[3]
    assert ending in export_table.ENDINGS
    out = tmp_path / f"out{ending}"
    asked = ["runs", "export", folder.name, str(out), "--runs", str(folder.parent), *(["--finals"] if finals else [])]
    assert CliRunner().invoke(app, asked).exit_code == DONE
    before = out.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(*WRITERS[ending, finals], half)
        assert CliRunner().invoke(app, asked).exit_code == ERROR
    assert out.read_bytes() == before and [
        path.name for path in tmp_path.iterdir() if "out" in path.name or "draft" in path.name
    ] == [out.name]
    nowhere = tmp_path / "no" / f"out{ending}"
    with pytest.raises(spec.StudyError, match="no") as caught:
        export_table.export(read(folder), nowhere, finals)
    assert "curves.parquet" not in str(caught.value), "the run is whole"


@pytest.mark.parametrize("form", program_export.PLACES)
def test_a_program_is_exported_whole_or_not_at_all(form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(compiled: Any, place: Path) -> Any:
        place.mkdir()
        (place / "half").write_text("", "utf-8")
        fails()

    monkeypatch.setattr(program_export, f"_{form}", broken)
    compiled = SimpleNamespace(program=SimpleNamespace(dtype="float32"))
    with pytest.raises(RuntimeError, match="broken on purpose"):
        program_export.export(compiled, form, tmp_path / "out", "cpu")
    assert list(tmp_path.iterdir()) == []


def test_a_figure_of_two_runs_fails_alone(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = run()[3], run()[3]
    put(monkeypatch, "figures.run_comparison draw", fails)
    asked = ["compare", first.name, second.name, "--runs", str(first.parent)]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == ERROR and "same cells" in shown.stdout and "figure" not in shown.stdout
    assert shown.stderr.splitlines() == [
        "warning: the figure of both failed: RuntimeError: broken on purpose. This is a fault in dlspec: please report it. The rest is here"
    ]
    made = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert made["figures"] == [] and {item["same_cells"] for item in made["finals"]} == {True}
