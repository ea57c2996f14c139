"""The remaining time of a run: the work that is left, at the rate of the work done so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost

from ..store.requests import ReplicateBatch

STEP_OPERATIONS = 3e7
"""The overhead of a step beside its networks, as a number of floating-point operations; fitted to small studies."""
COMPILE_OPERATIONS = 6e10
"""The cost of compiling a program, in the same unit."""


class TimeLeft:
    """Work done and work left over a whole run; the work of a batch is its steps times the cost of a step."""

    def __init__(self, batches: Iterable[ReplicateBatch], clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.works: dict[str, float] = {}
        self.left = sum(map(self._work, batches))
        self.done = 0.0
        self.begun: float | None = None
        self.at: dict[str, float] = {}

    def started(self, batch: ReplicateBatch, step: int) -> None:
        """A batch begins at a step, perhaps again. Steps restored from a checkpoint count neither as done nor as remaining."""
        self.begun = self.clock() if self.begun is None else self.begun
        before = self.at.get(batch.name, 0.0)
        self.at[batch.name] = self._share(batch, step) - COMPILE_OPERATIONS
        self.left -= self.at[batch.name] - before

    def reached(self, batch: ReplicateBatch, step: int) -> None:
        """A batch has reached a step."""
        self._advance(batch, self._share(batch, step))

    def finished(self, batch: ReplicateBatch) -> None:
        """A batch has ended, at its last step or before."""
        self._advance(batch, self._work(batch))

    def stored(self, batch: ReplicateBatch) -> None:
        """A batch need not run: another process ran it."""
        self.left -= self._work(batch)

    def _advance(self, batch: ReplicateBatch, reached: float) -> None:
        gained = reached - self.at.get(batch.name, 0.0)
        self.at[batch.name] = reached
        self.done += gained
        self.left -= gained

    def _work(self, batch: ReplicateBatch) -> float:
        """The work of a batch, counted once."""
        if batch.name not in self.works:
            self.works[batch.name] = work(batch)
        return self.works[batch.name]

    def _share(self, batch: ReplicateBatch, step: int) -> float:
        """The work up to a step, compiling included."""
        share = min(1.0, step / max(1, steps(batch.program)))
        return COMPILE_OPERATIONS + (self._work(batch) - COMPILE_OPERATIONS) * share

    def seconds(self) -> float | None:
        """Seconds left, or None before any work is done."""
        if self.begun is None or self.done <= 0:
            return None
        return max(0.0, (self.clock() - self.begun) * self.left / self.done)


def in_words(seconds: float | None) -> str:
    """A length of time as one reads it.

    >>> in_words(42.4), in_words(150), in_words(7300), in_words(None)
    ('42 s', '3 min', '2 h 2 min', '')
    """
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def steps(program: Program) -> int:
    """The steps of a program; one that only measures counts as one."""
    return program.training.steps if program.training else 1


def work(batch: ReplicateBatch) -> float:
    """The cost of a replicate batch: compiling, and for each step its operations with the overhead.

    A program that only measures has one step, which takes its networks forwards over the test examples.
    """
    program = batch.program
    flops = cost(program).step if program.training else program.network_flops * program.evaluated("test")
    return COMPILE_OPERATIONS + steps(program) * (STEP_OPERATIONS + flops * len(batch.numbers))
