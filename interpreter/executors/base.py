"""The interface of executors of jobs, and the executor that runs them in threads of this process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ..frame_space import with_room
from ..program.job import Job, JobGroup
from ..results.replicates import Replicate


@dataclass(frozen=True)
class Finished:
    """A job that has ended, in whichever way: its replicates say how."""

    job: Job
    replicates: Sequence[Replicate]


class Executor(Protocol):
    """Runs jobs somewhere. Jobs come back in any order, each once; a job's fault is a failed replicate, never an exception."""

    leaves_checkpoints: bool
    """Whether its jobs leave the checkpoints of borders where other jobs of it find them."""

    def room(self) -> int:
        """How many more jobs, or groups of jobs, would start at once."""

    def submit(self, group: JobGroup) -> None:
        """Takes jobs that may be trained side by side."""

    def finished(self, seconds: float) -> Finished | None:
        """The next job to have ended, waited for at most so long."""

    def cancel(self) -> None:
        """Lets jobs end at their next evaluation, as interrupted; they come back still."""

    def close(self) -> None:
        """Gives back all that it holds, when every job has come back."""


class Threads:
    """Several groups of jobs at once in this process. `train` makes the replicates of each job of a group, and never raises."""

    leaves_checkpoints = True

    def __init__(self, jobs: int, train: Callable[[JobGroup, threading.Event], list[list[Replicate]]]) -> None:
        self.jobs = max(1, jobs)
        self.train = train
        self.pool = ThreadPoolExecutor(max_workers=self.jobs, thread_name_prefix="dlspec")
        self.stop = threading.Event()
        self.ended: queue.Queue[Finished] = queue.Queue()  # a SimpleQueue may wait for ever after a signal
        self.running = 0
        self.last: set[int] = set()
        """The numbers of the jobs that end their groups."""

    def room(self) -> int:
        """How many more groups would start at once."""
        return self.jobs - self.running

    def submit(self, group: JobGroup) -> None:
        """Takes the jobs of a group."""
        self.begin(group)
        self.pool.submit(with_room, partial(self._run, group))

    def begin(self, group: JobGroup) -> None:
        """Counts a group as running, until its last job is taken up."""
        self.running += 1
        self.last.add(group.jobs[-1].number)

    def _run(self, group: JobGroup) -> None:
        for job, replicates in zip(group.jobs, self.train(group, self.stop), strict=True):
            self.ended.put(Finished(job, replicates))

    def finished(self, seconds: float) -> Finished | None:
        """The next job to have ended, waited for at most so long."""
        try:
            finished = self.ended.get(timeout=seconds)
        except queue.Empty:
            return None
        if finished.job.number in self.last:
            self.last.remove(finished.job.number)
            self.running -= 1
        return finished

    def cancel(self) -> None:
        """Lets jobs end at their next evaluation."""
        self.stop.set()

    def close(self) -> None:
        """Waits for the threads to end."""
        self.pool.shutdown(wait=True, cancel_futures=True)
