"""`dlspec run` with trackers: curves of fresh and of stored cells, a server that is not there, and what pruning removes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.program.training_loop import train
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.ir.plan import Program

from tests import forked

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is not installed"
)

STUDY = """\
dlspec: 1
study: seen
experiments:
  line:
    constants: {rate: 0.1}
    task: {draw: {v: "normal([3])"}, example: {x: "normal([3])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 8, steps: 40, evaluate: {every: 10, examples: 64}}
    measures: {error: E((f - y)^2)}
    replicates: 2
    figures: {fall: {kind: curves, y: error}}
"""
CODE = (
    "import sys; from dlspec.interpreter.cli.app import main\n"
    "try: main()\nfinally: print('tensorflow' in sys.modules, file=sys.stderr)"
)


def command(folder: Path, *arguments: str, light: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    return forked.run(
        [sys.executable, "-c", CODE, *arguments], light=light, cwd=folder, capture_output=True, text=True, env=environment, timeout=300, check=True
    )  # fmt: skip


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = {}
    for path in sorted(folder.glob("line/*/events.*")):
        held = accumulator.EventAccumulator(str(path.parent))
        held.Reload()
        found[path.parent.name] = [(event.step, event.value) for event in held.Scalars("error")]
    return found


def test_fresh_and_stored_cells_are_seen_and_pruned(tmp_path: Path) -> None:
    (tmp_path / "seen.yaml").write_text(STUDY, "utf-8")
    nowhere = ["--mlflow", "http://127.0.0.1:9"] if find_spec("mlflow") else []
    fresh = command(tmp_path, "run", "seen.yaml", "--jit", "graph", "--tensorboard", *nowhere, light=False)
    if nowhere:
        assert fresh.stderr.count("warning: MLflow gets no more of this run: ") == 1
    stored = command(tmp_path, "run", "seen.yaml", "--tensorboard")
    assert stored.stderr.splitlines()[-1] == "False", "TensorFlow is not needed to show what is stored"
    runs = sorted((tmp_path / "runs").glob("seen-*"))
    boards = [tmp_path / "runs" / "tensorboard" / run.name for run in runs]
    assert len(runs) == 2 and all(board.is_dir() for board in boards)
    rows = pq.read_table(runs[0] / "curves.parquet").to_pylist()
    wanted = {
        f"replicate_{replicate}": [(row["step"], float(np.float32(row["value"]))) for row in rows if row["replicate"] == replicate]
        for replicate in range(2)
    }  # fmt: skip
    assert [step for step, _ in wanted["replicate_0"]] == [0, 10, 20, 30, 40]
    assert curves(boards[0]) == curves(boards[1]) == wanted
    assert all(list((board / "figures").glob("events.*")) for board in boards)
    command(tmp_path, "runs", "prune", runs[0].name)
    assert not boards[0].exists() and boards[1].exists()
    listed = json.loads(command(tmp_path, "runs", "--json").stdout)
    assert [run["run"] for run in listed["runs"]] == [runs[1].name]


def test_an_evaluation_names_its_replicates(program: Callable[[str], Program]) -> None:
    """Rows of replicates that have met `until` are undefined, so that each row is its replicate's."""
    found = program(
        """
        task: {draw: {v: "normal()"}, example: {x: "normal()", y: "v * x"}}
        architecture: {f: {input: "[x]", layers: [dense: 1]}}
        loss: {l: (f - y)^2}
        training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 16, steps: 40, evaluate: {every: 5, examples: 64}, until: error < 0.1}
        measures: {error: E((f - y)^2)}
        replicates: 4
        """
    )
    seen: list[dict[str, Any]] = []

    class Noting:
        def started(self, *_: Any) -> None: ...

        def compiling(self, *_: Any) -> None: ...

        def finished(self, *_: Any) -> None: ...

        def warn(self, text: str) -> None: ...

        def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
            seen.append({"step": step, **measures})

    (batch,) = split_into_batches(CellRequest.of(found, "cpu"), range(4))
    cells = train(Job(0, batch, "graph"), Noting(), threading.Event())
    assert len({len(cell.steps) for cell in cells}) > 1, "they end at different steps"
    for place, cell in enumerate(cells):
        told = [(one["step"], one["error"][place]) for one in seen if not np.isnan(one["error"][place])]
        assert told == [(step, value) for step, value in zip(cell.steps, cell.curves["error"], strict=True)]
