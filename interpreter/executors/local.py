"""Threads whose process is replaced from time to time: TensorFlow keeps something of every program that it compiled.

No call gives that back (see "Many forms" in `docs/scaling.md`), but the end of a process does. A run compiles its first
programs itself; what comes after goes to one child process after another.
"""

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
from types import ModuleType
from typing import Any

from ..backend.devices import Asked
from ..frame_space import with_room
from ..program.job import Job, JobGroup, Watcher
from ..results.replicates import Replicate
from .base import Finished, Threads
from .event_forwarding import EventForwarder
from .pickling import packed, unpacked

MAX_COMPILATIONS = 64
"""After how many a process gets no more jobs. At 17 MiB each, beside the 700 of TensorFlow itself, some 1.8 GiB."""


class RecyclingProcessPool(Threads):
    """Several jobs at once, of which this process runs those that come before its last compilation."""

    def __init__(self, jobs: int, watcher: Watcher, device: Asked) -> None:
        from ..program.program_cache import ProgramCache
        from ..program.training_loop import train_group

        self.forms = ProgramCache()
        super().__init__(jobs, lambda group, stop: train_group(group, watcher, stop, self.forms))
        self.watcher = watcher
        self.asked = device
        self.children: list[_Child] = []

    def submit(self, group: JobGroup) -> None:
        """Takes the jobs of a group."""
        if self.forms.compiled < MAX_COMPILATIONS:
            super().submit(group)
            return
        self.begin(group)
        while not self._child().submit(group):
            pass

    def _child(self) -> _Child:
        """The process that takes jobs at present."""
        if not self.children or self.children[-1].gone or self.children[-1].compiled >= MAX_COMPILATIONS:
            for child in self.children:
                child.leave()
            self.children = [child for child in self.children if not child.gone]
            self.children.append(_Child(self.jobs, self.asked, self.watcher, self.ended.put))
        return self.children[-1]

    def cancel(self) -> None:
        """Lets jobs end at their next evaluation."""
        super().cancel()
        for child in self.children:
            child.cancel()

    def close(self) -> None:
        """Waits for threads and processes to end."""
        super().close()
        for child in self.children:
            child.leave()
            child.hears.join()


class _Child:
    """A process with threads of its own, as the run's process sees it. What it tells is heard by a thread here."""

    def __init__(self, jobs: int, device: Asked, watcher: Watcher, ended: Callable[[Finished], None]) -> None:
        self.watcher = watcher
        self.ended = ended
        self.compiled = 0
        self.gone = False
        self.jobs: dict[int, Job] = {}
        self.lock = threading.Lock()
        context = multiprocessing.get_context("spawn")
        self.line, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far, jobs, device), name="dlspec", daemon=True)
        with _main_set_aside():
            self.process.start()
        far.close()
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
            self.process.kill()  # the watcher's fault, and nobody hears the child any more
            raise
        finally:
            self._lost()

    def _told(self, number: int, kind: str, *values: Any) -> None:
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


def _serve(line: Connection, jobs: int, device: Asked) -> None:
    """The child: trains what it is given until it is told to leave, or its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and cancels
    inbox: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_take, args=(line, inbox), daemon=True).start()
    from ..backend.startup import start

    start(device, own_process=True)
    from ..program.program_cache import ProgramCache
    from ..program.training_loop import train_group

    forms, stop, sending = ProgramCache(), threading.Event(), threading.Lock()
    running, leaving = 0, False

    def tell(*what: Any) -> None:
        with sending:
            line.send(what)

    def run(group: JobGroup) -> None:
        inbox.put([*zip(group.jobs, train_group(group, EventForwarder(tell), stop, forms), strict=True)])

    with ThreadPoolExecutor(jobs, thread_name_prefix="dlspec") as pool:
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
