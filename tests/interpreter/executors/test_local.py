"""Processes that take over when one has compiled enough: the same numbers, and a process that is lost loses its jobs alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.backend.devices import Asked
from dlspec.interpreter.executors import local as recycled
from dlspec.interpreter.executors.base import Finished
from dlspec.interpreter.executors.local import RecyclingProcessPool
from dlspec.interpreter.program.job import Job, JobGroup
from dlspec.interpreter.program.training_loop import train
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.spec.ir.plan import Program

BODY = """
task: {{example: {{x: "normal([3])", y: sum(x)}}}}
architecture: {{f: {{input: x, layers: [dense: {width}, dense: 1]}}}}
loss: {{squared: (f - y)^2}}
training: {{optimizer: adam, batch: 8, steps: {steps}, evaluate: {{every: 10, examples: 32}}}}
measures: {{error: E((f - y)^2)}}
replicates: 2
"""


class Heard:
    """A watcher that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.evaluated_once = threading.Event()

    def started(self, job: Job, step: int) -> None:
        self.told.append(("started", job.number))

    def compiling(self, job: Job) -> None:
        self.told.append(("compiling", job.number))

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        assert np.isfinite(measures["error"]).all()
        self.told.append(("evaluated", job.number))
        self.evaluated_once.set()

    def finished(self, job: Job, replicates: Sequence[Replicate]) -> None: ...

    def warn(self, text: str) -> None:
        raise AssertionError(text)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def executor(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecyclingProcessPool]:
    monkeypatch.setattr(recycled, "MAX_COMPILATIONS", 1)
    made = RecyclingProcessPool(2, heard, Asked("cpu"))
    yield made
    made.close()
    assert all(child.process.exitcode is not None for child in made.children)


@pytest.fixture
def job(program: Callable[[str], Program]) -> Callable[..., Job]:
    def made(number: int, steps: int = 20) -> Job:
        found = program(BODY.format(width=2 + number, steps=steps))
        return Job(number, ReplicateBatch(CellRequest.of(found, "cpu"), (0, 1)), "graph")

    return made


def ended(executor: RecyclingProcessPool, seconds: float = 120) -> Finished:
    found = executor.finished(seconds)
    assert found is not None, f"no job has ended within {seconds} s"
    return found


def test_cells_are_the_same_in_whichever_process(
    executor: RecyclingProcessPool, heard: Heard, job: Callable[..., Job]
) -> None:
    processes = set()
    for number in range(3):
        executor.submit(JobGroup.of_one(job(number)))
        found = ended(executor)
        assert found.job.number == number
        for own, replicate in zip(train(job(number), heard, threading.Event()), found.replicates, strict=True):
            assert (replicate.status, replicate.steps, replicate.key) == ("done", [0, 10, 20], own.key)
            assert np.array_equal(np.asarray(replicate.curves["error"]), np.asarray(own.curves["error"]))
        processes |= {child.process.pid for child in executor.children}
    assert len(processes) == 2, "each compiled once, and this process before"
    # Each of the three jobs twice: here for comparison, and through the executor.
    assert heard.told.count(("compiling", 2)) == 2 and heard.told.count(("evaluated", 2)) == 6
    assert executor.room() == 2


def begun(executor: RecyclingProcessPool, heard: Heard, job: Job) -> None:
    """Gives a job to a child process, and waits until it trains."""
    executor.forms.compiled = 1
    executor.submit(JobGroup.of_one(job))
    assert heard.evaluated_once.wait(120)


def test_a_process_that_is_killed_fails_its_jobs_and_another_takes_over(
    executor: RecyclingProcessPool, heard: Heard, job: Callable[..., Job]
) -> None:
    begun(executor, heard, job(0, steps=10**6))
    os.kill(executor.children[0].process.pid or 0, signal.SIGKILL)
    replicates = ended(executor).replicates
    assert [(replicate.number, replicate.status) for replicate in replicates] == [(0, "failed"), (1, "failed")]
    assert replicates[0].message == "the process that trained it was ended by the signal SIGKILL; all else is stored"
    executor.submit(JobGroup.of_one(job(1)))
    assert [replicate.status for replicate in ended(executor).replicates] == ["done", "done"]


def test_jobs_end_at_their_next_evaluation_when_they_are_cancelled(
    executor: RecyclingProcessPool, heard: Heard, job: Callable[..., Job]
) -> None:
    begun(executor, heard, job(0, steps=10**6))
    executor.cancel()
    assert [replicate.status for replicate in ended(executor).replicates] == ["interrupted", "interrupted"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watcher_at_fault_ends_the_process_and_no_job_is_waited_for(
    executor: RecyclingProcessPool, heard: Heard, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(executor, heard, job(0, steps=10**6))
    monkeypatch.setattr(heard, "evaluated", lambda *_: 1 / 0)
    assert [replicate.status for replicate in ended(executor).replicates] == ["failed", "failed"]
    monkeypatch.undo()
