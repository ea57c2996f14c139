"""`dlspec run --watch`: runs a study again whenever its file is saved."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dlspec import spec

from ..results.exit_codes import ERROR, INTERRUPTED
from ..schedule.progress import tell
from .options import warn
from .problems_told import tell_problems
from .run_options import RunOptions

SECONDS = 0.3
"""How often the file is looked at."""

Stamp = tuple[int, int] | None


def watch(options: RunOptions, command: Sequence[str]) -> int:
    """Runs a study, and runs it again when its file changes, until Ctrl-C; returns the exit code of the last run.

    A file that is saved while it runs ends the run at its next evaluation: what is done is stored, and the next run goes on from there.
    """
    path = options.study
    code = ERROR
    try:
        while True:
            before = stamp(path)
            saved, code = _run(options, command, path, before)
            if code == INTERRUPTED and not saved:
                return code
            if not saved:
                tell(f"{path}: runs again when it is saved; Ctrl-C ends this")
            while stamp(path) in (before, None):
                time.sleep(SECONDS)
            tell(f"\n{path} was saved")
    except KeyboardInterrupt:
        return code


def _run(options: RunOptions, command: Sequence[str], path: Path, before: Stamp) -> tuple[bool, int]:
    """One run, or what is wrong with the study; whether the file was saved meanwhile, and the exit code."""
    from ..api.study import load
    from .run import Terminal, executed

    try:
        plan = load(options.file).resolved(options.profile, options.override, options.only)
        warn(plan.warnings)
        terminal = Terminal(options)
        with _stopping(terminal.stop, path, before) as saved:
            code = executed(plan, options, command, terminal)
        return saved.is_set(), code
    except spec.StudyError as error:
        tell_problems(error.problems)
        return False, ERROR


@contextmanager
def _stopping(stop: threading.Event, path: Path, before: Stamp) -> Iterator[threading.Event]:
    """Sets `stop` when the file changes while the context lasts; the event that it gives says whether it did."""
    saved, over = threading.Event(), threading.Event()

    def look() -> None:
        while not over.wait(SECONDS):
            if stamp(path) not in (before, None):
                saved.set()
                stop.set()
                return

    thread = threading.Thread(target=look, name="dlspec-watch", daemon=True)
    thread.start()
    try:
        yield saved
    finally:
        over.set()
        thread.join()


def stamp(path: Path) -> Stamp:
    """What tells one saving of a file from another; None while an editor has it away."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
