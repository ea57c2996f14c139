"""Progress in a notebook: one output that changes in place, with a bar for the whole study and a line a replicate batch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..program.job import Job
from ..results.replicates import Replicate
from ..schedule.eta import in_words, steps
from ..schedule.progress import Quiet, called, newest
from ..store.requests import ReplicateBatch
from . import html

SECONDS = 0.25
"""How long an output stays at least: each change is sent to the browser."""
MOST_LINES = 12
"""Of how many batches lines are shown, the newest ones."""


def notebook_display() -> Callable[[str], Callable[[str], None]] | None:
    """What shows HTML in the notebook that this process is the kernel of; it gives what replaces it. None where there is no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None:
        return None
    from IPython.display import HTML, display

    def show(text: str) -> Callable[[str], None]:
        handle = display(HTML(text), display_id=True)
        return lambda newer: handle.update(HTML(newer))

    return show


class InNotebook(Quiet):
    """The bar and the lines. `show` is what `notebook_display` gives; `warn_of` is told of warnings."""

    def __init__(
        self,
        batches: Sequence[ReplicateBatch],
        show: Callable[[str], Callable[[str], None]],
        warn_of: Callable[[str], None],
    ) -> None:
        super().__init__(batches)
        self.show = show
        self.warn_of = warn_of
        self.replace: Callable[[str], None] | None = None
        self.all_steps = sum(steps(batch.program) for batch in batches)
        self.at: dict[int, int] = {}
        self.apart = 0
        self.lines: dict[int, str] = {}
        self.sent = 0.0
        self.note = ""

    def __enter__(self) -> InNotebook:
        with self.alone():
            self.replace = self.show(self.text())
        return self

    def __exit__(self, *_: object) -> None:
        self._send(at_once=True)

    def text(self) -> str:
        """What is shown, as HTML."""
        done = min(sum(self.at.values()) + self.apart, self.all_steps)
        left = in_words(self.time_left.seconds())
        words = self.note or (f"about {left} left" if left and done < self.all_steps else "")
        bar = html.Html(f"<progress max='{max(1, self.all_steps)}' value='{done}'></progress>")
        numbers = list(self.lines)[-MOST_LINES:]
        return "".join(
            [html.paragraph(bar, words), *(html.paragraph(self.lines[number], muted=True) for number in numbers)]
        )

    def warn(self, text: str) -> None:
        """As Python warns."""
        self.warn_of(text)

    def show_waiting(self, replicates: int) -> None:
        """Says what is waited for."""
        self.note = f"waiting for {replicates} replicate{'s' if replicates > 1 else ''} that other processes run"
        self._send(at_once=True)

    def show_started(self, job: Job, step: int) -> None:
        """A line of its own."""
        self._line(job, step, "starting")

    def show_compiling(self, job: Job) -> None:
        """The line says so."""
        self._line(job, self.at.get(job.number, 0), "compiling")

    def show_evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """The bar and the line move on."""
        self._line(job, step, f"step {step:,} of {steps(job.batch.program):,}  {newest(measures)}")

    def show_finished(self, job: Job, replicates: Sequence[Replicate], seconds: float) -> None:
        """The line says how it ended."""
        bad = [f"replicate {one.number} {one.status}: {one.message}" for one in replicates if one.status != "done"]
        words = [f"{seconds:.1f} s", newest(self.last.pop(job.number, {})), *bad]
        broken_off = any(one.status == "interrupted" for one in replicates)
        step = self.at.get(job.number, 0) if broken_off else steps(job.batch.program)
        self._line(job, step, "  ".join(word for word in words if word))

    def show_stored(self, batch: ReplicateBatch, here: bool) -> None:
        """The bar moves on."""
        self.apart += steps(batch.program)
        self._send()

    def _line(self, job: Job, step: int, words: str) -> None:
        self.at[job.number] = step
        self.lines[job.number] = f"{called(job.batch, job.batch.program.replicates)}: {words}"
        self._send()

    def _send(self, at_once: bool = False) -> None:
        """Replaces the output; a browser that is gone costs no run."""
        now = time.monotonic()
        if self.replace is not None and (at_once or now - self.sent >= SECONDS):
            self.sent = now
            with suppress(Exception):
                self.replace(self.text())
