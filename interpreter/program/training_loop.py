"""Trains one replicate batch of a program from evaluation to evaluation, from its start or from a checkpoint."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import ProbePlan

from ..backend.tf32 import tf32_mode
from ..results.errors import Damaged
from ..results.replicates import Replicate
from ..store.checkpoints import Checkpoint
from ..store.requests import shown_at
from ..verdicts.values import reached
from .job import Job, Watcher
from .program import Compiled
from .program_cache import ProgramCache


def train(job: Job, watcher: Watcher, stop: threading.Event, forms: ProgramCache | None = None) -> list[Replicate]:
    """The replicates of a job. A fault in it ends it alone: its replicates say so, and nothing is raised.

    What it compiles is taken from `forms` where a job before it left the same, and left there. Set `stop` to end after
    the present stretch; where it stood is then kept in the job's checkpoint.
    """
    with tf32_mode(job.batch.program.dtype):
        return _trained(job, watcher, stop, forms or ProgramCache())


def _trained(job: Job, watcher: Watcher, stop: threading.Event, forms: ProgramCache) -> list[Replicate]:
    begin = time.perf_counter()
    replicates: list[Replicate] = []
    try:
        replicates, checkpoint = _start(job, watcher)
        watcher.started(job, checkpoint.step if checkpoint else 0)
        compiled = forms.take(
            job.batch.program, job.batch.numbers, job.compiled == "xla", lambda: watcher.compiling(job)
        )
        if checkpoint is not None:
            compiled.restore(checkpoint.step, checkpoint.state)
        before = checkpoint.seconds if checkpoint else 0.0
        _train(compiled, replicates, job, watcher, stop, begin - before, checkpoint is not None)
        if job.weights is not None and not any(replicate.status == "interrupted" for replicate in replicates):
            _keep_weights(compiled, replicates, job, Path(job.weights), watcher)
        forms.leave(compiled)
    except Exception as error:
        before = 0.0
        notes = "; ".join(getattr(error, "__notes__", []))
        text = _useful(error)
        replicates = replicates or [job.batch.request.replicate(number) for number in job.batch.numbers]
        for replicate in replicates:
            replicate.status, replicate.message = (
                "failed",
                f"{type(error).__name__}: {text}" + (f" ({notes})" if notes else ""),
            )
    for replicate in replicates:
        replicate.compiled = job.compiled
        replicate.seconds = (before + time.perf_counter() - begin) / len(replicates)
    return replicates


WRAPPER_LINES = ("Graph execution error:", "Detected at node", "File ", "[[", "<stack traces")
"""How lines begin that TensorFlow puts around what went wrong."""


def _useful(error: Exception) -> str:
    """What an exception says went wrong; of a graph's, its reason and the operation."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    told = [line for line in lines if line and not line.startswith(WRAPPER_LINES) and "root error(s) found" not in line]
    node = next((found[1] for line in lines if (found := re.search(r"{{node ([^}]+)}}", line))), "")
    graph = lines[:1] == [WRAPPER_LINES[0]]
    text = (told[-1 if graph else 0] if told else "")[:300]
    return text if not node or node in text else f"{text} in the operation {node}".strip()


def _start(job: Job, watcher: Watcher) -> tuple[list[Replicate], Checkpoint | None]:
    """Replicates with nothing in them, or those of the checkpoint."""

    def fresh() -> list[Replicate]:
        return [job.batch.request.replicate(number) for number in job.batch.numbers]

    if job.checkpoints is None:
        return fresh(), None
    job.checkpoints.begin()
    replicates = fresh()
    try:
        checkpoint = job.checkpoints.load(replicates)
    except Damaged as damaged:
        watcher.warn(f"{damaged}: the checkpoint is damaged and is dropped; {job.batch.program.name} starts anew")
        job.checkpoints.remove()
        return fresh(), None
    return (replicates, checkpoint) if checkpoint is not None else (fresh(), None)


