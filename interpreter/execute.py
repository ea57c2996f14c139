"""`dlspec run`: runs a plan under someone's eyes, judges its claims, draws its figures, and stores it all."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.spec.resolved import StudyPlan
from rich.console import Console
from rich.text import Text

from .claims import Verdict, judge
from .figures import draw
from .progress import Live, Log
from .results import Results
from .run import Options, run
from .start import device
from .store import Run, summary
from .summary import print_claims, print_finals

DONE, ERROR, CLAIM_FAILS, INTERRUPTED = 0, 1, 3, 130
WIDE = 160


def execute(plan: StudyPlan, jobs: int | None, jit: str, root: Path, as_json: bool, command: Sequence[str]) -> int:
    """Runs, stores and prints; returns the exit code."""
    errors = Console(stderr=True)
    try:
        folder = Run(root, plan)
    except OSError as error:
        errors.print(
            f"{root}: cannot be written: {error.strerror}. Choose another folder with --runs.", highlight=False
        )
        return ERROR
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: _interrupt(stop, errors))
    where = device()
    jobs = jobs or (1 if where == "gpu" else os.cpu_count() or 1)
    try:
        with Live(plan, errors) if errors.is_terminal else Log(plan) as watcher:
            results = run(plan, Options(jit, jobs, where), watcher, stop)
        folder.write_results(plan, results, where, command)
        place, verdicts, figures = _concluded(plan, results, folder)
    except OSError as error:
        folder.discard()
        errors.print(
            f"{error.filename or root}: cannot be written: {error.strerror}. Nothing was stored.", highlight=False
        )
        return ERROR
    except BaseException:
        folder.discard()
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    if as_json:
        print(json.dumps(summary(plan, str(place), results, verdicts), allow_nan=False))
    else:
        _print(plan, results, verdicts, place, figures)
    return _code(results, verdicts, stop, errors, place)


def _concluded(plan: StudyPlan, results: Mapping[str, Results], folder: Run) -> tuple[Path, list[Verdict], list[str]]:
    """Claims judged, figures drawn, the folder moved to its place: a fault here still keeps what was trained."""
    verdicts: list[Verdict] = []
    figures: list[str] = []
    try:
        verdicts += [judge(claim, results[e.name]) for e in plan.experiments for claim in e.claims]
        folder.write_claims(verdicts)
        for experiment in plan.experiments:
            for figure in experiment.figures:
                figures += [path.name for path in draw(figure, results[experiment.name], folder.draft)]
    except Exception as error:
        error.add_note(f"what was trained is kept in {folder.commit()}")
        raise
    return folder.commit(), verdicts, figures


def _interrupt(stop: threading.Event, console: Console) -> None:
    if stop.is_set():
        raise KeyboardInterrupt
    stop.set()
    console.print("stopping at the next evaluation; again to stop at once and keep nothing", style="yellow")


def _print(
    plan: StudyPlan, results: Mapping[str, Results], verdicts: Sequence[Verdict], place: Path, figures: Sequence[str]
) -> None:
    console = Console(file=sys.stdout, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDE
    console.print(Text(plan.title, "bold").append(f"  (profile {plan.profile})" if plan.profile else "", "not bold"))
    console.print()
    print_finals(results, console)
    print_claims(verdicts, console)
    console.print()
    for name in figures:
        if name.endswith(".png"):
            console.print(f"figure {place / name}", highlight=False)
    console.print(f"run    {place}", highlight=False)


def _code(
    results: Mapping[str, Results], verdicts: Sequence[Verdict], stop: threading.Event, errors: Any, place: Path
) -> int:
    cells = [cell for found in results.values() for cell in found.cells]
    if stop.is_set():
        whole = sum(cell.status == "done" for cell in cells)
        errors.print(
            f"interrupted: {whole} cells are whole, {len(cells) - whole} in part; all they gave is kept in {place}",
            highlight=False,
        )
        return INTERRUPTED
    if any(cell.status == "failed" for cell in cells):
        return ERROR
    return CLAIM_FAILS if any(verdict.verdict == "fails" for verdict in verdicts) else DONE
