"""Progress of a run: live on a terminal, a plain line per program where there is none."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from dlspec.spec.resolved import Program, StudyPlan
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .results import Cell


def newest(measures: dict[str, Any]) -> str:
    """The newest values in a few words: the mean over replicates."""
    shown = [
        f"{name} {float(np.mean(value)):.3g}"
        for name, value in measures.items()
        if np.size(value) and value[0].ndim == 0
    ]
    return "  ".join(shown[:3])


class Quiet:
    """Says nothing."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, program: Program, compiled: str) -> None:
        """A program begins to be compiled."""

    def evaluated(self, program: Program, step: int, measures: dict[str, Any], rate: float) -> None:
        """An evaluation is done."""

    def finished(self, program: Program, cells: Sequence[Cell]) -> None:
        """A program is done."""


class Log(Quiet):
    """A line when a program begins and one when it ends, on standard error."""

    def __init__(self, plan: StudyPlan) -> None:
        self.total = sum(len(experiment.programs) for experiment in plan.experiments)
        self.count = 0
        self.lock = threading.Lock()
        self.begun: dict[int, float] = {}
        self.last: dict[int, dict[str, Any]] = {}

    def started(self, program: Program, compiled: str) -> None:
        with self.lock:
            self.count += 1
            self.begun[id(program)] = time.perf_counter()
            steps = f"{program.training.steps:,} steps" if program.training else "measured only"
            words = f"{steps}, {program.replicates} replicate{'s' if program.replicates > 1 else ''}, {compiled}"
            print(f"[{self.count}/{self.total}] {program.name}: {words}", file=sys.stderr, flush=True)

    def evaluated(self, program: Program, step: int, measures: dict[str, Any], rate: float) -> None:
        self.last[id(program)] = measures

    def finished(self, program: Program, cells: Sequence[Cell]) -> None:
        with self.lock:
            seconds = time.perf_counter() - self.begun[id(program)]
            words = [f"{seconds:.1f} s", newest(self.last.get(id(program), {}))]
            words += [
                f"replicate {cell.replicate} {cell.status}: {cell.message}" for cell in cells if cell.status != "done"
            ]
            print(f"      {program.name}: {'  '.join(word for word in words if word)}", file=sys.stderr, flush=True)


class Live(Quiet):
    """A bar a program: steps, steps a second, time left, the newest measures."""

    def __init__(self, plan: StudyPlan, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(), TextColumn("{task.fields[newest]}", style="dim"), console=console, transient=True,
        )  # fmt: skip
        programs = [program for experiment in plan.experiments for program in experiment.programs]
        total = sum(program.training.steps if program.training else 1 for program in programs)
        self.whole = self.progress.add_task("whole study", total=total, rate="", newest="")
        self.tasks: dict[int, Any] = {}
        self.at: dict[int, int] = {}

    def __enter__(self) -> Live:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def started(self, program: Program, compiled: str) -> None:
        total = program.training.steps if program.training else 1
        self.tasks[id(program)] = self.progress.add_task(program.name, total=total, rate="compiling", newest="")
        self.at[id(program)] = 0

    def evaluated(self, program: Program, step: int, measures: dict[str, Any], rate: float) -> None:
        task = self.tasks[id(program)]
        before, self.at[id(program)] = self.at[id(program)], step
        self.progress.update(task, completed=step, rate=f"{rate:,.0f} steps/s" if rate else "", newest=newest(measures))
        self.progress.update(self.whole, advance=step - before)

    def finished(self, program: Program, cells: Sequence[Cell]) -> None:
        total = program.training.steps if program.training else 1
        self.progress.update(self.whole, advance=total - self.at[id(program)])
        self.progress.remove_task(self.tasks[id(program)])
        bad = [cell for cell in cells if cell.status != "done"]
        words = "[green]done[/]" if not bad else f"[red]{bad[0].status}[/] {bad[0].message}"
        self.console.print(f"  {program.name}  {words}", highlight=False)
