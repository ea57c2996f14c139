"""What is checked of a study: it is refused with a remedy, or runs to its end, and all that it gives is as planned."""

from __future__ import annotations

import contextlib
import io
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec import spec
from dlspec.interpreter.cli.run import CLAIM_FAILS, DONE, execute
from dlspec.interpreter.cli.run_options import Jit, RunOptions
from dlspec.interpreter.lower import Training
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train
from dlspec.interpreter.results.cell_groups import axis_value
from dlspec.interpreter.results.folder_names import STORE
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.results.verdicts import VERDICTS
from dlspec.interpreter.schedule.batching import batch_count, split_into_batches
from dlspec.interpreter.schedule.scheduler import Progress
from dlspec.interpreter.store.checkpoints import Checkpoints
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch, requests_of
from dlspec.interpreter.store.store import Store
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir.claims import holds
from dlspec.spec.ir.plan import Program, StudyPlan
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.gradient_paths import Paths
from dlspec.spec.passes.randomness import is_random

from .data_files import source
from .outcome import Outcome, Wrong
from .split_rows import check_rows

ROUNDING = {"float64": 1e-6, "float32": 2e-3, "tf32": 2e-3, "bfloat16": 0.1}
"""How far two forms may be apart, of the largest entry: float32 sums in another order, through two steps of an optimiser."""


def check(tree: Mapping[str, Any], extent: Sequence[str] = (), xla: bool = False) -> Outcome:
    """Runs a study and checks all of it. `extent` are checks for which it is run again: `again`, `form`, `alone`, `resumed`, `beside`."""
    with source(tree) as written:
        return _check(tree, written, extent, xla)


def _check(tree: Mapping[str, Any], written: Source, extent: Sequence[str], xla: bool) -> Outcome:
    try:
        plan = spec.resolve(spec.parse(written), next(iter(tree.get("profiles", {})), None))
    except StudyError as error:
        bare = [problem.message for problem in error.problems if not problem.hint and problem.severity == "error"]
        if bare:
            return Outcome("wrong", f"no remedy: {_general(bare[0])}", bare[0])
        message = error.problems[0].message
        return Outcome("refused", _general(message), message)
    except Exception as error:
        return _raised("resolve", error)
    try:
        replicates = _checked(plan, extent, "xla" if xla else "graph")
    except Wrong as wrong:
        return Outcome("wrong", _general(str(wrong)), str(wrong))
    except Exception as error:
        return _raised("run", error)
    return Outcome(
        "fine", cells=len(replicates), diverged=sum(replicate.status == "diverged" for replicate in replicates)
    )


def _raised(where: str, error: Exception) -> Outcome:
    kind = f"{where}: {type(error).__name__}: {_general(str(error).splitlines()[0] if str(error) else '')}"
    return Outcome("wrong", kind, "".join(traceback.format_exception(error))[-3000:])


def _general(message: str) -> str:
    """A message without what differs from study to study."""
    import re

    return re.sub(r"'[^']*'|`[^`]*`|\[[^\]]*\]|-?\d[\d.e+-]*|\b(nan|inf)\b", "_", message)[:110]


def _checked(plan: StudyPlan, extent: Sequence[str], jit: str) -> list[Replicate]:
    with tempfile.TemporaryDirectory() as folder:
        code, said = _executed(plan, Path(folder), jit)
        found = _stored(plan, Path(folder), jit)
        for programs, replicates in found:
            _as_planned(programs, replicates)
            _exact(programs, replicates)
            check_rows(programs, replicates)
        if code not in (DONE, CLAIM_FAILS):
            raise Wrong(f"exit code {code}: {said[-600:]}")
        _folder(plan, Path(folder), [replicate for _, replicates in found for replicate in replicates])
        if "again" in extent:
            _same_again(plan, found, jit)
    if "form" in extent:
        for program, replicates in found[:2]:
            other = "graph" if jit == "xla" else "xla"
            _agree(f"form {jit} and {other}", program, replicates, _again(program, other))
    if "alone" in extent:
        for program, replicates in found[:1]:
            if len(split_into_batches(CellRequest.of(program, "cpu"), range(program.replicates))[0].numbers) > 1:
                _agree("alone and side by side", program, replicates[1:2], _run(program, [1], jit))
    if "resumed" in extent:
        _resumed(found[-1][0], jit)
    if "beside" in extent:
        for program, replicates in found:
            alone = _again(program, jit)
            _agree("beside other cells and alone", program, replicates, alone)
            _ints(program, replicates, alone)
    compiled = _compiled(found[0][0])
    _parameters(compiled)
    untouched(compiled)
    return [replicate for _, replicates in found for replicate in replicates]


