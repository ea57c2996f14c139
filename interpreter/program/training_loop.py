"""Trains the replicate batches of one cell or of several side by side from evaluation to evaluation, from the start or from a checkpoint."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.plan import ProbePlan

from ..backend.tf32 import tf32_mode
from ..results.optional_outputs import reason
from ..results.replicates import DONE, Replicate
from ..store.checkpoints import Checkpoint
from ..store.requests import shown_at
from ..verdicts.values import reached
from .begun import Begun, fresh, laid_out, parts
from .holding import held_from, held_text
from .job import Job, JobGroup, Watcher
from .program import Compiled
from .program_cache import ProgramCache


def train(job: Job, watcher: Watcher, stop: threading.Event, forms: ProgramCache | None = None) -> list[Replicate]:
    """The replicates of one job: see `train_group`."""
    return train_group(JobGroup.of_one(job), watcher, stop, forms)[0]


def train_group(
    group: JobGroup, watcher: Watcher, stop: threading.Event, forms: ProgramCache | None = None
) -> list[list[Replicate]]:
    """The replicates of each job of a group, trained side by side. A fault in a job ends it alone: its replicates say so, and nothing is raised.

    What it compiles is taken from `forms` where a group before it left the same, and left there. Set `stop` to end after
    the present stretch; where it stood is then kept in the jobs' checkpoints. Jobs whose checkpoints are of other steps, and those
    beside which one has a fault, run one after the other.
    """
    forms = forms or ProgramCache()
    with tf32_mode(group.jobs[0].batch.program.dtype):
        begun = [_begun(job, watcher) for job in group.jobs]
        for places in parts(begun):
            _train_part([begun[place] for place in places], group.cells.only(places), watcher, stop, forms)
    return [one.replicates for one in begun]


def _begun(job: Job, watcher: Watcher) -> Begun:
    """A job that begins, or says why it can't. Raises nothing."""
    try:
        return Begun.of(job, watcher)
    except Exception as error:
        return Begun(job, fresh(job), fault=_told(error))


def _train_part(
    part: Sequence[Begun], cells: CellBatch, watcher: Watcher, stop: threading.Event, forms: ProgramCache
) -> None:
    """Trains jobs that go on from the same step: side by side, or, where that fails, one after the other."""
    begin = time.perf_counter()
    laid, places = laid_out(part)
    fault = _fault_of(laid, cells.only(places), watcher, stop, forms)
    if fault and len(part) > 1:
        for place, one in enumerate(part):
            again = _begun(one.job, watcher)
            one.replicates, one.checkpoint, one.fault = again.replicates, again.checkpoint, again.fault
            one.border, one.beside = again.border, again.beside
            _train_part([one], cells.only([place]), watcher, stop, forms)
        return
    count = sum(len(one.replicates) for one in part)
    for one in part:
        for replicate in one.replicates:
            if fault:
                replicate.status, replicate.message = "failed", fault
            replicate.compiled, replicate.rows = one.job.compiled, one.beside.rows if one.beside else 0
            replicate.seconds = one.seconds / len(one.replicates) + (time.perf_counter() - begin) / count


def _fault_of(
    part: Sequence[Begun], cells: CellBatch, watcher: Watcher, stop: threading.Event, forms: ProgramCache
) -> str:
    """Trains jobs side by side; what went wrong, or nothing."""
    if fault := next((one.fault for one in part if one.fault), ""):
        return fault
    begin, first = time.perf_counter(), part[0]
    try:
        for one in part:
            if not one.for_others:
                watcher.started(one.job, one.checkpoint.step if one.checkpoint else 0)
        compiled = forms.take(
            cells, first.job.batch.numbers, first.job.compiled == "xla", lambda: watcher.compiling(first.job),
            first.beside.wide if first.beside else 0,
        )  # fmt: skip
        if first.checkpoint is not None:
            states = [one.checkpoint.state for one in part if one.checkpoint]
            if first.border is None:
                compiled.restore(first.checkpoint.step, states)
            else:
                compiled.restore_border(first.checkpoint.step, first.border, states)
            for row, (begun, replicate) in enumerate((one, replicate) for one in part for replicate in one.replicates):
                for number in held_from(begun.job.batch.program.training, replicate):
                    compiled.hold(number, [row])
        if compiled.beside:
            compiled.compile_training()
        _train(compiled, part, watcher, stop, begin)
        for place, one in enumerate(part):
            if one.job.weights is not None and not any(r.status == "interrupted" for r in one.replicates):
                _keep_weights(compiled, place * len(one.replicates), one, Path(one.job.weights), watcher)
        forms.leave(compiled)
    except Exception as error:
        return _told(error)
    return ""


