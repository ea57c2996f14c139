"""A run, from a resolved study to its folder: runs what the store lacks, judges the claims, draws the figures, and keeps it all.

What only the end needs (claims, figures, the report) is imported there: a run knows sooner what it has to do.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from dlspec.spec.diagnostics.problems import StudyError
from dlspec.spec.ir.plan import StudyPlan
from dlspec.spec.tables.dtypes import DTYPES

from ..backend.devices import Asked
from ..backend.jit_policy import jit_mode
from ..backend.startup import device, device_without_tensorflow, environment, overlooked, start
from ..executors.base import Executor
from ..executors.begun_early import begun_early
from ..program.job import Watcher
from ..results.errors import StoreError, explained
from ..results.exit_codes import exit_code
from ..results.folder_names import STORE
from ..results.optional_outputs import Aside
from ..results.registration import compared
from ..results.replicates import DONE, Results
from ..results.run_writer import new_title
from ..schedule.progress import Quiet
from ..schedule.scheduler import Progress, Run
from ..store.requests import ReplicateBatch, requests_of
from ..store.store import Store
from ..tracking import Both, Origin, Tracking, opened
from .audience import Audience, Judged
from .drawn_meanwhile import DrawnMeanwhile
from .loaded_meanwhile import loaded_meanwhile
from .settings import ExecutorName, RunSettings

if TYPE_CHECKING:
    from ..executors.training_process import TrainingProcess
    from .conclude import Concluded


@dataclass(frozen=True)
class Outcome:
    """A run at its end: its results, what was concluded of them, and whether it was interrupted."""

    results: Mapping[str, Results]
    done: Concluded
    stopped: bool

    def exit_code(self, fail_on: str = "fails") -> int:
        """How the command ends; `fail_on` says from which verdict on a claim counts as one that fails."""
        statuses = [replicate.status for found in self.results.values() for replicate in found.replicates]
        verdicts = [verdict.verdict for verdict in self.done.verdicts]
        return exit_code(statuses, verdicts, self.stopped, self.done.error is not None, fail_on)

    def interruption(self) -> str:
        """What is said of a run that was interrupted."""
        statuses = [replicate.status for found in self.results.values() for replicate in found.replicates]
        wanted = sum(int(found.meant.sum()) for found in self.results.values())
        if self.done.folder is not None and len(statuses) == wanted and not {"interrupted", "failed"} & set(statuses):
            return f"interrupted after all was trained: the run is complete, and kept in {self.done.folder}"
        whole, kept = (
            statuses.count(DONE),
            f"their results are kept in {self.done.folder}. " if self.done.folder else "",
        )
        return f"interrupted: {whole} replicates are complete, {len(statuses) - whole} in part; {kept}Run again to go on from there."


def carried_out(plan: StudyPlan, settings: RunSettings, audience: Audience, command: Sequence[str]) -> Outcome:
    """Runs, stores, judges, and writes the run's folder; `command` is the command's words. Raises StoreError, MissingExtra, ClusterError."""
    title = new_title(settings.runs, plan)
    origin = Origin(tuple(command), settings.study)
    tracking = opened(plan, settings.runs, title, settings.tensorboard, settings.mlflow, audience.warn, origin)
    store: Store | None = None
    figures = DrawnMeanwhile(plan, settings.runs, title) if audience.owns_process else None
    with _interruptible(audience, lambda: store is not None), figures or nullcontext():
        try:
            with explained(settings.runs):
                settings.runs.mkdir(parents=True, exist_ok=True)
            store = Store(settings.runs / STORE, audience.warn)
            run = _run_on_cluster if settings.executor is ExecutorName.ray else _run
            results, where = run(plan, settings, store, tracking, audience, figures)
            done = _conclude(plan, results, settings, store.owner.name, where, command, title, audience, figures)
            if done.folder is not None:
                with Aside(audience.warn).part("what trackers are told at the end"):
                    tracking.conclude(results, done.folder, done.figures, done.verdicts)
        except BaseException:
            if store is not None:
                store.close()
            raise
        finally:
            tracking.close()
    store.close()
    return Outcome(results, done, audience.stop.is_set())


@contextmanager
def _interruptible(audience: Audience, begun: Callable[[], bool]) -> Iterator[None]:
    """Ctrl-C ends the run at its next evaluation, and a second one at once. In a thread of its own a run hears no Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        if audience.stop.is_set():
            audience.stopping_at_once(begun())
        else:
            audience.stop.set()
            audience.stopping()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(
    plan: StudyPlan, settings: RunSettings, store: Store, tracking: Tracking, audience: Audience,
    figures: DrawnMeanwhile | None,
) -> tuple[dict[str, Results], str]:  # fmt: skip
    """The results of the plan, and on which kind of device. TensorFlow is loaded only where something is to run."""
    where = device_without_tensorflow(settings.device) or store.device(environment())
    if where is None:
        start(settings.device, audience.owns_process)
        where = device()
        store.note_device(environment(), where)
    begun = _begun(plan, settings, store, where, _jobs(settings, where))
    _tell(begun, settings, audience)
    if not begun.missing:
        return begun.progress.results(plan), where
    first = begun_early() if audience.owns_process else None
    if first is None:
        start(settings.device, audience.owns_process)
        if warning := overlooked(settings.device):
            audience.warn(warning)
        where, before = device(), where
        if where != before:
            begun = _begun(plan, settings, store, where, _jobs(settings, where))
    if where == "cpu" and any(DTYPES[batch.program.dtype].rounded for batch in begun.missing):
        audience.warn("on a CPU `dtype: tf32` gives the numbers of float32: only a GPU rounds to TensorFloat-32")
    with _judged_anyway(plan, begun, settings, audience):
        executor = partial(_local, begun.progress.jobs, settings.device, first)
        _finish(begun, settings, store, tracking, audience, executor, figures, elsewhere=first is not None)
    return begun.progress.results(plan), where