def _executed(plan: StudyPlan, root: Path, jit: str) -> tuple[int, str]:
    """Runs a plan in a folder as the command does: its exit code, and what it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        options = RunOptions(str(root / "fuzzed.yaml"), runs=root, jobs=1, jit=Jit(jit))
        return execute(plan, options, ["run", "fuzzed.yaml"]), said.getvalue()


def _stored(plan: StudyPlan, root: Path, jit: str) -> list[tuple[Program, list[Replicate]]]:
    """The replicates of each program, read back from the store; what failed is there too."""
    store = Store(root / STORE, lambda _: None)
    try:
        progress = Progress.of_store(requests_of(plan, "cpu"), store, RunOptions(""))
        lacking = [batch for batch in progress.missing()]
        if lacking:
            with _quiet():
                replicates = train(Job(0, lacking[0], jit), _Silent(), threading.Event())
            raise Wrong(f"not stored: {replicates[0].status} {replicates[0].message}")
        return [
            (one.program, [progress.replicates[place, r] for r in range(one.program.replicates)])
            for place, one in enumerate(progress.requests)
        ]
    finally:
        store.close()


def _exact(program: Program, replicates: Sequence[Replicate]) -> None:
    """What nothing random reaches, as claims take it, is the same in all replicates that were trained to the end."""
    done = [replicate for replicate in replicates if replicate.status == "done"]
    for measure in program.measures:
        if not is_random(program, measure):
            for other in done[1:]:
                pairs = zip(
                    done[0].curves[measure.name], other.curves[measure.name], strict=False
                )  # `until` ends each where it does
                if not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs):
                    raise Wrong(f"'{measure.name}' is said to be the same in all replicates, and is not")


def _as_planned(program: Program, replicates: Sequence[Replicate]) -> None:
    """Statuses, steps, and the shapes and kinds of measures."""
    plan = program.training
    steps = list(plan.evaluations) if plan else [0]
    for replicate in replicates:
        if replicate.status not in ("done", "diverged"):
            raise Wrong(f"status {replicate.status}: {replicate.message}")
        early = replicate.status == "diverged" or (plan is not None and plan.until is not None)
        expected = steps[: len(replicate.steps)] if early else steps
        if list(replicate.steps) != expected:
            raise Wrong(f"steps {replicate.steps} for {steps} ({replicate.status})")
        for measure in program.measures:
            curve = replicate.curves.get(measure.name)
            if curve is None or len(curve) != len(replicate.steps):
                if replicate.status == "done":
                    raise Wrong(f"measure '{measure.name}' has no curve")
                continue
            for value in curve:
                if np.shape(value) != measure.term.type.shape:
                    raise Wrong(f"shape of '{measure.name}': {np.shape(value)} for {measure.term.type}")
                if np.asarray(value).dtype != np.float64:
                    raise Wrong(f"kind of '{measure.name}': {np.asarray(value).dtype} for {measure.term.type}")
        for probe in program.probes:
            for step, values in replicate.samples.get(probe.figure, {}).items():
                for label, term in probe.terms.items():
                    if np.shape(values[label]) != (probe.examples, *term.type.shape):
                        raise Wrong(f"shape of figure's '{label}' at {step}: {np.shape(values[label])} for {term.type}")


def _folder(plan: StudyPlan, root: Path, replicates: Sequence[Replicate]) -> None:
    """The run's folder holds a verdict for each claim, the report, and each figure that speaks of any replicate that is done."""
    import json

    (folder,) = {path.parent for path in root.glob("*/report.html")}
    listed = json.loads((folder / "claims.json").read_text("utf-8"))
    asked = sum(len(experiment.claims) for experiment in plan.experiments)
    if len(listed) != asked:
        raise Wrong(f"verdicts: {len(listed)} for {asked} claims")
    for entry in listed:
        if entry.get("verdict") not in VERDICTS:
            raise Wrong(f"verdict '{entry.get('verdict')}'")
    for experiment in plan.experiments:
        for figure in experiment.figures:
            done = [
                replicate
                for replicate in replicates
                if replicate.experiment == experiment.name and replicate.status == "done"
            ]
            shown = any(all(holds(c, axis_value(replicate, c.axis)) for c in figure.where) for replicate in done)
            if shown and not list(folder.rglob(f"*{figure.name}*.png")):
                raise Wrong(f"figure of kind '{figure.kind}' was not drawn")


