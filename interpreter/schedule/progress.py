"""Progress of a run: live on a terminal, a plain line per replicate batch where there is none, or JSON lines."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from ..program.job import Job
from ..results.number_text import number
from ..results.optional_outputs import reason
from ..results.replicates import Replicate, numbered
from ..store.requests import ReplicateBatch
from .eta import TimeLeft, in_words, steps
from .progress_line import LineColumn, Parts

FORMAT_VERSION = 1


def newest(measures: dict[str, Any]) -> str:
    """The newest values in a few words: the mean over the replicates that go on."""
    shown = [
        f"{name} {number(_mean(value))}" for name, value in measures.items() if np.size(value) and np.ndim(value) == 1
    ]
    return "  ".join(shown[:3])


def called(batch: ReplicateBatch, whole: int) -> str:
    """A replicate batch: its program, and its replicates where they are not all."""
    some = batch.numbers
    if len(some) == whole:
        return batch.program.name
    return f"{batch.program.name} ({numbered(some)})"


def tell(line: str) -> None:
    """A line on standard error. Where that can't be written a run goes on all the same: its results are stored.

    It is one write: of two, another thread's line could come between the text and its end.
    """
    with suppress(OSError):
        print(f"{line}\n", end="", file=sys.stderr, flush=True)


class Quiet:
    """Says nothing but warnings; keeps the time left. `trained` is set once a compiled program has run."""

    def __init__(self, batches: Sequence[ReplicateBatch] = ()) -> None:
        self.trained = threading.Event()
        self.total = len(batches)
        self.time_left = TimeLeft(batches)
        self.lock = threading.Lock()
        self.begun: dict[int, float] = {}
        self.last: dict[int, dict[str, Any]] = {}
        self.faulty = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lets what is shown fail alone: no run ends by it. The first fault of dlspec's own is a warning."""
        try:
            yield
        except (OSError, SystemExit):  # nobody reads any more: rich would end the process
            return
        except Exception as error:
            if not self.faulty:
                self.faulty = True
                self.warn(f"progress cannot be shown: {reason(error)}. The run continues, and keeps everything")

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, job: Job, step: int) -> None:
        """A replicate batch begins."""
        with self.lock, self.alone():
            self.begun[job.number] = time.perf_counter()
            self.time_left.started(job.batch, step)
            self.show_started(job, step)

    def compiling(self, job: Job) -> None:
        """A replicate batch is compiled."""
        with self.lock, self.alone():
            self.show_compiling(job)

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """An evaluation is done."""
        with self.lock, self.alone():
            self.last[job.number] = measures
            if step or job.batch.program.training is None:
                self.trained.set()
            self.time_left.reached(job.batch, step)
            self.show_evaluated(job, step, measures, rate)

    def finished(self, job: Job, replicates: Sequence[Replicate]) -> None:
        """A replicate batch is done."""
        with self.lock, self.alone():
            now = time.perf_counter()
            self.time_left.finished(job.batch)
            self.show_finished(job, replicates, now - self.begun.get(job.number, now))

    def stored(self, batch: ReplicateBatch, replicates: Sequence[Replicate], here: bool) -> None:
        """Another process stored replicates of a replicate batch, or this one did, `here`, for an equal program."""
        with self.lock, self.alone():
            self.time_left.stored(batch)
            self.show_stored(batch, here)

    def waiting(self, replicates: int) -> None:
        """Other processes run what is left."""
        with self.lock, self.alone():
            self.show_waiting(replicates)

    def warn(self, text: str) -> None:
        """Something that whoever watches should know."""
        tell(f"warning: {text}")

    def show_started(self, job: Job, step: int) -> None:
        """Shows that a replicate batch begins."""

    def show_compiling(self, job: Job) -> None:
        """Shows that a replicate batch is compiled."""

    def show_evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """Shows an evaluation."""

    def show_finished(self, job: Job, replicates: Sequence[Replicate], seconds: float) -> None:
        """Shows that a replicate batch is done."""

    def show_stored(self, batch: ReplicateBatch, here: bool) -> None:
        """Shows that a replicate batch need not run."""

    def show_waiting(self, replicates: int) -> None:
        """Shows that other processes run what is left."""