def _told(error: Exception) -> str:
    """A fault in words: its class, what it says, and where."""
    notes = "; ".join(getattr(error, "__notes__", []))
    return f"{type(error).__name__}: {_useful(error)}" + (f" ({notes})" if notes else "")


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


def _train(compiled: Compiled, part: Sequence[Begun], watcher: Watcher, stop: threading.Event, begin: float) -> None:
    """Evaluates, trains to the next evaluation, and so on. Rows are the replicates of the jobs, one job after the other.

    A replicate's curve ends where it diverged, or where its stopping condition was met: what the others do next
    to it does not change its numbers. What a figure shows at a step after that condition is shown where it was met.
    """
    request, program = part[0].job.batch.request, part[0].job.batch.program
    replicates = [replicate for one in part for replicate in one.replicates]
    until = [_until(one.job) for one in part for _ in one.replicates]
    wanted = set(request.steps)
    stops = sorted(wanted.union(*(probe.steps for probe in program.probes)))
    seen = [not one.for_others for one in part for _ in one.replicates]
    over = {
        row
        for row, replicate in enumerate(replicates)
        if not seen[row] or (until[row] is not None and replicate.steps and reached(until[row], replicate))
    }
    gaps: set[tuple[int, str]] = set()
    before = time.perf_counter()
    for step in stops:
        if part[0].checkpoint is not None and step <= compiled.step:
            continue
        count = step - compiled.step
        if count > 0:
            for row, (replicate, fault) in enumerate(zip(replicates, compiled.train(count), strict=True)):
                if fault is not None and replicate.status == "done" and row not in over:
                    replicate.status, replicate.end = "diverged", fault.step
                    replicate.message = str(fault)
        alive = [row for row, replicate in enumerate(replicates) if replicate.status == "done" and row not in over]
        if not alive:
            return
        if step in wanted:
            measures, errors = compiled.evaluate_with_errors()
            beside = {"error": errors, "bias": compiled.biases(measures)}
            for row in alive:
                own = {column: _row(values, row) for column, values in beside.items()}
                replicates[row].record(step, _row(measures, row), **own)
            _tell_of_gaps(part, alive, step, measures, gaps, watcher)
            elapsed = time.perf_counter() - before
            _tell(part, alive, step, measures, count / elapsed if elapsed else 0.0, watcher)
            before = time.perf_counter()
        ends: set[int] = set()
        if step in wanted:
            ends = {
                row
                for row in alive
                if until[row] is not None and replicates[row].status == "done" and reached(until[row], replicates[row])
            }
            _hold(compiled, part, [row for row in alive if row not in ends])
        _sample(compiled, program.probes, replicates, alive, ends)
        over |= ends
        alive = [row for row in alive if replicates[row].status == "done" and row not in over]
        if step == stops[-1] or not alive:
            return
        _leave_at_border(compiled, part, watcher, time.perf_counter() - begin)
        ending = stop.is_set()
        kept = [one for one in part if one.job.checkpoints is not None and (ending or one.job.checkpoints.due())]
        if kept:
            _keep(compiled, part, watcher, time.perf_counter() - begin)
        if ending:
            for row in alive:
                replicates[row].status, replicates[row].message = "interrupted", f"after step {step:,}"
            return


def _hold(compiled: Compiled, part: Sequence[Begun], rows: Sequence[int]) -> None:
    """Lets those of some rows hold their weights to the end of the present pass whose condition on it is met, and says so of them."""
    every = [(one.job.batch.program.training, replicate) for one in part for replicate in one.replicates]
    for row in rows:
        plan, replicate = every[row]
        number = plan.pass_within(compiled.step) if plan is not None else None
        if plan is None or number is None or replicate.status != DONE or row in compiled.holds(number):
            continue
        until = plan.phases[plan.owners[number]].until
        if until is not None and reached(until.tree, replicate):
            compiled.hold(number, [row])
            replicate.message = held_text(plan, held_from(plan, replicate))


def _until(job: Job) -> Any:
    """A job's stopping condition."""
    plan = job.batch.program.training
    return plan.until.tree if plan is not None and plan.until is not None else None


