"""What is kept beside a replicate's numbers, its weights and checkpoints: where that fails, the numbers are as they are without."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.checkpoints import Checkpoints
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.ir.plan import Program

from tests.interpreter.silent import Silent

BODY = """
task: {example: {x: "normal([2])"}}
architecture: {f: {input: x, layers: [dense: 1]}}
loss: {l: "(f - x[0])^2"}
training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 4, evaluate: {every: 2, examples: 8}}
measures: {error: "E((f - x[0])^2)"}
replicates: 2
"""


class Warned(Silent):
    """Keeps warnings."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def warn(self, text: str) -> None:
        self.told.append(text)


@pytest.mark.parametrize(
    "error",
    [ValueError("a layer has no config"), OSError(28, "No space left on device"), RuntimeError("HDF5: gone"), MemoryError(), KeyError("k")],
)  # fmt: skip
def test_weights_and_checkpoints_that_cannot_be_written_leave_the_numbers(
    error: Exception, program: Callable[[str], Program], program_cache: ProgramCache, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail(*_: object) -> None:
        raise error

    (batch,) = split_into_batches(CellRequest.of(program(BODY), "cpu"), range(2))
    plain = train(Job(0, batch, "graph"), Silent(), threading.Event(), program_cache)
    monkeypatch.setattr("dlspec.interpreter.program.keras_files.write", fail)
    monkeypatch.setattr(Checkpoints, "save", fail)
    watcher = Warned()
    job = Job(0, batch, "graph", Checkpoints(tmp_path / "c", {}, 0.0), str(tmp_path / "weights"))
    found = train(job, watcher, threading.Event(), program_cache)
    assert [one.status for one in found] == ["done", "done"]
    assert [one.curves["error"] for one in found] == [one.curves["error"] for one in plain]
    *checkpoints, weights = watcher.told
    assert checkpoints and all("no checkpoint could be written" in line for line in checkpoints)
    assert (
        f"the weights of {batch.program.name} could not be written: " in weights and "Its numbers are kept" in weights
    )
