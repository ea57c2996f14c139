"""Optional outputs of a run (figures, report, trackers): each fails by itself, with one line of warning."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlspec.spec.diagnostics.problems import StudyError, sentence

RESULTS_STAND = "Results and verdicts are not affected"


def reason(error: BaseException) -> str:
    """Why something failed, in one line: the system's word, or whose fault it is.

    >>> reason(FileNotFoundError(2, "No such file or directory", "x.png"))
    'x.png: No such file or directory'
    >>> reason(ValueError("two\\nlines"))
    'ValueError: two. This is a fault in dlspec: please report it'
    """
    if isinstance(error, StudyError) and error.problems:
        return sentence(f"{error.problems[0].message}.", error.problems[0].hint).rstrip(".")
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    name = type(error).__name__
    return f"{name}: {line[:300]}. This is a fault in dlspec: please report it" if line else name


class Aside:
    """Lets parts fail; `warn` is told of each that does, in one line, and `failed` names them. If `strict`, lets none."""

    def __init__(self, warn: Callable[[str], None], strict: bool = False) -> None:
        self.warn = warn
        self.strict = strict
        self.failed: list[str] = []

    @contextmanager
    def part(self, what: str, stands: str = RESULTS_STAND, through: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """One part; `what` says what it would have been. Faults of the kinds `through` are raised all the same."""
        try:
            yield
        except through:
            raise
        except Exception as error:  # of any kind: matplotlib's, the system's, dlspec's own
            if self.strict:
                raise
            self.failed.append(what)
            if os.environ.get("DLSPEC_TRACEBACK"):
                traceback.print_exc()
            self.warn(f"{what} failed: {reason(error)}. {stands}")
