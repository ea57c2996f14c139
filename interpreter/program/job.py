"""A job: a replicate batch of a program that is to be run, and who watches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dlspec.spec.ir.cell_batch import CellBatch

from ..results.replicates import Replicate
from ..store.checkpoints import Checkpoints
from ..store.requests import ReplicateBatch


@dataclass(frozen=True)
class AtBorder:
    """The checkpoint of a border up to which other cells are equal: its file, and of how many passes, and updates, it is."""

    number: int
    step: int
    key: str
    checkpoints: Checkpoints

    def keys(self, count: int) -> list[str]:
        """What its replicates are known by, whichever cell they are of."""
        return [f"{self.key}/{place}" for place in range(count)]


@dataclass(frozen=True)
class Job:
    """A replicate batch to be run: its number, how it is compiled (`xla` or `graph`), where its checkpoint lies if it has one.

    It goes on from the checkpoint of a border if it has none of its own, and `leaves` those of others.
    """

    number: int
    batch: ReplicateBatch
    compiled: str
    checkpoints: Checkpoints | None = None
    weights: str | None = None
    border: AtBorder | None = None
    leaves: tuple[AtBorder, ...] = ()

    def without_result(self, status: str, message: str) -> list[Replicate]:
        """Its replicates where it gave none: `failed` or `interrupted`, and why."""
        replicates = [self.batch.request.replicate(number) for number in self.batch.numbers]
        for replicate in replicates:
            replicate.status, replicate.message, replicate.compiled = status, message, self.compiled
        return replicates


@dataclass(frozen=True)
class JobGroup:
    """Jobs, each of one of the cells of a batch, that are trained side by side: with the same replicates, in the same compiled form."""

    jobs: tuple[Job, ...]
    cells: CellBatch

    @staticmethod
    def of_one(job: Job) -> JobGroup:
        """A job by itself."""
        return JobGroup((job,), CellBatch.of_one(job.batch.program))

    def only(self, places: Sequence[int]) -> JobGroup:
        """Some of the jobs."""
        return JobGroup(tuple(self.jobs[place] for place in places), self.cells.only(places))


class Watcher(Protocol):
    """What is told of jobs as they go on; from several threads."""

    def started(self, job: Job, step: int) -> None:
        """A replicate batch begins, to go on from a step."""

    def compiling(self, job: Job) -> None:
        """A replicate batch is compiled: none of its form was before, or all such run at present."""

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """An evaluation is done: measures as [replicates, …], undefined for replicates that ended before.

        `rate` is steps a second since the last.
        """

    def finished(self, job: Job, replicates: Sequence[Replicate]) -> None:
        """A replicate batch is done, in whichever way."""

    def warn(self, text: str) -> None:
        """Something that whoever watches should know; the run goes on."""
