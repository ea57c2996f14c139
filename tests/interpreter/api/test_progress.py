"""Who hears of a run in Python, and what a notebook shows meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import dlspec
import pytest
from dlspec.interpreter.api.notebook_progress import InNotebook, notebook_display
from dlspec.interpreter.api.start import Interrupted
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.requests import CellRequest

STUDY = """\
dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 2, steps: 100, evaluate: {every: 50, examples: 2}}
    measures: {error: E(f^2)}
    sweep: {r: [1, 2]}
    constants: {r: 1}
"""


@pytest.fixture
def jobs() -> list[Job]:
    """Two replicate batches of 100 steps each."""
    (experiment,) = dlspec.Study(STUDY).resolved().experiments
    batches = [batch for one in experiment.programs for batch in split_into_batches(CellRequest.of(one, "cpu"), [0])]
    return [Job(number, batch, "graph") for number, batch in enumerate(batches)]


def test_a_notebook_shows_a_bar_that_moves_and_a_line_a_batch(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlspec.interpreter.api.notebook_progress.SECONDS", 0.0)
    shown: list[str] = []

    def show(text: str) -> Callable[[str], None]:
        shown.append(text)
        return shown.append

    warned: list[str] = []
    first, second = jobs
    with InNotebook([job.batch for job in jobs], show, warned.append) as bars:
        bars.started(first, 0)
        bars.evaluated(first, 50, {"error": [0.25]}, 10.0)
        assert "max='200' value='50'" in shown[-1] and "e r=1: step 50 of 100  error 0.25" in shown[-1]
        bars.finished(first, [Replicate("e", "", {"r": 1}, 0, "d")])
        bars.started(second, 0)
        bars.evaluated(second, 50, {"error": [0.5]}, 10.0)
        bars.finished(second, [Replicate("e", "", {"r": 2}, 0, "d", "interrupted", "after <b>step</b> 50")])
        bars.warn("look")
    assert (
        "max='200' value='150'" in shown[-1] and "after &lt;b&gt;step&lt;/b&gt; 50" in shown[-1] and warned == ["look"]
    )


def test_a_browser_that_is_gone_costs_no_run(jobs: list[Job]) -> None:
    def gone(text: str) -> None:
        raise RuntimeError("no comm")

    with InNotebook([job.batch for job in jobs], lambda text: gone, print) as bars:
        bars.started(jobs[0], 0)


def test_a_notebook_is_known_by_its_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert notebook_display() is None
    for shell in (None, SimpleNamespace()):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert notebook_display() is None
    updates: list[Any] = []
    handle = SimpleNamespace(update=updates.append)
    display = SimpleNamespace(
        HTML=lambda text: ("html", text), display=lambda what, display_id: updates.append(what) or handle
    )
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    show = notebook_display()
    assert show is not None
    show("a")("b")
    assert updates == [("html", "a"), ("html", "b")]


def test_a_stop_is_told_in_a_line() -> None:
    assert Interrupted("interrupted: all is kept")._render_traceback_() == ["interrupted: all is kept"]
    assert issubclass(Interrupted, KeyboardInterrupt)


def test_progress_as_lines_where_there_is_no_terminal(tmp_path: Any, capfd: pytest.CaptureFixture[str]) -> None:
    study = dlspec.Study(
        "dlspec: 1\nstudy: s\nexperiments: {e: {task: {example: {x: normal()}}, measures: {m: E(x)}}}\n"
    )
    dlspec.run(study, runs=tmp_path, jit="graph", progress=True)
    dlspec.run(study, runs=tmp_path, jit="graph", progress=True)
    told = capfd.readouterr().err.splitlines()
    assert (
        told[0] == "[1/1] e: measured only, 1 replicate, graph"
        and told[-1] == "all 1 replicates are stored already: nothing to run"
    )
    dlspec.run(study, runs=tmp_path, jit="graph")
    assert capfd.readouterr() == ("", "")