def _train(
    compiled: Compiled, replicates: list[Replicate], job: Job, watcher: Watcher, stop: threading.Event, begin: float, resumed: bool
) -> None:  # fmt: skip
    """Evaluates, trains to the next evaluation, and so on.

    A replicate's curve ends where it diverged, or where its stopping condition was met: what the others do next
    to it does not change its numbers. What a figure shows at a step after that condition is shown where it was met.
    """
    program, plan = job.batch.program, job.batch.program.training
    wanted = set(job.batch.request.steps)
    stops = sorted(wanted.union(*(probe.steps for probe in program.probes)))
    until = plan.until.tree if plan is not None and plan.until is not None else None
    over = {
        place
        for place, replicate in enumerate(replicates)
        if until is not None and replicate.steps and reached(until, replicate)
    }
    ratios = {measure.name for measure in program.measures if measure.ratio}
    before = time.perf_counter()
    for step in stops:
        if resumed and step <= compiled.step:
            continue
        count = step - compiled.step
        if count > 0:
            for place, (replicate, fault) in enumerate(zip(replicates, compiled.train(count), strict=True)):
                if fault is not None and replicate.status == "done" and place not in over:
                    replicate.status, replicate.end = "diverged", fault.step
                    replicate.message = str(fault)
        alive = [
            place for place, replicate in enumerate(replicates) if replicate.status == "done" and place not in over
        ]
        if not alive:
            return
        if step in wanted:
            measures, errors = compiled.evaluate_with_errors()
            for place in alive:
                _record(step, _row(measures, place), _row(errors, place), replicates[place], ratios)
            elapsed = time.perf_counter() - before
            shown = {name: _only(value, alive) for name, value in measures.items()}
            watcher.evaluated(job, step, shown, count * len(replicates) / elapsed if elapsed else 0.0)
            before = time.perf_counter()
        ends: set[int] = set()
        if until is not None and step in wanted:
            ends = {
                place for place in alive if replicates[place].status == "done" and reached(until, replicates[place])
            }
        _sample(compiled, program.probes, replicates, alive, ends)
        over |= ends
        alive = [place for place in alive if replicates[place].status == "done" and place not in over]
        if step == stops[-1] or not alive:
            return
        ending = stop.is_set()
        if job.checkpoints is not None and (ending or job.checkpoints.due()):
            _keep(compiled, replicates, job, watcher, time.perf_counter() - begin)
        if ending:
            for place in alive:
                replicates[place].status, replicates[place].message = "interrupted", f"after step {step:,}"
            return


def _sample(
    compiled: Compiled,
    probes: Sequence[ProbePlan],
    replicates: Sequence[Replicate],
    alive: Sequence[int],
    ends: set[int],
) -> None:
    """Keeps what figures show at the present step; of those that their stopping condition `ends` here, what is shown later."""
    step = compiled.step
    for probe in probes:
        late = shown_at(probe.steps, step)
        places = [place for place in alive if step in (late if place in ends else probe.steps)]
        values = compiled.probe(probe) if places else {}
        for place in places:
            replicates[place].sample(probe.figure, step, {k: v[place] for k, v in values.items()})


def _only(value: Any, alive: Sequence[int]) -> Any:
    """A measure [replicates, …] with the rows of some replicates; the others' are not a number."""
    if len(alive) == len(value):
        return value
    shown = np.full(np.shape(value), np.nan)
    shown[list(alive)] = np.asarray(value)[list(alive)]
    return shown


def _keep(compiled: Compiled, replicates: Sequence[Replicate], job: Job, watcher: Watcher, seconds: float) -> None:
    """Writes a checkpoint; where it cannot be written, training goes on without."""
    assert job.checkpoints is not None
    try:
        job.checkpoints.save(Checkpoint(compiled.step, seconds, compiled.saved(), replicates))
    except OSError as error:
        job.checkpoints.begin()
        watcher.warn(
            f"{error.filename or job.checkpoints.path}: no checkpoint could be written: {error.strerror}. "
            f"{job.batch.program.name} goes on; if it is killed now it starts from where it was last kept"
        )


def _keep_weights(
    compiled: Compiled, replicates: Sequence[Replicate], job: Job, folder: Path, watcher: Watcher
) -> None:
    """Writes the final weights; where they cannot be written, the numbers are kept still."""
    from .keras_files import write

    try:
        for place, replicate in enumerate(replicates):
            write(compiled, place, folder / replicate.key)
    except OSError as error:
        name = job.batch.program.name
        watcher.warn(
            f"{error.filename or folder}: the weights of {name} could not be written: {error.strerror or error}"
        )


def _row(measures: dict[str, Any], place: int) -> dict[str, Any]:
    """One replicate's part of measures [replicates, …]."""
    return {name: value[place] for name, value in measures.items()}


def _record(
    step: int, measures: dict[str, Any], errors: dict[str, Any], replicate: Replicate, ratios: Collection[str]
) -> None:
    """Adds an evaluation to a replicate; one that is not finite ends it, but for `ratios` to noise."""
    bad = [name for name, value in measures.items() if name not in ratios and not np.isfinite(value).all()]
    replicate.record(step, measures, errors)
    if bad and step:
        replicate.status, replicate.end, replicate.cause = "diverged", step, bad[0]
        replicate.message = f"the measure '{bad[0]}' was not finite at step {step:,}"
