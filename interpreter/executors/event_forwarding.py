"""Forwards events of a training process to the watcher of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..program.job import Job
from ..results.replicates import Replicate


class EventForwarder:
    """`tell` takes a job's number, the name of a watcher's method, and what it is told; from several threads."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self.tell = tell

    def started(self, job: Job, step: int) -> None:
        """A replicate batch begins, to go on from a step."""
        self.tell(job.number, "started", step)

    def compiling(self, job: Job) -> None:
        """A replicate batch is compiled: this process had none of its form before."""
        self.tell(job.number, "compiling")

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """An evaluation is done."""
        self.tell(job.number, "evaluated", step, measures, rate)

    def finished(self, job: Job, replicates: Sequence[Replicate]) -> None:
        """The run sees that by the result."""

    def warn(self, text: str) -> None:
        """Something that whoever watches should know."""
        self.tell(0, "warn", text)