class Log(Quiet):
    """A line when a replicate batch begins and one when it ends, on standard error."""

    def show_started(self, job: Job, step: int) -> None:
        """A line with what will run."""
        program, count = job.batch.program, len(job.batch.numbers)
        told = f"{program.training.steps:,} steps" if program.training else "measured only"
        told += f" from step {step:,}" if step else ""
        words = f"{told}, {count} replicate{'s' if count > 1 else ''}, {job.compiled}"
        tell(f"[{job.number}/{max(self.total, job.number)}] {called(job.batch, program.replicates)}: {words}")

    def show_finished(self, job: Job, replicates: Sequence[Replicate], seconds: float) -> None:
        """A line with how long it took, what came out, and the time left."""
        left = self.time_left.seconds()
        words = [f"{seconds:.1f} s", newest(self.last.pop(job.number, {}))]
        words += [
            f"replicate {replicate.number} {replicate.status}: {replicate.message}"
            for replicate in replicates
            if replicate.status != "done"
        ]
        words += [f"(about {in_words(left)} left)"] if left else []
        tell(f"      {called(job.batch, job.batch.program.replicates)}: {'  '.join(word for word in words if word)}")

    def show_stored(self, batch: ReplicateBatch, here: bool) -> None:
        """A line for what another process ran, or this one, for an equal program."""
        ran = "its replicates are those that ran above" if here else "another process has run it"
        tell(f"      {called(batch, batch.program.replicates)}: {ran}")

    def show_waiting(self, replicates: int) -> None:
        """A line that says what is waited for."""
        tell(
            f"waiting for {replicates} replicate{'s' if replicates > 1 else ''} that other processes run; Ctrl-C stops waiting"
        )


