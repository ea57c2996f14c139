"""Who is told of a run while it goes on: whoever sits at the terminal, a notebook, a callback, or nobody."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlspec.spec.ir.plan import StudyPlan

from ..results.optional_outputs import Aside
from ..results.replicates import Results
from ..results.verdicts import Verdict
from ..schedule.progress import Quiet
from ..store.requests import ReplicateBatch

if TYPE_CHECKING:
    from ..executors.ray.connect import Cluster
    from .conclude import Concluded


@dataclass(frozen=True)
class Judged:
    """What a run came to, before anything is drawn or written: its results, its verdicts, and how they compare with what was registered."""

    plan: StudyPlan
    results: Mapping[str, Results]
    verdicts: Sequence[Verdict]
    registration: Mapping[str, Any] | None


class Audience:
    """Hears of a run; this one keeps all to itself but for what `warn` does. Setting `stop` ends the run at its next evaluation."""

    owns_process = False
    """Whether nobody else's code runs in this process."""

    def __init__(self) -> None:
        self.stop = threading.Event()

    def warn(self, text: str) -> None:
        """Something that whoever watches should know."""
        raise NotImplementedError

    def planned(self, stored: int, missing: int, other_forms: Mapping[str, int]) -> None:
        """How many replicates are stored, how many are to run, and how many of the stored ones are of another compiled form, by that."""

    def on_cluster(self, cluster: Cluster) -> None:
        """The run goes on on a Ray cluster."""

    def watcher(self, missing: Sequence[ReplicateBatch]) -> Quiet:
        """Who watches what is trained."""
        raise NotImplementedError

    def stopping(self) -> None:
        """The run was interrupted, and ends at its next evaluation."""

    def stopping_at_once(self, begun: bool) -> None:
        """It was interrupted again; `begun` says whether the store is open already."""
        raise KeyboardInterrupt

    def judged(self, judged: Judged, aside: Aside) -> None:
        """The verdicts are there, before anything is drawn; what fails to be shown does so in `aside`."""

    def kept(self, judged: Judged, done: Concluded) -> None:
        """The run's folder is there, or `done.error` says why it is not."""
