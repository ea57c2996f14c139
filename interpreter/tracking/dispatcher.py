"""Hands what happens in a run to trackers, in a thread of their own: none of them slows training or ends the run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.spec.ir.plan import StudyPlan

from ..program.job import Job
from ..results.folder_names import TENSORBOARD
from ..results.replicates import Replicate, Results
from ..schedule.progress import Quiet
from ..store.requests import ReplicateBatch
from .origin import Origin
from .tracker import ReportedSteps, Tracker

if TYPE_CHECKING:
    from ..results.verdicts import Verdict

Event = Callable[[ReportedSteps], None]


class Tracking:
    """The trackers of a run. The first fault of one is a warning, and all that it is told from then on is dropped."""

    def __init__(
        self, trackers: Mapping[str, Tracker], warn: Callable[[str], None], faults: queue.Queue[str] | None = None
    ) -> None:  # fmt: skip
        self.told = {name: ReportedSteps(tracker) for name, tracker in trackers.items()}
        self.warn = warn
        self.events: queue.Queue[Event | None] = queue.Queue()
        self.faults: queue.Queue[str] = faults if faults is not None else queue.Queue()
        self.thread = threading.Thread(target=self._work, name="dlspec-tracking", daemon=True)
        if self.told:
            self.thread.start()
            self._tell(lambda watched: watched.tracker.begin())

    def beside(self, watcher: Quiet) -> Quiet | Both:
        """A watcher that tells the trackers, too."""
        return Both(watcher, self) if self.told else watcher

    def evaluated(self, batch: ReplicateBatch, step: int, measures: Mapping[str, Any]) -> None:
        """An evaluation of a replicate batch."""
        self._tell(lambda tracker: tracker.evaluated(batch, step, measures))

    def ended(self, replicates: Iterable[Replicate]) -> None:
        """Replicates at their end: run here, elsewhere, or stored before."""
        found = list(replicates) if self.told else []

        def tell(event: ReportedSteps) -> None:
            for replicate in found:
                event.ended(replicate)

        self._tell(tell)

    def conclude(
        self, results: Mapping[str, Results], folder: Path, figures: Sequence[str], verdicts: Sequence[Verdict]
    ) -> None:  # fmt: skip
        """The run's folder is whole: what was not told yet, its figures and its verdicts."""
        for found in results.values():
            self.ended(found.replicates)
        images = [folder / name for name in figures if name.endswith(".png")]
        self._tell(lambda watched: watched.tracker.conclude(folder, images, verdicts))

    def close(self) -> None:
        """Waits until the trackers know all."""
        if self.thread.is_alive():
            self._tell(lambda watched: watched.tracker.close())
            self.events.put(None)
            self.thread.join()
        self.tell_faults(self.warn)

    def tell_faults(self, warn: Callable[[str], None]) -> None:
        """Warns of what went wrong since: not from the thread, whose words would be lost while TensorFlow starts."""
        while True:
            try:
                warn(self.faults.get_nowait())
            except queue.Empty:
                return

    def _tell(self, event: Event) -> None:
        if self.told:
            self.events.put(event)

    def _work(self) -> None:
        while (event := self.events.get()) is not None:
            for name, told in list(self.told.items()):
                try:
                    event(told)
                except (
                    BaseException
                ) as error:  # a library's own fault, or a server's: of any kind, and none ends the thread
                    del self.told[name]
                    text = str(error).strip().split("\n")[0][:300]
                    self.faults.put(
                        f"{name} gets no more of this run: {type(error).__name__}: {text}. The run continues, and keeps everything"
                    )


class Both:
    """A watcher, and trackers that are told with it."""

    def __init__(self, watcher: Quiet, tracking: Tracking) -> None:
        self.watcher = watcher
        self.tracking = tracking

    def __enter__(self) -> Both:
        self.watcher.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.watcher.__exit__(*error)

    def started(self, job: Job, step: int) -> None:
        """A replicate batch begins."""
        self.watcher.started(job, step)
        self.tracking.tell_faults(self.watcher.warn)

    def compiling(self, job: Job) -> None:
        """A replicate batch is compiled."""
        self.watcher.compiling(job)

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """An evaluation is done."""
        self.watcher.evaluated(job, step, measures, rate)
        self.tracking.tell_faults(self.watcher.warn)
        self.tracking.evaluated(job.batch, step, measures)

    def finished(self, job: Job, replicates: Sequence[Replicate]) -> None:
        """A replicate batch is done."""
        self.watcher.finished(job, replicates)
        self.tracking.ended(replicates)

    def stored(self, batch: ReplicateBatch, replicates: Sequence[Replicate], here: bool) -> None:
        """Another process stored replicates of a replicate batch, or this one did, `here`, for an equal program."""
        self.watcher.stored(batch, replicates, here)
        self.tracking.ended(replicates)

    def waiting(self, replicates: int) -> None:
        """Other processes run what is left."""
        self.watcher.waiting(replicates)

    def warn(self, text: str) -> None:
        """Something that whoever watches should know."""
        self.watcher.warn(text)


def opened(
    plan: StudyPlan, root: Path, title: str, tensorboard: bool, mlflow: str | None, warn: Callable[[str], None], origin: Origin | None = None,
) -> Tracking:  # fmt: skip
    """The trackers that are asked for, of a run that will be called `title`, and what they are told it comes from. Raises MissingExtra."""
    trackers: dict[str, Tracker] = {}
    faults: queue.Queue[str] = queue.Queue()
    if tensorboard:
        from .tensorboard import TensorBoard

        trackers["TensorBoard"] = TensorBoard(root / TENSORBOARD, title, plan)
    if mlflow is not None:
        from .mlflow import MLflow

        trackers["MLflow"] = MLflow(mlflow, plan, title, origin or Origin(), lambda text: faults.put(f"MLflow: {text}"))
    return Tracking(trackers, warn, faults)
