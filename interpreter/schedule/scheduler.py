"""Runs what a plan asks for and the store lacks: claims replicate batches, has them executed, stores each as it ends."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.plan import ExperimentPlan, Program, StudyPlan
from dlspec.spec.passes.digests import NUMERICS
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.signature_digests import cell_form_digest

from ..backend.versions import versions
from ..executors.base import Executor, Finished
from ..program.job import Job, JobGroup, Watcher
from ..results.errors import StoreError
from ..results.replicates import BIASES, ERRORS, Replicate, Results
from ..store.checkpoints import Checkpoints
from ..store.requests import CellRequest, ReplicateBatch
from ..store.store import FINAL_STATUSES, Store
from .batching import (
    batch_count,
    group_size,
    max_cells_side_by_side,
    of_one_depth,
    parts_of_programs,
    split_into_batches,
)
from .going_on import GoingOn

POLL_SECONDS = 0.2
AGAIN_SECONDS = 0.5


class Options(Protocol):
    """What the schedule reads of the options of a run."""

    @property
    def force(self) -> bool:
        """Whether what is stored runs again, too."""

    @property
    def keep_weights(self) -> bool:
        """Whether final weights are kept."""

    @property
    def checkpoint(self) -> float:
        """The least number of seconds between two checkpoints of a replicate batch."""


class Following(Watcher, Protocol):
    """A watcher of a whole run."""

    def stored(self, batch: ReplicateBatch, replicates: Sequence[Replicate], here: bool) -> None:
        """Replicates of a replicate batch that was still to run are stored: by another process, or `here`, for an equal program of this run."""

    def waiting(self, replicates: int) -> None:
        """Nothing is left to run but what other processes run at present."""


@dataclass
class Progress:
    """The replicates of a run so far, by program and replicate.

    `jobs` is how many groups of cells run at once, of `grouped` cells, or else how many replicate batches; `begun` holds the names of those
    that have a checkpoint.
    """

    requests: Sequence[CellRequest]
    replicates: dict[tuple[int, int], Replicate] = field(default_factory=dict)
    jobs: int = 1
    begun: frozenset[str] = frozenset()
    grouped: bool = True
    added: Callable[[Sequence[tuple[int, int]]], object] = lambda keys: None
    """Is told of the programs' places and the numbers of replicates that have come."""

    def __post_init__(self) -> None:
        self.places = {id(one): place for place, one in enumerate(self.requests)}

    @staticmethod
    def of_store(
        requests: Sequence[CellRequest], store: Store, options: Options, jobs: int = 1, grouped: bool = True
    ) -> Progress:
        """What is stored already; with `force` nothing counts, with `keep_weights` only replicates with their weights."""
        progress = Progress(requests, jobs=jobs, begun=store.begun(), grouped=grouped)
        if not options.force:
            asked = [(place, one, r) for place, one in enumerate(requests) for r in range(one.program.replicates)]
            for (place, _, number), replicate in zip(asked, store.find([(one, r) for _, one, r in asked]), strict=True):
                if replicate is not None and (not options.keep_weights or _has_weights(store, replicate)):
                    progress.replicates[place, number] = replicate
        return progress

    def of_another_form(self, form: Callable[[Program], str]) -> dict[str, int]:
        """How many stored replicates are of another compiled form than this run gives their programs, by that form."""
        asked = [form(one.program) for one in self.requests]
        other = [
            replicate.compiled
            for (place, _), replicate in self.replicates.items()
            if replicate.stored and replicate.compiled != asked[place]
        ]
        return dict(Counter(other))

    def missing(self, stored: bool = False) -> list[ReplicateBatch]:
        """What is to run: replicates side by side, in several batches where there are fewer groups of cells than run at once. `stored`: the rest."""
        batches = []
        for place, one in enumerate(self.requests):
            rest = [r for r in range(one.program.replicates) if ((place, r) in self.replicates) is stored]
            batches += self._batches(one, rest) if rest else []
        return batches

    def _batches(self, one: CellRequest, rest: Sequence[int]) -> list[ReplicateBatch]:
        """Replicate batches of a program; those that were begun, where a run with another number of jobs left checkpoints."""
        whole = batch_count(one, self.parts)
        for other in (whole, *range(1, one.program.replicates + 1)) if self.begun else ():
            batches = split_into_batches(one, rest, other)
            if self.begun.intersection(batch.name for batch in batches):
                return batches
        return split_into_batches(one, rest, whole)

    @cached_property
    def parts(self) -> int:
        """Into how many parts programs go, so that each of those that run at once has one."""
        programs = [one.program for one in self.requests]
        return parts_of_programs(programs, self.requests[0].device, self.jobs, self.grouped)

    def cells_of_a_part(self, cells: int, replicates: int) -> int:
        """Of so many cells side by side how many are in a part, where they have too few replicates for all parts."""
        return -(-cells // -(-self.parts // replicates))

    def add(self, batch: ReplicateBatch, replicates: Sequence[Replicate]) -> None:
        """Takes up replicates of a replicate batch."""
        place = self.places[id(batch.request)]
        come = {(place, replicate.number): replicate for replicate in replicates}
        self.replicates.update(come)
        self.added(list(come))

    def results(self, plan: StudyPlan) -> dict[str, Results]:
        """The results of every experiment, with the replicates that there are."""
        return {
            experiment.name: Results.of_plan(experiment, self.of_places(places))
            for experiment, places in self.experiments(plan)
        }

    def experiments(self, plan: StudyPlan) -> Iterator[tuple[ExperimentPlan, range]]:
        """Each experiment of a plan, with the places of its programs among all."""
        place = 0
        for experiment in plan.experiments:
            yield experiment, range(place, place + len(experiment.programs))
            place += len(experiment.programs)

    def of_places(self, places: Iterable[int]) -> list[Replicate]:
        """The replicates that there are of programs by their places."""
        return [
            self.replicates[place, number]
            for place in places
            for number in range(self.requests[place].program.replicates)
            if (place, number) in self.replicates
        ]


@dataclass(frozen=True)
class _Family:
    """Cells that one compiled program serves, by what they have in common."""

    form: tuple[Any, ...]
    cells: CellBatch
    one_depth: bool
    """Whether they can be side by side; else they go one after the other."""

    def group(self, jobs: Sequence[Job]) -> JobGroup:
        """Some jobs of its cells."""
        places = {id(program): place for place, program in enumerate(self.cells.programs)}
        return JobGroup(tuple(jobs), self.cells.only([places[id(job.batch.program)] for job in jobs]))


class Run:
    """One run: replicate batches that wait, replicate batches that run here, replicate batches that other processes run.

    `form` says how a program is compiled, `xla` or `graph`.
    """

    def __init__(
        self, progress: Progress, store: Store, executor: Executor, options: Options, watcher: Following,
        stop: threading.Event, form: Callable[[Program], str],
    ) -> None:  # fmt: skip
        self.progress = progress
        self.store = store
        self.executor = executor
        self.options = options
        self.watcher = watcher
        self.stop = stop
        self.form = form
        self.waiting = deque(progress.missing())
        self.held: list[ReplicateBatch] = []
        self.running: dict[int, tuple[int, list[Finished]]] = {}
        """Of each job, by its number, how many run side by side, itself counted, and those of them that have ended."""
        self.ran: set[str] = set()
        self.count = 0
        self.packages, self.forms = versions(), dict[int, str]()
        self.families: dict[tuple[Any, ...], _Family | None] = {}
        leaves = executor.leaves_checkpoints
        stored = progress.missing(stored=True) if leaves and progress.begun else ()
        self.going_on = GoingOn(self.waiting if leaves else (), form, self._at_border, stored)

    def finish(self) -> None:
        """Runs everything to its end, or until `stop` is set. Raises StoreError when nothing can be stored any more."""
        looked, told = time.monotonic(), False
        try:
            while True:
                if self.stop.is_set():
                    self.executor.cancel()
                    self.waiting.clear()
                    self.held.clear()
                while self.waiting and self.executor.room() > 0 and not self.stop.is_set() and self._turn():
                    self._begin(*self._next())
                if not self.waiting and self.held and time.monotonic() - looked >= AGAIN_SECONDS:
                    if not self.running and not told:
                        self.watcher.waiting(sum(len(batch.numbers) for batch in self.held))
                        told = True
                    self.waiting.extend(self.held)
                    self.held.clear()
                    looked = time.monotonic()
                    continue
                if not self.running and not self.waiting and not self.held:
                    if not self.stop.is_set():
                        self.going_on.remove(self.watcher.warn)
                    return
                self._end(POLL_SECONDS)
        except StoreError:
            self._abandon()
            raise
        finally:
            if not self.running:
                self.executor.close()

    def _turn(self) -> bool:
        """Turns what waits so that the first need not wait for others of this run; whether there is such a one."""
        for _ in range(len(self.waiting)):
            if self.going_on.ready(self.waiting[0]):
                return True
            self.waiting.rotate(-1)
        return False

    def _next(self) -> tuple[list[ReplicateBatch], _Family | None]:
        """Takes the next replicate batch that waits, and those that may be trained beside it; with all that what is compiled for them serves."""
        first = self.waiting.popleft()
        family = self._family(first)
        if family is None or self.going_on.leads(first):
            return [first], family
        most = max_cells_side_by_side(first.program, first.rows, first.request.device)
        most = most if family.one_depth else 1
        most = min(most, self.progress.cells_of_a_part(len(family.cells.programs), first.program.replicates))
        alike = {first.name: first}  # equal cells run once
        for batch in self.waiting if most > 1 else ():
            if self._form_of(batch) == family.form and not self.going_on.ahead(batch):
                alike.setdefault(batch.name, batch)
        size = group_size(first.program, len(family.cells.programs), len(alike), most)
        beside = dict(islice(alike.items(), size))
        taken = {id(batch) for batch in beside.values()}
        self.waiting = deque(batch for batch in self.waiting if id(batch) not in taken)
        return list(beside.values()), family

    def _family(self, first: ReplicateBatch) -> _Family | None:
        """The cells of this run that differ from that of a replicate batch in numbers alone; None where there are none."""
        form = self._form_of(first)
        if form not in self.families:
            programs = {
                id(one.program): one.program
                for one in self.progress.requests
                if self._program_form(one.program) == form[0]
            }
            one_depth = of_one_depth(list(programs.values()))
            together = len(programs) > 1 and (one_depth or not self.options.keep_weights)
            cells = merge_cells(list(programs.values())) if together else None
            self.families[form] = None if cells is None else _Family(form, cells, one_depth)
        return self.families[form]

    def _program_form(self, program: Program) -> str:
        if id(program) not in self.forms:
            self.forms[id(program)] = cell_form_digest(program)
        return self.forms[id(program)]

    def _form_of(self, batch: ReplicateBatch) -> tuple[Any, ...]:
        """What replicate batches have in common that one compiled program serves."""
        return (
            self._program_form(batch.program), batch.numbers, batch.wide, batch.request.steps, self.form(batch.program)
        )  # fmt: skip

    def _begin(self, batches: Sequence[ReplicateBatch], family: _Family | None) -> None:
        """Claims replicate batches; runs what is ours of them, takes up what is stored, puts back what others run."""
        ours: dict[tuple[tuple[int, ...], int], list[Job]] = {}
        for batch in batches:
            mine = self._claim(batch)
            if mine is not None:
                ours.setdefault((mine.numbers, mine.wide), []).append(self._job(mine))
        for jobs in ours.values():
            self.running.update(dict.fromkeys((job.number for job in jobs), (len(jobs), [])))
            self.executor.submit(JobGroup.of_one(jobs[0]) if family is None else family.group(jobs))

    def _claim(self, batch: ReplicateBatch) -> ReplicateBatch | None:
        """Of a replicate batch what is ours to run; nothing where there is none."""
        force = (self.options.force or self.options.keep_weights) and not self.ran.intersection(batch.keys)
        lease = self.store.acquire(batch, force)
        if lease.stored:
            self._take_up(batch.only(lease.stored))
        if lease.others:
            self.held.append(batch.only(lease.others))
        return batch.only(lease.mine) if lease.mine else None

    def _take_up(self, batch: ReplicateBatch) -> None:
        found = [
            replicate
            for replicate in self.store.find([(batch.request, r) for r in batch.numbers])
            if replicate is not None
        ]
        self.progress.add(batch, found)
        for here in (True, False):
            if replicates := [
                replicate for replicate in found if (batch.request.key(replicate.number) in self.ran) is here
            ]:
                for replicate in replicates:
                    replicate.stored = not here  # it did not lie there before this run
                self.watcher.stored(batch.only([replicate.number for replicate in replicates]), replicates, here)
        there = {replicate.number for replicate in found}
        if lost := [number for number in batch.numbers if number not in there]:
            self.waiting.append(batch.only(lost))  # a damaged file, set aside on reading

    def _job(self, batch: ReplicateBatch) -> Job:
        compiled = self.form(batch.program)
        checkpoints = self.store.checkpoints(batch.name, self._made_by(batch), self.options.checkpoint)
        if self.options.force:
            checkpoints.remove()
        weights = str(self.store.weights) if self.options.keep_weights else None
        self.count += 1
        border, leaves = self.going_on.begin(batch, self.count)
        return Job(self.count, batch, compiled, checkpoints, weights, border, leaves)

    def _at_border(self, key: str, batch: ReplicateBatch) -> Checkpoints:
        """The checkpoint of a border on a batch's way; with `force` what a run before left there does not count."""
        checkpoints = self.store.checkpoints(key, self._made_by(batch), 0.0)
        if self.options.force:
            checkpoints.remove()
        return checkpoints

    def _made_by(self, batch: ReplicateBatch) -> dict[str, Any]:
        compiled = self.form(batch.program)
        return {
            **self.packages, "numerics": NUMERICS, "errors": ERRORS, "biases": BIASES, "device": batch.request.device, "compiled": compiled,
        }  # fmt: skip

    def _end(self, seconds: float) -> None:
        """Takes up the next job to have ended. Those that ran side by side are stored at once: a part of them alone would run with other rounding."""
        finished = self.executor.finished(seconds)
        if finished is None:
            return
        self.going_on.ended(finished.job)
        count, ended = self.running.pop(finished.job.number)
        ended.append(finished)
        if len(ended) == count:
            self._store(ended)

    def _store(self, ended: Sequence[Finished]) -> None:
        try:
            stored = self.store.commit([(one.job.batch, one.replicates) for one in ended], self.packages)
        except StoreError:
            for one in ended:  # they can be judged, if not kept
                self.progress.add(one.job.batch, one.replicates)
            raise
        for job, replicates in zip((one.job for one in ended), stored, strict=True):
            if job.checkpoints is not None and all(replicate.status in FINAL_STATUSES for replicate in replicates):
                job.checkpoints.spend(self.watcher.warn)
            self.ran.update(job.batch.keys)
            self._release(job.batch)
            self.progress.add(job.batch, replicates)
            self.watcher.finished(job, replicates)

    def _release(self, batch: ReplicateBatch) -> None:
        """Puts back what waited for a replicate batch that ran here, as another program of this run has equal replicates."""
        ours = [held for held in self.held if not set(batch.keys).isdisjoint(held.keys)]
        self.held = [held for held in self.held if held not in ours]
        self.waiting.extend(ours)

    def _abandon(self) -> None:
        """After a fault of the store: lets what runs end at its next evaluation; checkpoints may still be kept."""
        self.executor.cancel()
        while self.running:
            finished = self.executor.finished(POLL_SECONDS)
            if finished is not None:
                self.running.pop(finished.job.number)


def _has_weights(store: Store, replicate: Replicate) -> bool:
    return replicate.status != "done" or (store.weights / replicate.key).is_dir()
