"""The interface of executors of jobs, and the executor that runs them in threads of this process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from ..program.job import Job
from ..results.replicates import Replicate


@dataclass(frozen=True)
class Finished:
    """A job that has ended, in whichever way: its replicates say how."""

    job: Job
    replicates: Sequence[Replicate]


class Executor(Protocol):
    """Runs jobs somewhere. Jobs come back in any order, each once; a job's fault is a failed replicate, never an exception."""

    def room(self) -> int:
        """How many more jobs would start at once."""

    def submit(self, job: Job) -> None:
        """Takes a job."""

    def finished(self, seconds: float) -> Finished | None:
        """The next job to have ended, waited for at most so long."""

    def cancel(self) -> None:
        """Lets jobs end at their next evaluation, as interrupted; they come back still."""

    def close(self) -> None:
        """Gives back all that it holds, when every job has come back."""


class Threads:
    """Several jobs at once in this process. `train` makes the replicates of a job, and never raises."""

    def __init__(self, jobs: int, train: Callable[[Job, threading.Event], list[Replicate]]) -> None:
        self.jobs = max(1, jobs)
        self.train = train
        self.pool = ThreadPoolExecutor(max_workers=self.jobs, thread_name_prefix="dlspec")
        self.stop = threading.Event()
        self.ended: queue.Queue[Finished] = queue.Queue()  # a SimpleQueue may wait for ever after a signal
        self.running = 0

    def room(self) -> int:
        """How many more jobs would start at once."""
        return self.jobs - self.running

    def submit(self, job: Job) -> None:
        """Takes a job."""
        self.running += 1
        self.pool.submit(lambda: self.ended.put(Finished(job, self.train(job, self.stop))))

    def finished(self, seconds: float) -> Finished | None:
        """The next job to have ended, waited for at most so long."""
        try:
            finished = self.ended.get(timeout=seconds)
        except queue.Empty:
            return None
        self.running -= 1
        return finished

    def cancel(self) -> None:
        """Lets jobs end at their next evaluation."""
        self.stop.set()

    def close(self) -> None:
        """Waits for the threads to end."""
        self.pool.shutdown(wait=True, cancel_futures=True)
