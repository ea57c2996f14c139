"""`dlspec.run`: a study is run from Python, as `dlspec run` does it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dlspec.spec.diagnostics.problems import Problem, StudyError

from . import overrides as given
from .choices import choice
from .overrides import Overrides
from .run import RUNS, Run
from .settings import ExecutorName, Jit, RunSettings
from .study import Study, load, warn, warn_of

Progress = bool | Callable[[dict[str, Any]], object] | None


class Interrupted(KeyboardInterrupt):
    """A run was stopped: its text says what there is of it."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it."""
        return [str(self)]


def run(
    study: Study | str | os.PathLike[str], *, profile: str | None = None, overrides: Overrides = None, only: Sequence[str] | str | None = None,
    progress: Progress = None, runs: str | os.PathLike[str] = RUNS, jobs: int | None = None, device: str = "auto", jit: str = "auto",
    executor: str = "local", address: str | None = None, force: bool = False, keep_weights: bool = False, checkpoint: float = 30.0,
    tensorboard: bool = False, mlflow: str | None = None,
) -> Run:  # fmt: skip
    """Runs what is not stored yet of a study; figures, claims and numbers go into a folder of their own.

    Ctrl-C, or a notebook's stop, ends it at its next evaluation: what is done is stored and kept in a folder, and running again goes on from there.

    Args:
        study: A study, or the path of its file.
        profile: One of its profiles.
        overrides: Values by path, `{"training.steps": 100}`, or texts `path=value`.
        only: `"EXPERIMENT"` or `"EXPERIMENT/VARIANT"`, or several.
        progress: None: nothing is shown. True: bars on a terminal and in a notebook, lines elsewhere. A function: it is called with each event, the dictionary
            that `dlspec run --log json` prints; what it raises ends the run at its next evaluation, and is raised then.
        runs: Where runs lie, with the store.
        jobs: How many programs run at once; otherwise one a core, on a GPU one.
        device: `auto`, `cpu`, `gpu` or `gpu:N`. One Python process trains on one device.
        jit: `auto`, `xla` or `graph`.
        executor: `local`, or `ray` for a cluster at `address`.
        force: Whether what is stored runs again.
        keep_weights: Whether final weights are kept, for `Run.weights`.
        checkpoint: How many seconds lie between two checkpoints at least.
        tensorboard: Whether event files are written.
        mlflow: The address of an MLflow that is told of every cell.

    Returns: The run. Its `exit_code` says how it ended; a replicate that failed is a warning.

    Raises StudyError where the study is not valid, an argument is none, or nothing can be stored. Raises KeyboardInterrupt where it was stopped.

    >>> from tempfile import mkdtemp
    >>> measured = "task: {example: {side: rademacher()}}, measures: {mean: abs(E(side))}"
    >>> claims = "claims: {fair: {says: Both sides come up., check: final(mean) < 0.5}}"
    >>> study = Study(f"dlspec: 1\\nstudy: coin\\nexperiments:\\n  toss: {{{measured}, {claims}}}\\n")
    >>> coin = run(study, runs=mkdtemp(), jit="graph")
    >>> coin.exit_code, coin.finals()["status"].tolist(), coin.claims()["claim"].tolist()
    (0, ['done'], ['toss.fair'])
    """
    found = study if isinstance(study, Study) else load(study)
    settings = RunSettings(
        study=found.path, runs=Path(runs), jobs=_jobs(jobs), executor=choice(ExecutorName, "executor", executor), address=address,
        jit=choice(Jit, "jit", jit), device=_device(device), force=force, keep_weights=keep_weights, checkpoint=checkpoint,
        tensorboard=tensorboard, mlflow=mlflow,
    )  # fmt: skip
    if address is not None and settings.executor is not ExecutorName.ray:
        raise StudyError(Problem("address is that of a Ray cluster", hint='It needs `executor="ray"`.'))
    plan = found.resolved(profile, overrides, only)
    warn_of(plan.warnings)
    from ..results.run_list import read
    from .progress import audience
    from .running import carried_out

    words = ["run", found.source.name, *_words(profile, given.words(overrides), only, settings)]
    listener = audience(progress)
    outcome = carried_out(plan, settings, listener, words)
    listener.raise_what_was_raised()
    if outcome.stopped:
        raise Interrupted(outcome.interruption())
    if outcome.done.error is not None:
        raise outcome.done.error
    assert outcome.done.folder is not None
    failed = [one for item in outcome.results.values() for one in item.replicates if one.status == "failed"]
    for one in failed[:3]:
        warn(
            f"{one.experiment}{f'/{one.variant}' if one.variant else ''}, replicate {one.number} failed: {one.message}"
        )
    if len(failed) > 3:
        warn(f"{len(failed) - 3} more replicates failed")
    return Run(read(outcome.done.folder))


def _jobs(jobs: int | None) -> int | None:
    if jobs is not None and jobs < 1:
        raise StudyError(Problem(f"jobs is {jobs}", hint="At least one program runs at once."))
    return jobs


def _device(text: str) -> Any:
    from ..backend.devices import Asked

    return Asked.read(text)


def _words(
    profile: str | None, overrides: Sequence[str], only: Sequence[str] | str | None, settings: RunSettings
) -> list[str]:
    """The options with which the command line does the same."""
    chosen = [only] if isinstance(only, str) else only or ()
    words = ["-p", profile] if profile else []
    words += [word for text in overrides for word in ("-o", text)]
    words += [word for text in chosen for word in ("--only", text)]
    plain = RunSettings()
    options = {"-j": "jobs", "--executor": "executor", "--address": "address", "--jit": "jit", "--device": "device", "--runs": "runs",
               "--checkpoint": "checkpoint", "--mlflow": "mlflow"}  # fmt: skip
    for option, field in options.items():
        if (value := getattr(settings, field)) != getattr(plain, field):
            words += [option, str(value)]
    flags = {"--force": "force", "--keep-weights": "keep_weights", "--tensorboard": "tensorboard"}
    return [*words, *(flag for flag, field in flags.items() if getattr(settings, field))]
