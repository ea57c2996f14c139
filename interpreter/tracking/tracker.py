"""Sends the events of a run to a tracker, in order, from a separate thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..results.replicates import Replicate
from ..store.requests import ReplicateBatch
from .scalars import at, curves

if TYPE_CHECKING:
    from ..results.verdicts import Verdict

BEFORE_FIRST_STEP = -1
"""A step before the first."""


class Tracker(Protocol):
    """Keeps a run in a form that others show. What it raises ends it, and never the run."""

    def begin(self) -> None:
        """The run begins."""

    def progressed(self, replicate: Replicate, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """The next points of a replicate's curves: the step, and the numbers by name."""

    def ended(self, replicate: Replicate) -> None:
        """A replicate is at its end, in whichever way; all its points were told."""

    def conclude(self, folder: Path, figures: Sequence[Path], verdicts: Sequence[Verdict]) -> None:
        """The run's folder is whole; `figures` are its images."""

    def close(self) -> None:
        """Nothing more will come, whether the run was concluded or not."""


@dataclass
class ReportedSteps:
    """Which points of which replicates a tracker was told, so that each is told once and in order.

    A replicate batch that goes on from a checkpoint, or that begins again elsewhere, has points that were told before it or must be
    told first: what would leave a gap waits for the replicate's end.
    """

    tracker: Tracker
    last: dict[str, int] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)

    def evaluated(self, batch: ReplicateBatch, step: int, measures: Mapping[str, Any]) -> None:
        """An evaluation of a replicate batch, its replicates side by side."""
        steps = batch.request.steps
        for place, number in enumerate(batch.numbers):
            replicate = batch.request.replicate(number, batch.request.key(number))
            last = self.last.get(replicate.name, BEFORE_FIRST_STEP)
            if step <= last or any(last < other < step for other in steps) or replicate.name in self.over:
                continue
            if numbers := at(measures, place):
                self.tracker.progressed(replicate, [(step, numbers)])
                self.last[replicate.name] = step

    def ended(self, replicate: Replicate) -> None:
        """A replicate's end, with the points that were not told yet."""
        if replicate.name in self.over:
            return
        if points := list(curves(replicate, self.last.pop(replicate.name, BEFORE_FIRST_STEP))):
            self.tracker.progressed(replicate, points)
        self.tracker.ended(replicate)
        self.over.add(replicate.name)
