"""`dlspec run`: runs what the store lacks under someone's eyes, judges the claims, draws the figures, and keeps it all.

What only the end needs (claims, figures, the report) is imported there: a run knows sooner what it has to do.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from dlspec.spec.diagnostics.problems import SpecError, render
from dlspec.spec.ir.plan import StudyPlan
from dlspec.spec.tables.dtypes import DTYPES
from rich.console import Console
from rich.text import Text

from ..backend.devices import Asked
from ..backend.jit_policy import jit_mode
from ..backend.startup import device, device_without_tensorflow, environment, overlooked, start
from ..executors.base import Executor
from ..program.job import Watcher
from ..results.errors import StoreError, explained
from ..results.folder_names import REPORT, STORE
from ..results.optional_outputs import Aside
from ..results.registration import compared, registration_text
from ..results.replicates import Results
from ..results.run_writer import new_title, summary
from ..results.verdicts import FAILS, OPEN, SEEN
from ..schedule.progress import JsonLines, Live, Log, Quiet, tell
from ..schedule.scheduler import Progress, Run
from ..store.requests import ReplicateBatch, requests_of
from ..store.store import Store
from ..tracking import Both, Tracking, opened
from .run_options import ExecutorName, LogForm, RunOptions
from .standard_output import Output

if TYPE_CHECKING:
    from ..results.verdicts import Verdict
    from .conclude import Concluded

DONE, ERROR, CLAIM_FAILS, INTERRUPTED = 0, 1, 3, 130
FILE_WIDTH = 160


def execute(plan: StudyPlan, options: RunOptions, command: Sequence[str]) -> int:
    """Runs, stores and prints; returns the exit code. `command` is the command's words. Raises StoreError, MissingExtra."""
    errors = Console(stderr=True)
    title = new_title(options.runs, plan)
    tracking = opened(plan, options.runs, title, options.tensorboard, options.mlflow, partial(_warn, options=options))
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: _interrupt(stop, errors, store))
    store: Store | None = None
    try:
        with explained(options.runs):
            options.runs.mkdir(parents=True, exist_ok=True)
        store = Store(options.runs / STORE, lambda text: _warn(text, options))
        run = _run_on_cluster if options.executor is ExecutorName.ray else _run
        results, where = run(plan, options, store, tracking, stop, errors)
        output, done = _conclude(plan, results, options, where, command, title)
        if done.folder is not None:
            with Aside(partial(_warn, options=options)).part("what trackers are told at the end"):
                tracking.conclude(results, done.folder, done.figures, done.verdicts)
    except BaseException:
        if store is not None:
            store.close()
        raise
    finally:
        tracking.close()
        signal.signal(signal.SIGINT, before)
    store.close()
    return _code(results, done, stop, output, options.fail_on)


def _run(
    plan: StudyPlan, options: RunOptions, store: Store, tracking: Tracking, stop: threading.Event, errors: Console
) -> tuple[dict[str, Results], str]:
    """The results of the plan, and on which kind of device. TensorFlow is loaded only where something is to run."""
    where = device_without_tensorflow(options.device) or store.device(environment())
    if where is None:
        start(options.device)
        where = device()
        store.note_device(environment(), where)
    begun = _begun(plan, options, store, where, _jobs(options, where))
    _tell(begun, options)
    if not begun.missing:
        return begun.progress.results(plan), where
    start(options.device)
    if warning := overlooked(options.device):
        _warn(warning, options)
    if device() == "cpu" and any(DTYPES[batch.program.dtype].rounded for batch in begun.missing):
        _warn("on a CPU `dtype: tf32` gives the numbers of float32: only a GPU rounds to TensorFloat-32", options)
    if (actual := device()) != where:
        where = actual
        begun = _begun(plan, options, store, where, _jobs(options, where))
    _finish(begun, options, store, tracking, stop, errors, partial(_local, begun.progress.jobs, options.device))
    return begun.progress.results(plan), where


