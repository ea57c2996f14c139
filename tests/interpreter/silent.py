"""A watcher of training for tests that look at results alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.interpreter.program.job import Job
from dlspec.interpreter.results.replicates import Replicate


class Silent:
    """A watcher that says nothing."""

    def started(self, job: Job, step: int) -> None: ...

    def compiling(self, job: Job) -> None: ...

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None: ...

    def finished(self, job: Job, replicates: Sequence[Replicate]) -> None: ...

    def warn(self, text: str) -> None: ...
