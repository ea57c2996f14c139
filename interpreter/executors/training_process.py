"""A process that trains what the run's process gives it: as that one sees it, and from within."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from ..backend.devices import AUTO, Asked
from ..frame_space import with_room
from ..program.job import Job, JobGroup, Watcher
from ..results.replicates import Replicate
from .base import Finished
from .event_forwarding import EventForwarder
from .pickling import packed, unpacked

READY = "ready"
"""What a process tells when TensorFlow is loaded."""


class TrainingProcess:
    """A process with threads of its own that trains groups of jobs, as the run's process sees it. What it tells is heard by a thread here.

    `compiled` counts for how many programs it compiled something; `gone` says that it has ended.
    """

    def __init__(self, process: BaseProcess, line: Connection) -> None:
        """`process` runs already, and `line` leads to it."""
        self.process = process
        self.line = line
        self.compiled = 0
        self.gone = False
        self.jobs: dict[int, Job] = {}
        self.lock = threading.Lock()

    @staticmethod
    def spawned(device: Asked) -> TrainingProcess:
        """A new one, which has nothing in common with this process."""
        context = multiprocessing.get_context("spawn")
        line, far = context.Pipe()
        process = context.Process(target=_serve, args=(far, device), name="dlspec", daemon=True)
        with _main_set_aside():
            process.start()
        far.close()
        return TrainingProcess(process, line)

    @staticmethod
    def forked() -> TrainingProcess:
        """A copy of this process, which must have no other thread and no TensorFlow yet; it takes whichever device there is. Raises OSError."""
        context = multiprocessing.get_context("fork")
        line, far = context.Pipe()
        process = context.Process(target=_serve_beside, args=(far, line), name="dlspec", daemon=True)
        # Ctrl-C meanwhile would be lost in what Python does after a fork, or leave a lock held.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        except OSError:
            line.close()
            raise
        finally:
            far.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return TrainingProcess(process, line)

    def ready(self) -> bool:
        """Waits until TensorFlow is loaded; whether it could be. Asked before `begin`, if at all."""
        try:
            return bool(self.line.recv()[1] == READY)
        except (EOFError, OSError):
            self.process.join()
            return False

    def begin(self, jobs: int, watcher: Watcher, ended: Callable[[Finished], None]) -> None:
        """Lets it run so many groups at once, and `watcher` and `ended` hear of them."""
        self.watcher = watcher
        self.ended = ended
        self._tell(jobs)
        self.hears = threading.Thread(target=self._hear, name="dlspec-hears", daemon=True)
        self.hears.start()

    def submit(self, group: JobGroup) -> bool:
        """Gives it the jobs of a group; whether it is there to take them."""
        with self.lock:
            if self.gone:
                return False
            self.jobs.update((job.number, job) for job in group.jobs)
        self._tell(packed(group))
        return True

    def cancel(self) -> None:
        """Lets its jobs end at their next evaluation."""
        self._tell("cancel")

    def leave(self) -> None:
        """Lets it end when its jobs have."""
        self._tell("leave")

    def _tell(self, what: Any) -> None:
        with suppress(OSError):  # it has ended, and the thread that hears it ends its jobs
            self.line.send(what)

    def _hear(self) -> None:
        try:
            while True:
                try:
                    told = self.line.recv()
                except (EOFError, OSError):
                    return
                self._told(*told)
        except BaseException:
            self.process.kill()  # the watcher's fault, and nobody hears the process any more
            raise
        finally:
            self._lost()

    def _told(self, number: int, kind: str, *values: Any) -> None:
        if kind == READY:
            return
        if kind == "warn":
            self.watcher.warn(*values)
            return
        with self.lock:
            job = self.jobs[number]
        if kind == "ended":
            self._end(job, values[0])
            return
        self.compiled += kind == "compiling"
        getattr(self.watcher, kind)(job, *values)

    def _end(self, job: Job, replicates: Sequence[Replicate]) -> None:
        with self.lock:
            del self.jobs[job.number]
        self.ended(Finished(job, replicates))

    def _lost(self) -> None:
        """Its end: jobs that it still had are failed."""
        self.process.join()
        with self.lock:
            self.gone, left = True, list(self.jobs.values())
        code = self.process.exitcode or 0
        how = f"by the signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        for job in left:
            message = f"the process that trained it was ended {how}; all else is stored"
            self._end(job, job.without_result("failed", message))


@contextmanager
def _main_set_aside() -> Iterator[None]:
    """Lets a process start without the main module, which it would run anew: a script that runs a study would run it there, too."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve_beside(line: Connection, other: Connection) -> None:
    """The process that was forked, which holds the `other` end of its line, too: as long as it did, it would not see that its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    other.close()
    _serve(line, AUTO, beside=True)


def _load(device: Asked, beside: bool) -> None:
    """Loads TensorFlow. Where that fails `beside` a parent that can load it itself, the parent does, and tells what it meets."""
    from ..backend.startup import held_back, start

    if not beside:
        start(device, own_process=True)
        return
    with held_back():
        try:
            start(device, own_process=True)
        except Exception:
            os._exit(1)


def _serve(line: Connection, device: Asked, beside: bool = False) -> None:
    """The process: trains what it is given until it is told to leave, or its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and cancels
    inbox: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_take, args=(line, inbox), daemon=True).start()
    _load(device, beside)
    from ..program.program_cache import ProgramCache
    from ..program.training_loop import train_group

    forms, stop, sending = ProgramCache(), threading.Event(), threading.Lock()
    running, leaving = 0, False

    def tell(*what: Any) -> None:
        with sending:
            line.send(what)

    def run(group: JobGroup) -> None:
        inbox.put([*zip(group.jobs, train_group(group, EventForwarder(tell), stop, forms), strict=True)])

    tell(0, READY)
    with ThreadPoolExecutor(inbox.get(), thread_name_prefix="dlspec") as pool:
        while running or not leaving:
            match inbox.get():
                case bytes() as sent:
                    pool.submit(with_room, partial(run, unpacked(sent, JobGroup)))
                    running += 1
                case [*ended]:
                    for job, replicates in ended:
                        tell(job.number, "ended", replicates)
                    running -= 1
                case "cancel":
                    stop.set()
                case "leave":
                    leaving = True


def _take(line: Connection, inbox: queue.Queue[Any]) -> None:
    """Takes what the parent sends. With the parent gone nothing that is trained would be stored any more."""
    while True:
        try:
            inbox.put(line.recv())
        except (EOFError, OSError):
            os._exit(1)