def _run_on_cluster(
    plan: StudyPlan, options: RunOptions, store: Store, tracking: Tracking, stop: threading.Event, errors: Console
) -> tuple[dict[str, Results], str]:
    """The same on a Ray cluster; TensorFlow is loaded by its workers alone. Raises ClusterError."""
    from ..executors.ray import connected

    with connected(options.address) as cluster:
        begun = _begun(plan, options, store, cluster.device, options.jobs or cluster.at_once)
        _tell(begun, options)
        if begun.missing:
            from ..executors.ray.executor import Remote

            if options.log is LogForm.json:
                JsonLines().say("cluster", address=cluster.address, nodes=len(cluster.nodes), device=cluster.device)
            else:
                tell(f"on a Ray cluster at {cluster.address}: {cluster}")
            remote = partial(Remote, cluster, jobs=options.jobs)
            _finish(begun, options, store, tracking, stop, errors, remote)
        return begun.progress.results(plan), cluster.device


@dataclass(frozen=True)
class _Begun:
    """On which kind of device programs run, what is stored of them, and what is missing."""

    device: str
    progress: Progress
    missing: Sequence[ReplicateBatch]


def _begun(plan: StudyPlan, options: RunOptions, store: Store, where: str, jobs: int) -> _Begun:
    progress = Progress.of_store(requests_of(plan, where), store, options, jobs)
    return _Begun(where, progress, progress.missing())


def _finish(
    begun: _Begun, options: RunOptions, store: Store, tracking: Tracking, stop: threading.Event, errors: Console,
    executor: Callable[[Quiet | Both], Executor],
) -> None:  # fmt: skip
    """Runs what is missing to its end."""
    tracking.ended(begun.progress.replicates.values())
    with _watcher(begun.missing, options, tracking, errors) as watcher:
        form = partial(jit_mode, jit=options.jit, device=begun.device)
        Run(begun.progress, store, executor(watcher), options, watcher, stop, form).finish()


def _jobs(options: RunOptions, device: str) -> int:
    """How many programs run at once: as many as there are cores, on a GPU one."""
    return options.jobs or (1 if device == "gpu" else os.cpu_count() or 1)


def _local(jobs: int, device: Asked, watcher: Watcher) -> Executor:
    """The executor on this machine."""
    from ..executors.local import RecyclingProcessPool

    return RecyclingProcessPool(jobs, watcher, device)


def _watcher(
    missing: Sequence[ReplicateBatch], options: RunOptions, tracking: Tracking, errors: Console
) -> Quiet | Both:
    if options.log is LogForm.json:
        return tracking.beside(JsonLines(missing))
    return tracking.beside(Live(missing, errors) if errors.is_terminal else Log(missing))


def _tell(begun: _Begun, options: RunOptions) -> None:
    """How many replicates are stored already, and how many are to run."""
    there, rest = len(begun.progress.replicates), sum(len(batch.numbers) for batch in begun.missing)
    other = begun.progress.of_another_form(partial(jit_mode, jit=options.jit, device=begun.device))
    if options.log is LogForm.json:
        JsonLines().say("planned", replicates=there + rest, stored=there, to_run=rest)
    elif not rest:
        tell(f"all {there} replicates are stored already: nothing is to run")
    elif there:
        tell(f"{there} of {there + rest} replicates are stored already, {rest} to run")
    if other and options.log is not LogForm.json:
        words = ", ".join(f"{count} as {name}" for name, count in other.items())
        tell(f"{words}: another compiled form than this run's, equal to it but for rounding; --force runs them again")


def _warn(text: str, options: RunOptions) -> None:
    (JsonLines() if options.log is LogForm.json else Quiet()).warn(text)


