"""Jobs that have begun, and which of them are in one compiled program: each where it was before, so that it goes on with the same rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dlspec.spec.passes.digests import digest

from ..results.errors import Damaged
from ..results.replicates import Replicate
from ..store.checkpoints import Checkpoint, SideBySide
from .job import AtBorder, Job, Watcher


@dataclass
class Begun:
    """A job that has begun: its replicates so far, and the checkpoint that it goes on from, or the `fault` that kept it from beginning.

    One that is there `for_others` alone keeps the place of a job that is not there any more: nobody sees what it computes.
    """

    job: Job
    replicates: list[Replicate]
    checkpoint: Checkpoint | None = None
    fault: str = ""
    border: int | None = None
    """How many passes have been made, where the checkpoint is that of a border."""
    beside: SideBySide | None = None
    """Where it lies in a compiled program: as before, where it goes on from a checkpoint of its own."""
    for_others: bool = False

    @staticmethod
    def of(job: Job, watcher: Watcher) -> Begun:
        """Replicates with nothing in them, or those of the checkpoint. Raises what reading it raises, but for damage."""
        begun = Begun(job, fresh(job))
        if job.checkpoints is None:
            return begun
        job.checkpoints.begin()
        try:
            begun.checkpoint = job.checkpoints.load(begun.replicates)
        except Damaged as damaged:
            watcher.warn(f"{damaged}: the checkpoint is damaged and is dropped; {job.batch.program.name} starts over")
            job.checkpoints.remove()
        if begun.checkpoint is not None:
            begun.beside = begun.checkpoint.beside
            return begun
        begun.replicates = fresh(job)
        if job.border is not None:
            begun._begin_at(job.border, watcher)
        return begun

    def _begin_at(self, border: AtBorder, watcher: Watcher) -> None:
        """Takes up the checkpoint of a border, if it is there."""
        try:
            self.checkpoint = border.checkpoints.load(self.replicates, border.keys(len(self.replicates)))
        except Damaged as damaged:
            watcher.warn(f"{damaged}: the checkpoint is damaged; {self.job.batch.program.name} starts over")
        if self.checkpoint is None:
            self.replicates = fresh(self.job)
        else:
            self.border = border.number

    @property
    def seconds(self) -> float:
        """How long it has run before."""
        return self.checkpoint.seconds if self.checkpoint else 0.0


def fresh(job: Job) -> list[Replicate]:
    """A job's replicates, with nothing in them."""
    return [job.batch.request.replicate(number) for number in job.batch.numbers]


def parts(begun: Sequence[Begun]) -> list[list[int]]:
    """The places of jobs that can be trained side by side: those that begin at the same step, from where the same jobs were side by side."""
    _take_free_places(begun)
    found: dict[tuple[int | None, int | None, str | None], list[int]] = {}
    for place, one in enumerate(begun):
        step = one.checkpoint.step if one.checkpoint else None
        found.setdefault((step, one.border, one.beside and one.beside.group), []).append(place)
    return list(found.values())


def _take_free_places(begun: Sequence[Begun]) -> None:
    """Says of jobs that begin anew, or at a border, where they were beside those that go on: some had left no checkpoint yet, or it was damaged."""
    anew = [one for one in begun if one.beside is None]
    known = {one.beside for one in begun if one.beside is not None}
    if not anew or len({one.group for one in known}) != 1:
        return
    one_of_them = next(iter(known))
    free = sorted(set(range(one_of_them.cells)) - {one.place for one in known})
    for one, place in zip(anew, free if len(free) == len(anew) else (), strict=False):
        one.beside = one_of_them._replace(place=place)


def laid_out(part: Sequence[Begun]) -> tuple[list[Begun], list[int]]:
    """Jobs of a part in the order in which they lie in a program, those that are there for others among them; and which of the part each is a cell of.

    Who begins says where it lies from then on; who goes on lies where it did, with others' state in the place of those that have ended.
    """
    if (beside := part[0].beside) is None:
        group = digest([one.job.batch.name for one in part])
        for place, one in enumerate(part):
            one.beside = SideBySide(group, len(part), place, one.job.batch.rows)
        return list(part), list(range(len(part)))
    places = {one.beside.place: number for number, one in enumerate(part) if one.beside is not None}
    cells = [places.get(place, 0) for place in range(beside.cells)]
    laid = [
        part[number] if places.get(place) == number else _for_others(part[number]) for place, number in enumerate(cells)
    ]
    return laid, cells


def _for_others(one: Begun) -> Begun:
    """What keeps a place with a job's state, and leaves nothing anywhere."""
    job = replace(one.job, checkpoints=None, weights=None, border=None, leaves=())
    return replace(one, job=job, replicates=fresh(job), for_others=True)


def name_alone(batch: str) -> str:
    """How the group is called that one batch is by itself."""
    return digest([batch])
