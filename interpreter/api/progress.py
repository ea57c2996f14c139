"""What is seen of a run in Python: nothing, bars or lines, or events for a function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.spec.diagnostics.problems import Problem, StudyError
from rich.console import Console

from ..schedule.progress import JsonLines, Live, Log, Quiet, tell
from ..store.requests import ReplicateBatch
from .audience import Audience
from .notebook_progress import InNotebook, notebook_display
from .study import warn

if TYPE_CHECKING:
    from ..executors.ray.connect import Cluster

Event = dict[str, Any]


class Listener(Audience):
    """Whoever runs a study from Python, without a wish to see progress: warnings are Python's."""

    def warn(self, text: str) -> None:
        """As Python warns."""
        warn(text)

    def watcher(self, missing: Sequence[ReplicateBatch]) -> Quiet:
        """Nobody."""
        return _Silent(missing)

    def raise_what_was_raised(self) -> None:
        """Raises what a function that is told of progress raised."""


class _Silent(Quiet):
    """Keeps the time left; warns as Python does."""

    def warn(self, text: str) -> None:
        """As Python warns."""
        warn(text)


class Shown(Listener):
    """Bars on a terminal or in a notebook, and lines on standard error where there is neither."""

    def planned(self, stored: int, missing: int, other_forms: Mapping[str, int]) -> None:
        """How much is stored already."""
        if not missing:
            tell(f"all {stored} replicates are stored already: nothing to run")
        elif stored:
            tell(f"{stored} of {stored + missing} replicates are stored already, {missing} to run")

    def on_cluster(self, cluster: Cluster) -> None:
        """Where."""
        tell(f"on a Ray cluster at {cluster.address}: {cluster}")

    def watcher(self, missing: Sequence[ReplicateBatch]) -> Quiet:
        """Bars or lines."""
        show = notebook_display()
        if show is not None:
            return InNotebook(missing, show, warn)
        return Live(missing, Console(stderr=True)) if sys.stderr.isatty() else Log(missing)

    def stopping(self) -> None:
        """What happens now."""
        tell("stopping at the next evaluation: what is stored stays")


class Told(Listener):
    """A function that is told of each event. Its first fault ends the run; it is told no more then."""

    def __init__(self, function: Callable[[Event], object]) -> None:
        super().__init__()
        self.function = function
        self.fault: BaseException | None = None

    def tell(self, event: Event) -> None:
        """Calls the function."""
        if self.fault is not None:
            return
        try:
            self.function(event)
        except BaseException as error:
            self.fault = error
            self.stop.set()

    def warn(self, text: str) -> None:
        """An event, and a warning of Python's."""
        _Events(self.tell).warn(text)
        warn(text)

    def planned(self, stored: int, missing: int, other_forms: Mapping[str, int]) -> None:
        """How much is stored already."""
        _Events(self.tell).say("planned", replicates=stored + missing, stored=stored, to_run=missing)

    def on_cluster(self, cluster: Cluster) -> None:
        """Where."""
        _Events(self.tell).say("cluster", address=cluster.address, nodes=len(cluster.nodes), device=cluster.device)

    def watcher(self, missing: Sequence[ReplicateBatch]) -> Quiet:
        """The function."""
        return _Events(self.tell, missing)

    def raise_what_was_raised(self) -> None:
        """Its fault, if it had one."""
        if self.fault is not None:
            raise self.fault


class _Events(JsonLines):
    """The events of `--log json` for a function."""

    def __init__(self, function: Callable[[Event], object], batches: Sequence[ReplicateBatch] = ()) -> None:
        super().__init__(batches)
        self.function = function

    def emit(self, line: Event) -> None:
        """Hands an event over."""
        self.function(line)


def audience(progress: Any) -> Listener:
    """Who hears of a run: `progress` is None or False, True, or a function. Raises StudyError for another."""
    if progress is None or progress is False:
        return Listener()
    if progress is True:
        return Shown()
    if callable(progress):
        return Told(progress)
    raise StudyError(
        Problem(f"progress is {progress!r}", hint="It is None, True, or a function that is called with each event.")
    )