def _conclude(
    plan: StudyPlan, results: Mapping[str, Results], options: RunOptions, where: str, command: Sequence[str], title: str
) -> tuple[Output, Concluded]:  # fmt: skip
    """Verdicts and finals first, then the run's folder, with figures and the report. Raises StoreError."""
    from .conclude import Ran, conclude, judged, with_looks

    output, warn = Output(), partial(_warn, options=options)
    aside = Aside(warn)
    ran = Ran(plan, results, options.runs, title, where, command, options.study)
    try:
        verdicts = judged(ran)
        with aside.part("the look for earlier verdicts"):
            verdicts = with_looks(ran, verdicts)
        with aside.part("the comparison with what was registered"):
            ran = replace(ran, registration=compared(options.study, plan))
        if not options.as_json:
            _print(plan, results, verdicts, output, aside)
            for line in registration_text(ran.registration):
                output.show(partial(print, line))
        done = conclude(ran, verdicts, warn)
    except SpecError:
        raise
    except Exception as error:
        error.add_note(f"what was trained is kept in {options.runs / STORE}, and does not run again")
        raise
    if options.as_json:
        place = str(done.folder) if done.folder else None
        text = json.dumps(summary(plan, place, results, verdicts), allow_nan=False)
        output.show(lambda: print(text))
    else:
        output.show(lambda: _print_files(done))
    return output, done


def _interrupt(stop: threading.Event, console: Console, store: Store | None) -> None:
    if not stop.is_set():
        stop.set()
        with suppress(OSError, SystemExit):  # rich would end the process where nobody reads any more
            console.print(
                "stopping at the next evaluation; again to stop at once: what is stored stays", style="yellow"
            )
        return
    if store is None:
        raise KeyboardInterrupt
    os._exit(INTERRUPTED)  # training does not return to Python before its evaluation; a dead process holds no claims


def _print(
    plan: StudyPlan, results: Mapping[str, Results], verdicts: Sequence[Verdict], output: Output, aside: Aside
) -> None:  # fmt: skip
    """Finals and verdicts, before anything is drawn."""
    from .text.results import print_claims, print_finals

    console = Console(file=sys.stdout, soft_wrap=True)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    title = Text(plan.title, "bold").append(f"  (profile {plan.profile})" if plan.profile else "", "not bold")
    output.show(lambda: console.print(title, "", sep="\n"))
    with aside.part("table of finals", through=(StoreError,)):
        output.show(lambda: print_finals(results, console))
    with aside.part("list of claims", "They are in the run's folder", (StoreError,)):
        output.show(lambda: print_claims(verdicts, console))


def _print_files(done: Concluded) -> None:
    if done.folder is None:
        return
    images = [f"figure {done.folder / name}" for name in done.figures if name.endswith(".png")]
    report = [f"report {done.folder / REPORT}"] if done.report else []
    print("", *images, *report, f"run    {done.folder}", sep="\n")


def _code(results: Mapping[str, Results], done: Concluded, stop: threading.Event, output: Output, fail_on: str) -> int:
    replicates = [replicate for found in results.values() for replicate in found.replicates]
    kept = f"all they gave is kept in {done.folder}. " if done.folder else ""
    if done.error is not None:
        tell(f"{render(done.error.problems)}\nThere is no folder of this run; its replicates are stored.")
    if stop.is_set():
        whole = sum(replicate.status == "done" for replicate in replicates)
        tell(
            f"interrupted: {whole} replicates are complete, {len(replicates) - whole} in part; {kept}Run again to go on from there."
        )
        return INTERRUPTED
    if output.error is not None and not isinstance(output.error, BrokenPipeError):
        where = f"the run is kept in {done.folder}" if done.folder else "its replicates are stored"
        tell(f"standard output cannot be written: {output.error.strerror}; {where}")
        return ERROR
    if done.error is not None or any(replicate.status == "failed" for replicate in replicates):
        return ERROR
    failing = {FAILS: (FAILS,), OPEN: (FAILS, OPEN), SEEN: (FAILS, OPEN, SEEN)}[fail_on]
    return CLAIM_FAILS if any(verdict.verdict in failing for verdict in done.verdicts) else DONE
