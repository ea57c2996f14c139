"""Figures of experiments that are done are drawn in a thread while others are trained; the end of a run takes what is there, and draws the rest.

What is drawn so is what the end would draw: it is taken only where the experiment's replicates are the very ones that were drawn. A figure
that fails here is drawn again at the end, and fails or is told of there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from dlspec.spec.ir.plan import ExperimentPlan, FigurePlan, StudyPlan

from ..results.atomic_files import draft_folder
from ..results.replicates import Replicate, Results
from ..schedule.scheduler import Progress


@dataclass(frozen=True)
class _Drawn:
    """A figure that was drawn: of which replicates, its files, and what there was to tell of it."""

    replicates: Sequence[Replicate]
    files: Sequence[Path]
    told: Sequence[str]


class DrawnMeanwhile:
    """Draws figures of a run, one after the other, beside its folder `root`/`title`; a context that ends with the run.

    Only in a process of dlspec's own: matplotlib's settings are the whole process's, and are changed while something is drawn.
    """

    def __init__(self, plan: StudyPlan, root: Path, title: str) -> None:
        self.plan = plan
        self.root = root
        self.title = title
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="dlspec-draws")
        self.found: dict[int, Future[_Drawn]] = {}
        """What is drawn of figures, by their identities."""
        self.left: dict[str, set[tuple[int, int]]] = {}
        """The replicates of each experiment that are not there yet."""
        self.folder: Path | None = None
        self.owner = ""
        """By which the folder is known to be nobody's once this process is killed."""

    def __enter__(self) -> DrawnMeanwhile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for the figure that is being drawn, and removes what nobody took."""
        self.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def follow(self, progress: Progress, owner: str) -> None:
        """Has figures drawn when the last replicate of their experiment comes and others are still to come; `owner` holds this process' leases."""
        self.owner = owner
        self.left = {
            experiment.name: {
                (place, number)
                for place in places
                for number in range(progress.requests[place].program.replicates)
                if (place, number) not in progress.replicates
            }
            for experiment, places in progress.experiments(self.plan)
        }
        progress.added = lambda keys: self._come(progress, keys)

    def _come(self, progress: Progress, keys: Sequence[tuple[int, int]]) -> None:
        for experiment, places in progress.experiments(self.plan):
            left = self.left[experiment.name]
            if not left or not any(place in places for place, _ in keys):
                continue
            left.difference_update(keys)
            if not left and any(self.left.values()):
                self._draw(experiment, progress.of_places(places))

    def _draw(self, experiment: ExperimentPlan, replicates: Sequence[Replicate]) -> None:
        """Has an experiment's figures drawn, unless some of it lies in the store alone, where what is lost is the end's to tell."""
        if any(replicate.stored for replicate in replicates):
            return
        for figure in experiment.figures:
            self.found[id(figure)] = self.pool.submit(self._drawn, experiment, figure, replicates)

    def _drawn(self, experiment: ExperimentPlan, figure: FigurePlan, replicates: Sequence[Replicate]) -> _Drawn:
        from ..figures import draw

        if self.folder is None:
            self.folder = draft_folder(self.root, f"{self.title}-figures", self.owner)
        told: list[str] = []
        return _Drawn(replicates, draw(figure, Results.of_plan(experiment, replicates), self.folder, told.append), told)

    def wait(self) -> None:
        """Waits for the figure that is being drawn; those that were not begun are left to the end."""
        self.pool.shutdown(wait=True, cancel_futures=True)

    def take(
        self, figure: FigurePlan, results: Results, folder: Path, warn: Callable[[str], None]
    ) -> list[Path] | None:
        """Moves the files of a figure of some results into a folder, and tells what there is to tell; None where it is to be drawn yet. Raises OSError."""
        future = self.found.get(id(figure))
        if future is None or not future.done() or future.cancelled() or future.exception() is not None:
            return None
        drawn = future.result()
        same = len(drawn.replicates) == len(results.replicates) and all(
            a is b for a, b in zip(drawn.replicates, results.replicates, strict=True)
        )
        if not same:
            return None
        for text in drawn.told:
            warn(text)
        return [path.rename(folder / path.name) for path in drawn.files]