def _same_again(plan: StudyPlan, found: Sequence[tuple[Program, list[Replicate]]], jit: str) -> None:
    """Run once more from the start, in the same batches, all programs give the same numbers to the bit."""
    with tempfile.TemporaryDirectory() as folder:  # its arrays are read when they are looked at
        _executed(plan, Path(folder), jit)
        pairs = zip(found, _stored(plan, Path(folder), jit), strict=True)
        for one, two in (pair for first, other in pairs for pair in zip(first[1], other[1], strict=True)):
            for name in one.curves:
                if not np.array_equal(np.asarray(one.curves[name]), np.asarray(two.curves[name]), equal_nan=True):
                    gap = np.asarray(one.curves[name]) - np.asarray(two.curves[name])
                    raise Wrong(f"again: '{name}' differs by {np.max(np.abs(gap)):.3g}")


def _resumed(program: Program, jit: str) -> None:
    """Ended at each evaluation and gone on with from its checkpoint, a program gives the numbers that it gives in one go, to the bit."""
    cells = CellRequest.of(program, "cpu")
    batch = split_into_batches(cells, range(program.replicates), batch_count(cells, 1))[0]
    forms, ended = ProgramCache(), threading.Event()
    ended.set()
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        whole = train(Job(0, batch, jit), _Silent(), threading.Event(), forms)
        job = Job(0, batch, jit, Checkpoints(Path(folder) / "checkpoint", {}, 0.0))
        parts = [train(job, _Silent(), ended, forms) for _ in cells.steps]
    for one, two in zip(whole, parts[-1], strict=True):
        if one.status != two.status:
            raise Wrong(f"resumed: {one.status} {one.message} | {two.status} {two.message}")
        for name in one.curves:
            if not np.array_equal(np.asarray(one.curves[name]), np.asarray(two.curves[name]), equal_nan=True):
                gap = np.asarray(one.curves[name]) - np.asarray(two.curves[name])
                raise Wrong(f"resumed: '{name}' differs by {np.max(np.abs(gap)):.3g}")


def _again(program: Program, jit: str) -> list[Replicate]:
    """All replicates, in the replicate batches that a run makes of them."""
    own = CellRequest.of(program, "cpu")
    return [
        replicate
        for batch in split_into_batches(own, range(program.replicates), batch_count(own, 1))
        for replicate in _run(program, batch.numbers, jit)
    ]


def _run(program: Program, numbers: Sequence[int], jit: str) -> list[Replicate]:
    with _quiet():
        return train(
            Job(0, ReplicateBatch(CellRequest.of(program, "cpu"), tuple(numbers)), jit),
            _Silent(),
            threading.Event(),
            ProgramCache(),
        )