class JsonLines(Quiet):
    """One JSON object a line on standard error: what happens, when, and how long the rest will take."""

    def say(self, event: str, **more: Any) -> None:
        """Prints an event."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.emit({"format_version": FORMAT_VERSION, "event": event, "time": now, **more})

    def emit(self, line: dict[str, Any]) -> None:
        """Puts an event where it is read."""
        tell(json.dumps(line, allow_nan=False))

    def show_started(self, job: Job, step: int) -> None:
        """`started`: the replicate batch, its digest, where it starts from."""
        program = job.batch.program
        self.say(
            "started", **_told(job.batch), digest=program.digest, compiled=job.compiled, from_step=step,
            steps=program.training.steps if program.training else 0,
        )  # fmt: skip

    def show_compiling(self, job: Job) -> None:
        """`compiling`: no replicate batch before it had its form."""
        self.say("compiling", **_told(job.batch))

    def show_evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """`evaluated`: the means over the replicates that go on, the rate, the time left over the whole run."""
        means = {name: _finite(_mean(value)) for name, value in measures.items() if np.ndim(value) == 1}
        self.say(
            "evaluated", **_told(job.batch), step=step, measures=means, steps_per_second=round(rate, 1), seconds_left=self._left(),
        )  # fmt: skip

    def show_finished(self, job: Job, replicates: Sequence[Replicate], seconds: float) -> None:
        """`finished`: how each replicate ended."""
        self.last.pop(job.number, None)
        ended = [
            {
                "key": replicate.key,
                "replicate": replicate.number,
                "status": replicate.status,
                "message": replicate.message,
            }
            for replicate in replicates
        ]
        self.say("finished", **_told(job.batch), ended=ended, seconds=round(seconds, 3), seconds_left=self._left())

    def show_stored(self, batch: ReplicateBatch, here: bool) -> None:
        """`stored`: another process ran it, or this run did, for an equal program."""
        self.say("stored", **_told(batch), by="this run" if here else "another process")

    def show_waiting(self, replicates: int) -> None:
        """`waiting`: how many replicates other processes run."""
        self.say("waiting", replicates=replicates)

    def warn(self, text: str) -> None:
        """`warning`: in words."""
        self.say("warning", message=text)

    def _left(self) -> float | None:
        left = self.time_left.seconds()
        return None if left is None else round(left, 1)


class Live(Quiet):
    """A bar a replicate batch: steps, steps a second, the newest measures; and one for the whole study, with the time left.

    The whole study's counts the steps of each replicate: of a batch some may come from the store, and some run.
    """

    def __init__(self, batches: Sequence[ReplicateBatch], console: Console) -> None:
        super().__init__(batches)
        self.console = console
        self.progress = Progress(LineColumn(console), console=console, transient=True)
        self.steps_of_all = sum(map(_steps, batches))
        self.replicates_of_all = sum(len(batch.numbers) for batch in batches)
        self.steps_done = 0
        self.replicates_done = 0
        self.note = ""
        self.whole = self.progress.add_task("", total=None, parts=self._whole())
        self.tasks: dict[int, Any] = {}
        self.at: dict[int, int] = {}

    def __enter__(self) -> Live:
        with self.alone():
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.alone():
            self.progress.stop()

    def show_started(self, job: Job, step: int) -> None:
        """A bar of its own, also where it began once before."""
        if job.number in self.tasks:
            self.progress.remove_task(self.tasks.pop(job.number))
        self.tasks[job.number] = self.progress.add_task("", total=None, parts=_parts(job, step, "starting"))
        self._move(job, step)

    def show_compiling(self, job: Job) -> None:
        """The bar says so."""
        self.progress.update(self.tasks[job.number], parts=_parts(job, self.at.get(job.number, 0), "compiling"))

    def show_evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        """The bar moves."""
        words = f"{rate:,.0f} steps/s" if rate else ""
        values = tuple(filter(None, newest(measures).split("  ")))
        self.progress.update(self.tasks[job.number], parts=_parts(job, step, words, values))
        self._move(job, step)

    def show_finished(self, job: Job, replicates: Sequence[Replicate], seconds: float) -> None:
        """The bar goes, a line stays."""
        self.replicates_done += len(job.batch.numbers)
        self._move(job, steps(job.batch.program))
        if job.number in self.tasks:
            self.progress.remove_task(self.tasks.pop(job.number))
        self.last.pop(job.number, None)
        bad = [replicate for replicate in replicates if replicate.status != "done"]
        words = "[green]done[/]" if not bad else f"[red]{bad[0].status}[/] {escape(bad[0].message)}"
        self.console.print(f"  {escape(called(job.batch, job.batch.program.replicates))}  {words}", highlight=False)

    def show_stored(self, batch: ReplicateBatch, here: bool) -> None:
        """The whole study's bar moves."""
        self.steps_done += _steps(batch)
        self.replicates_done += len(batch.numbers)
        self.progress.update(self.whole, parts=self._whole())

    def show_waiting(self, replicates: int) -> None:
        """Says what is waited for."""
        self.note = f"waiting for {replicates} that other processes run"
        self.progress.update(self.whole, parts=self._whole())

    def warn(self, text: str) -> None:
        """A line above the bars."""
        with suppress(OSError):
            self.console.print(f"warning: {text}", style="yellow", highlight=False, markup=False)

    def _move(self, job: Job, step: int) -> None:
        before, self.at[job.number] = self.at.get(job.number, 0), step
        self.steps_done += (step - before) * len(job.batch.numbers)
        left = in_words(self.time_left.seconds())
        self.note = f"about {left} left" if left else ""
        self.progress.update(self.whole, parts=self._whole())

    def _whole(self) -> Parts:
        count = f"{self.replicates_done:,}/{self.replicates_of_all:,} replicates"
        return Parts("whole study", self.steps_done / max(1, self.steps_of_all), count, self.note)


def _steps(batch: ReplicateBatch) -> int:
    """The steps of all replicates of a batch."""
    return steps(batch.program) * len(batch.numbers)


def _parts(job: Job, step: int, rate: str, values: tuple[str, ...] = ()) -> Parts:
    """What the line of a replicate batch says."""
    total = steps(job.batch.program)
    return Parts(
        called(job.batch, job.batch.program.replicates), step / max(1, total), f"{step:,}/{total:,}", rate, values
    )


def _told(batch: ReplicateBatch) -> dict[str, Any]:
    program = batch.program
    return {
        "program": program.name, "experiment": program.experiment, "variant": program.variant,
        "constants": dict(program.point), "replicates": list(batch.numbers),
    }  # fmt: skip


def _mean(value: Any) -> float:
    """The mean of what is defined; not a number where nothing is."""
    defined = np.asarray(value)[~np.isnan(value)]
    with np.errstate(invalid="ignore"):  # of infinities of both signs
        return float(np.mean(defined)) if defined.size else float("nan")


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