def _run_on_cluster(
    plan: StudyPlan, settings: RunSettings, store: Store, tracking: Tracking, audience: Audience,
    figures: DrawnMeanwhile | None,
) -> tuple[dict[str, Results], str]:  # fmt: skip
    """The same on a Ray cluster; TensorFlow is loaded by its workers alone. Raises ClusterError."""
    from ..executors.ray import connected

    with connected(settings.address) as cluster:
        begun = _begun(plan, settings, store, cluster.device, settings.jobs or cluster.at_once, grouped=False)
        _tell(begun, settings, audience)
        if begun.missing:
            from ..executors.ray.executor import Remote

            audience.on_cluster(cluster)
            with _judged_anyway(plan, begun, settings, audience):
                executor = partial(Remote, cluster, jobs=settings.jobs)
                _finish(begun, settings, store, tracking, audience, executor, figures, elsewhere=True)
        return begun.progress.results(plan), cluster.device


@dataclass(frozen=True)
class _Begun:
    """On which kind of device programs run, what is stored of them, and what is missing."""

    device: str
    progress: Progress
    missing: Sequence[ReplicateBatch]


def _begun(plan: StudyPlan, settings: RunSettings, store: Store, where: str, jobs: int, grouped: bool = True) -> _Begun:
    progress = Progress.of_store(requests_of(plan, where), store, settings, jobs, grouped)
    return _Begun(where, progress, progress.missing())


@contextmanager
def _judged_anyway(plan: StudyPlan, begun: _Begun, settings: RunSettings, audience: Audience) -> Iterator[None]:
    """Where the store can take no more, what ran until then is judged and shown all the same; no folder is made of it."""
    try:
        yield
    except StoreError:
        if begun.progress.replicates:
            from .conclude import Ran, judged

            aside = Aside(audience.warn)
            with aside.part("judging what ran"):
                results = begun.progress.results(plan)
                ran = Ran(plan, results, settings.runs, "", begun.device, (), settings.study, interrupted=True)
                audience.judged(Judged(plan, results, judged(ran), None), aside)
        raise


def _finish(
    begun: _Begun, settings: RunSettings, store: Store, tracking: Tracking, audience: Audience,
    executor: Callable[[Quiet | Both], Executor], figures: DrawnMeanwhile | None, elsewhere: bool,
) -> None:  # fmt: skip
    """Runs what is missing to its end; `figures` are drawn as their experiments are done. `elsewhere` says that other processes train."""
    if figures is not None:
        figures.follow(begun.progress, store.owner.name)
    tracking.ended(begun.progress.replicates.values())
    told = audience.watcher(begun.missing)
    meanwhile = loaded_meanwhile(told.trained, elsewhere) if audience.owns_process else nullcontext()
    with tracking.beside(told) as watcher, meanwhile:
        form = partial(jit_mode, jit=settings.jit, device=begun.device)
        Run(begun.progress, store, executor(watcher), settings, watcher, audience.stop, form).finish()


def _jobs(settings: RunSettings, device: str) -> int:
    """How many programs run at once: as many as there are cores, on a GPU one."""
    return settings.jobs or (1 if device == "gpu" else os.cpu_count() or 1)


def _local(jobs: int, device: Asked, first: TrainingProcess | None, watcher: Watcher) -> Executor:
    """The executor on this machine; `first` is a process that has TensorFlow loaded already."""
    from ..executors.local import RecyclingProcessPool

    return RecyclingProcessPool(jobs, watcher, device, first)


def _tell(begun: _Begun, settings: RunSettings, audience: Audience) -> None:
    """How many replicates are stored already, and how many are to run."""
    other = begun.progress.of_another_form(partial(jit_mode, jit=settings.jit, device=begun.device))
    audience.planned(len(begun.progress.replicates), sum(len(batch.numbers) for batch in begun.missing), other)


def _conclude(
    plan: StudyPlan, results: Mapping[str, Results], settings: RunSettings, owner: str, where: str, command: Sequence[str], title: str,
    audience: Audience, figures: DrawnMeanwhile | None = None,
) -> Concluded:  # fmt: skip
    """Verdicts first, then the run's folder, with figures and the report. Raises StoreError."""
    from .conclude import Ran, conclude, judged, with_looks

    aside = Aside(audience.warn)
    stopped = audience.stop.is_set()
    ran = Ran(plan, results, settings.runs, title, where, command, settings.study, interrupted=stopped, owner=owner)
    try:
        verdicts = judged(ran)
        with aside.part("the look for earlier verdicts"):
            verdicts = with_looks(ran, verdicts)
        with aside.part("the comparison with what was registered"):
            ran = replace(ran, registration=compared(settings.study, plan))
        what = Judged(plan, results, verdicts, ran.registration)
        audience.judged(what, aside)
        done = conclude(ran, verdicts, audience.warn, figures)
    except StudyError:
        raise
    except Exception as error:
        error.add_note(f"what was trained is kept in {settings.runs / STORE}, and does not run again")
        raise
    audience.kept(what, done)
    return done