def _agree(what: str, program: Program, one: Sequence[Replicate], two: Sequence[Replicate]) -> None:
    """Two runs agree to rounding."""
    share = max(ROUNDING[program.dtype], 0.1 if program.stored is not None else 0)
    for first, second in zip(one, two, strict=True):
        if first.status != second.status:
            raise Wrong(f"{what}: {first.status} {first.message} | {second.status} {second.message}")
        for name in first.curves:
            left, right = (np.asarray(replicate.curves[name], dtype=float) for replicate in (first, second))
            if left.shape != right.shape:
                raise Wrong(f"{what}: '{name}' has {left.shape} and {right.shape}")
            scale = max(1.0, float(np.max(np.abs(left[np.isfinite(left)]), initial=0.0)))
            same = np.isclose(left, right, rtol=share, atol=share * scale, equal_nan=True)
            if not same.all():
                place = np.unravel_index(int(np.argmin(same)), same.shape)
                raise Wrong(f"{what}: '{name}' {place} is {left[place]:.6g} and {right[place]:.6g}")


def _ints(program: Program, one: Sequence[Replicate], two: Sequence[Replicate]) -> None:
    """Of two runs what is of whole numbers, and is no mean, is the same to the bit."""
    for measure in program.measures:
        for first, second in zip(one, two, strict=True) if measure.term.type.kind != "real" else ():
            pairs = zip(first.curves.get(measure.name, ()), second.curves.get(measure.name, ()), strict=True)
            if not all(np.array_equal(a, b) for a, b in pairs):
                raise Wrong(f"beside other cells and alone: the whole numbers of '{measure.name}' differ")


def _compiled(program: Program) -> Compiled:
    with _quiet():
        return Compiled(program, (0,), False)


def _parameters(compiled: Compiled) -> None:
    """The plan's count of parameters is that of the network."""
    program = compiled.program
    real = sum(
        int(np.prod(variable.shape[1:]))
        for network in compiled.networks.values()
        for place, variable in network.weights.items()
        if place not in network.untrained
    )
    planned = cost(program).parameters
    shapes = sum(network.parameters for network in program.networks)
    if real not in (planned, shapes):
        raise Wrong(f"parameters: {real} are there, {planned} are planned")


def untouched(compiled: Compiled) -> None:
    """The weights that no gradient is said to reach have none: gradients are taken by all of them, on the first batch."""
    program = compiled.program
    if program.training is None or compiled.windows:
        return
    step, inputs, paths = compiled.train_step, compiled.train_inputs, Paths(program)
    indices, places = step.batch_indices(inputs.order, 0), tf.range(step.batch, dtype=tf.int64)
    for update in step.updates:
        reached = {place for loss in update.plan.loss for place in paths.through(loss.term).weights}
        beyond = {
            (name, *place): variable.value
            for name, network in compiled.networks.items()
            for place, variable in network.weights.items()
            if place not in network.untrained and (name, *place) not in reached
        }
        if not beyond:
            continue
        training = Training(compiled.context.noise(inputs.keys), places, update.meaning)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(beyond.values()))
            lowering = update.lowering(inputs, tf.constant(0), indices, places, training)
            losses = compiled.context.losses(lowering, update.plan.loss)
            total = tf.add_n([tf.reduce_sum(loss) for loss in losses])
        gradients = tape.gradient(total, list(beyond.values()), unconnected_gradients="zero")
        for place, gradient in zip(beyond, gradients, strict=True):
            if np.any(tf.convert_to_tensor(gradient).numpy()):
                raise Wrong(f"the loss is said not to train {'.'.join(place)}, and its gradient is not 0")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        yield


class _Silent:
    def started(self, *_: Any) -> None: ...

    def compiling(self, *_: Any) -> None: ...

    def evaluated(self, *_: Any) -> None: ...

    def finished(self, *_: Any) -> None: ...

    def warn(self, *_: Any) -> None: ...
