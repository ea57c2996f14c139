"""Runs a study's plan: every program trained from evaluation to evaluation, one after the other or several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from dlspec.spec.resolved import Program, StudyPlan

from .claims import evaluate as evaluate_claim
from .compilation import uses_xla
from .program import Compiled
from .results import Cell, Results


class Watcher(Protocol):
    """What is told of a run as it goes on."""

    def started(self, program: Program, compiled: str) -> None:
        """A program begins to be compiled."""

    def evaluated(self, program: Program, step: int, measures: dict[str, Any], rate: float) -> None:
        """An evaluation is done; `rate` is steps a second since the last."""

    def finished(self, program: Program, cells: Sequence[Cell]) -> None:
        """A program is done, in whichever way."""


@dataclass(frozen=True)
class Options:
    """How to run: `jit` forces `xla` or `graph`; `jobs` programs run at once."""

    jit: str = "auto"
    jobs: int = 1
    device: str = "cpu"


def run(plan: StudyPlan, options: Options, watcher: Watcher, stop: threading.Event) -> dict[str, Results]:
    """The results of every experiment. Set `stop` to end after the present stretch; what is done is kept."""
    programs = [program for experiment in plan.experiments for program in experiment.programs]
    done: dict[int, list[Cell]] = {}

    def one(place: int) -> None:
        if not stop.is_set():
            done[place] = run_program(programs[place], options, watcher, stop)

    with ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        pending = [pool.submit(one, place) for place in range(len(programs))]
        try:
            for future in pending:
                future.result()
        except BaseException:
            stop.set()
            raise
    found = {}
    place = 0
    for experiment in plan.experiments:
        cells: list[Cell] = []
        for _ in experiment.programs:
            cells.extend(done.get(place, []))
            place += 1
        found[experiment.name] = Results.of_plan(experiment, cells)
    return found


def form(program: Program, options: Options) -> str:
    """The compiled form that a program gets: `xla` or `graph`."""
    if options.jit != "auto":
        return options.jit
    return "xla" if uses_xla(program, options.device) else "graph"


def groups(program: Program) -> list[list[int]]:
    """Which replicates run side by side: all, unless an optimiser mixes the entries of a weight."""
    alone = program.training is not None and not all(plan.elementwise for plan in program.training.optimizers.values())
    every = list(range(program.replicates))
    return [[replicate] for replicate in every] if alone else [every]


def run_program(program: Program, options: Options, watcher: Watcher, stop: threading.Event) -> list[Cell]:
    """The cells of one program. A fault in it ends it alone: its cells say so, the rest of the study goes on."""
    compiled = form(program, options)
    watcher.started(program, compiled)
    cells: list[Cell] = []
    for group in groups(program):
        own = [
            Cell(program.experiment, program.variant, dict(program.point), replicate, program.digest, compiled=compiled)
            for replicate in group
        ]
        cells.extend(own)
        begin = time.perf_counter()
        try:
            _train(Compiled(program, group, compiled == "xla"), own, watcher, stop)
        except Exception as error:
            notes = "; ".join(getattr(error, "__notes__", []))
            text = str(error).strip().split("\n")[0][:300]
            for cell in own:
                cell.status, cell.message = (
                    "failed",
                    f"{type(error).__name__}: {text}" + (f" ({notes})" if notes else ""),
                )
        for cell in own:
            cell.seconds = (time.perf_counter() - begin) / len(own)
    watcher.finished(program, cells)
    return cells


def _train(compiled: Compiled, cells: list[Cell], watcher: Watcher, stop: threading.Event) -> None:
    """Evaluates, trains to the next evaluation, and so on; a diverged replicate keeps the curve it had."""
    program, plan = compiled.program, compiled.program.training
    stops = sorted({*(plan.evaluations if plan else (0,)), *(step for probe in program.probes for step in probe.steps)})
    wanted = set(plan.evaluations) if plan else {0}
    before = time.perf_counter()
    for step in stops:
        count = step - compiled.step
        if count > 0:
            for cell, fault in zip(cells, compiled.train(count), strict=True):
                if fault is not None and cell.status == "done":
                    cell.status = "diverged"
                    cell.message = f"the loss term '{fault.term}' was not finite at step {fault.step:,}"
        alive = [place for place, cell in enumerate(cells) if cell.status == "done"]
        if not alive:
            return
        if step in wanted:
            measures = compiled.evaluate()
            _record(step, measures, cells)
            elapsed = time.perf_counter() - before
            shown = {name: value[alive] for name, value in measures.items()}
            watcher.evaluated(program, step, shown, count * len(cells) / elapsed if elapsed else 0.0)
            before = time.perf_counter()
        for probe in program.probes:
            if step in probe.steps:
                values = compiled.probe(probe)
                for place in alive:
                    cells[place].samples.setdefault(probe.figure, {})[step] = {k: v[place] for k, v in values.items()}
        if stop.is_set() and step != stops[-1]:
            for place in alive:
                cells[place].status, cells[place].message = "interrupted", f"after step {step:,}"
            return
        if plan is not None and plan.until is not None and _reached(plan.until.tree, cells, alive):
            return


def _record(step: int, measures: dict[str, Any], cells: list[Cell]) -> None:
    for place, cell in enumerate(cells):
        if cell.status != "done":
            continue
        bad = [name for name, value in measures.items() if not np.isfinite(value[place]).all()]
        cell.record(step, {name: value[place] for name, value in measures.items()})
        if bad and step:
            cell.status, cell.message = "diverged", f"the measure '{bad[0]}' was not finite at step {step:,}"


def _reached(tree: Any, cells: Sequence[Cell], alive: Sequence[int]) -> bool:
    """Whether the stopping condition holds for every replicate that goes on."""
    for place in alive:
        cell = cells[place]
        alone = Cell(cell.experiment, "", {}, 0, "", steps=cell.steps, curves=cell.curves)
        single = Results(cell.experiment, {}, 1, [alone])
        if not bool(evaluate_claim(tree, single)):
            return False
    return True