def _tell(
    part: Sequence[Begun], alive: Sequence[int], step: int, measures: Mapping[str, Any], rate: float, watcher: Watcher
) -> None:
    """Tells of an evaluation of each job that goes on; `rate` is steps a second."""
    for place, one in enumerate(part):
        count = len(one.replicates)
        rows = range(place * count, (place + 1) * count)
        own = [row - rows.start for row in alive if row in rows]
        if own:
            shown = {name: _only(value[rows.start : rows.stop], own) for name, value in measures.items()}
            watcher.evaluated(one.job, step, shown, rate * count)


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


def _tell_of_gaps(
    part: Sequence[Begun],
    alive: Sequence[int],
    step: int,
    measures: Mapping[str, Any],
    known: set[tuple[int, str]],
    watcher: Watcher,
) -> None:
    """Warns of each measure of a job that is not finite, when it is first, but for ratios to noise and means that may be of no example.

    It is a gap in its curve: training, and what else is measured, go on. `known` are the jobs and measures that were told of.
    """
    for place, one in enumerate(part):
        first = place * len(one.replicates)
        rows = [row for row in alive if first <= row < first + len(one.replicates)]
        for measure in one.job.batch.program.measures:
            if measure.ratio or (place, measure.name) in known:
                continue
            bad = [row for row in rows if not np.isfinite(measures[measure.name][row]).all()]
            if bad:
                known.add((place, measure.name))
                numbers = listing(str(replicates.number) for replicates in (one.replicates[row - first] for row in bad))
                of = f"replicate{'s' if len(bad) > 1 else ''} {numbers}"
                watcher.warn(
                    f"{one.job.batch.program.name}: the measure '{measure.name}' is not finite at step {step:,} in {of}: "
                    "its curve has a gap there, and training goes on"
                )


def _only(value: Any, alive: Sequence[int]) -> Any:
    """A measure [replicates, …] with the rows of some replicates; the others' are not a number."""
    if len(alive) == len(value):
        return value
    shown = np.full(np.shape(value), np.nan)
    shown[list(alive)] = np.asarray(value)[list(alive)]
    return shown


def _leave_at_border(compiled: Compiled, part: Sequence[Begun], watcher: Watcher, seconds: float) -> None:
    """Writes the checkpoint of the border that is the present step, where other cells go on from it; where it cannot be written they begin anew."""
    for place, one in enumerate(part):
        for border in one.job.leaves:
            if border.step != compiled.step:
                continue
            state = compiled.up_to_border(border.number)[place]
            spent = one.seconds + seconds / len(part)
            assert one.beside is not None
            kept = Checkpoint(compiled.step, spent, state, one.replicates, one.beside)
            try:
                border.checkpoints.save(kept, border.keys(len(one.replicates)))
            except Exception as error:  # the system's, or of what writes it
                watcher.warn(
                    f"{border.checkpoints.path}: no checkpoint could be written: {reason(error)}. Cells that are equal so far start over"
                )


def _keep(compiled: Compiled, part: Sequence[Begun], watcher: Watcher, seconds: float) -> None:
    """Writes the checkpoint of each job; where one cannot be written, training goes on without."""
    for one, state in zip(part, compiled.saved(), strict=True):
        if (checkpoints := one.job.checkpoints) is None or one.beside is None:
            continue
        try:
            spent = one.seconds + seconds / len(part)
            checkpoints.save(Checkpoint(compiled.step, spent, state, one.replicates, one.beside))
        except Exception as error:  # the system's, or of what writes it
            checkpoints.begin()
            watcher.warn(
                f"{checkpoints.path}: no checkpoint could be written: {reason(error)}. "
                f"{one.job.batch.program.name} continues; if it is killed now, it restarts from its last checkpoint"
            )


def _keep_weights(compiled: Compiled, first: int, one: Begun, folder: Path, watcher: Watcher) -> None:
    """Writes the final weights of a job whose rows begin at one; where they cannot be written, the numbers are kept still."""
    try:
        from .keras_files import write

        for row, replicate in enumerate(one.replicates, first):
            write(compiled, row, folder / replicate.key)
    except Exception as error:  # the system's, Keras' or HDF5's
        name = one.job.batch.program.name
        watcher.warn(f"{folder}: the weights of {name} could not be written: {reason(error)}. Its numbers are kept")


def _row(measures: dict[str, Any], place: int) -> dict[str, Any]:
    """One replicate's part of measures [replicates, …]."""
    return {name: value[place] for name, value in measures.items()}
