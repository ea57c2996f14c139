"""Figures of experiments that are done, drawn while others are trained: they are those of the end, and fail no sooner."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.api import running
from dlspec.interpreter.cli.exit_codes import DONE, INTERRUPTED
from dlspec.interpreter.cli.run import Terminal, executed
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.executors.base import Threads
from dlspec.interpreter.figures.draw import DRAWERS
from dlspec.interpreter.program.job import JobGroup
from dlspec.interpreter.results.replicates import Replicate
from dlspec.spec.diagnostics.problems import Source

STUDY = """\
dlspec: 1
study: two
experiments:
  first:
    constants: {d: 1}
    sweep: {d: [1, 2]}
    task: {example: {x: "normal()"}}
    measures: {m: E(x) * d}
    figures: {curves: {kind: curves, y: m}, bars: {kind: bars, y: m}}
  second:
    task: {example: {x: "normal()"}}
    measures: {m: E(x) + 1}
    figures: {curves: {kind: curves, y: m}}
"""
CURVES = DRAWERS["curves"]
SECONDS = 60
"""How long a test waits for what should come at once."""


class Drawn:
    """Curves as they are, with a record of which experiment's were drawn by which thread; they fail in some threads. `first` is set once the first's are begun."""

    def __init__(self, fails_in: Sequence[str] = (), note: str = "") -> None:
        self.by: list[tuple[str, str]] = []
        self.first = threading.Event()
        self.fails_in = fails_in
        self.note = note

    def __call__(self, plan: Any, results: Any) -> Any:
        thread = threading.current_thread().name.partition("_")[0]
        self.by.append((plan.experiment, thread))
        if plan.experiment == "first":
            self.first.set()
        if thread in self.fails_in:
            raise RuntimeError("broken on purpose")
        sheet = CURVES(plan, results)
        if self.note and plan.experiment == "first":
            sheet.note(self.note)
        return sheet


Ran = Callable[..., tuple[int, list[str], Path]]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ran:
    """The command with made-up numbers; the second experiment waits until a figure of the first is being drawn, if that is asked for."""
    plan = spec.resolve(spec.parse(Source("two.yaml", STUDY)))
    monkeypatch.setattr(running, "start", lambda *_: None)
    monkeypatch.setattr(running, "device", lambda: "cpu")
    monkeypatch.setattr(running, "overlooked", lambda *_: "")

    def run(drawn: Drawn, waits: bool = True, stops: bool = False) -> tuple[int, list[str], Path]:
        terminal = Terminal(RunOptions(str(tmp_path / "two.yaml"), runs=tmp_path / "runs"))

        def train(group: JobGroup, stop: threading.Event) -> list[list[Replicate]]:
            return [made(job.batch.request, job.batch.numbers) for job in group.jobs]

        def made(request: Any, numbers: Sequence[int]) -> list[Replicate]:
            name = request.program.experiment
            if name == "second" and waits:
                assert drawn.first.wait(SECONDS)
            found = []
            for number in numbers:
                replicate: Replicate = request.replicate(number)
                for step in request.steps:
                    replicate.record(step, {"m": np.asarray(0.5)})
                if name == "second" and stops:
                    terminal.stop.set()
                    replicate.status, replicate.message = "interrupted", "after step 0"
                found.append(replicate)
            return found

        monkeypatch.setitem(DRAWERS, "curves", drawn)
        monkeypatch.setattr(running, "_local", lambda *_: Threads(1, train))
        before = set((tmp_path / "runs").glob("two-*"))
        code = executed(plan, terminal.options, ["run", "two.yaml"], terminal)
        told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
        (folder,) = set((tmp_path / "runs").glob("two-*")) - before
        assert not list((tmp_path / "runs").glob(".two-*")), "nothing is left beside it"
        return code, told, folder

    return run


def files(folder: Path) -> dict[str, bytes]:
    """What was drawn."""
    return {path.name: path.read_bytes() for end in ("png", "svg", "json") for path in folder.glob(f"*.*.{end}")}


def test_figures_of_an_experiment_that_is_done_are_drawn_while_others_are_trained_and_are_those_of_the_end(
    ran: Ran,
) -> None:
    drawn = Drawn()
    code, told, folder = ran(drawn)
    assert (code, told) == (DONE, [])
    assert drawn.by == [("first", "dlspec-draws"), ("second", "MainThread")]
    stored = Drawn()
    _, _, again = ran(stored, waits=False)
    assert stored.by == [("first", "MainThread"), ("second", "MainThread")], (
        "what is stored already is drawn at the end"
    )
    assert files(folder) == files(again) and len(files(folder)) == 9


def test_what_there_is_to_tell_of_a_figure_is_told_once(ran: Ran) -> None:
    drawn = Drawn(note="\N{EGYPTIAN HIEROGLYPH A001}")
    _, told, _ = ran(drawn)
    assert drawn.by == [("first", "dlspec-draws"), ("second", "MainThread")]
    assert len(told) == 1 and told[0].startswith("warning: figure first.curves: the font does not have ")


def test_a_figure_that_fails_meanwhile_is_drawn_at_the_end(ran: Ran) -> None:
    drawn = Drawn(fails_in=("dlspec-draws",))
    code, told, folder = ran(drawn)
    assert (code, told) == (DONE, [])
    assert drawn.by == [("first", "dlspec-draws"), ("first", "MainThread"), ("second", "MainThread")]
    assert len(files(folder)) == 9


def test_a_figure_that_always_fails_is_told_of_once_and_takes_nothing_with_it(ran: Ran) -> None:
    drawn = Drawn(fails_in=("dlspec-draws", "MainThread"))
    code, told, folder = ran(drawn)
    assert drawn.by[:2] == [("first", "dlspec-draws"), ("first", "MainThread")]
    assert code == DONE and len(files(folder)) == 3 and (folder / "report.html").exists()
    assert [line.split(" failed: ")[0] for line in told] == [
        "warning: figure first.curves", "warning: figure second.curves",
    ]  # fmt: skip


def test_a_run_that_is_interrupted_keeps_what_was_drawn(ran: Ran) -> None:
    drawn = Drawn()
    code, _, folder = ran(drawn, stops=True)
    assert code == INTERRUPTED and drawn.by[0] == ("first", "dlspec-draws")
    assert {name.split(".")[0] for name in files(folder)} == {"first", "second"}
