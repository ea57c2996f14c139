"""Threads whose process is replaced from time to time: TensorFlow keeps something of every program that it compiled.

No call gives that back (see "Many forms" in `docs/scaling.md`), but the end of a process does. A run compiles its first
programs itself, or in the process that was begun before its study was read; what comes after goes to one process after another.
"""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from ..backend.devices import Asked
from ..program.job import JobGroup, Watcher
from ..results.replicates import Replicate
from .base import Threads
from .training_process import TrainingProcess

if TYPE_CHECKING:
    from ..program.program_cache import ProgramCache

MAX_COMPILATIONS = 64
"""After how many a process gets no more jobs. At 17 MiB each, beside the 700 of TensorFlow itself, some 1.8 GiB."""


class RecyclingProcessPool(Threads):
    """Several jobs at once, of which this process runs those that come before its last compilation, unless there is a `first` process for them."""

    def __init__(self, jobs: int, watcher: Watcher, device: Asked, first: TrainingProcess | None = None) -> None:
        super().__init__(jobs, self._train)
        self.watcher = watcher
        self.asked = device
        self.first = first
        self.children: list[TrainingProcess] = []
        if first is not None:
            self._add(first)

    @cached_property
    def forms(self) -> ProgramCache:
        """What this process compiled itself."""
        from ..program.program_cache import ProgramCache

        return ProgramCache()

    def _train(self, group: JobGroup, stop: threading.Event) -> list[list[Replicate]]:
        from ..program.training_loop import train_group

        return train_group(group, self.watcher, stop, self.forms)

    def submit(self, group: JobGroup) -> None:
        """Takes the jobs of a group."""
        if not self.children and self.forms.compiled < MAX_COMPILATIONS:
            super().submit(group)
            return
        self.begin(group)
        while not self._child().submit(group):
            pass

    def _child(self) -> TrainingProcess:
        """The process that takes jobs at present."""
        if not self.children or self.children[-1].gone or self.children[-1].compiled >= MAX_COMPILATIONS:
            for child in self.children:
                child.leave()
            self.children = [child for child in self.children if not child.gone]
            self._add(TrainingProcess.spawned(self.asked))
        return self.children[-1]

    def _add(self, process: TrainingProcess) -> None:
        process.begin(self.jobs, self.watcher, self.ended.put)
        self.children.append(process)

    def cancel(self) -> None:
        """Lets jobs end at their next evaluation."""
        super().cancel()
        for child in self.children:
            child.cancel()

    def close(self) -> None:
        """Waits for threads and processes to end, but for the first: it ends beside what follows, with this process at the latest."""
        super().close()
        for child in self.children:
            child.leave()
        for child in self.children:
            if child is not self.first:
                child.hears.join()
