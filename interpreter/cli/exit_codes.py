"""Exit codes of commands, and the one line that says why a command ended; never a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from dlspec import spec

from .problems_told import for_terminal
from .standard_output import OutputLost, to_nowhere

DONE, ERROR, INTERRUPTED = 0, 1, 130


def ended(command: Callable[[], object]) -> int:
    """Runs a command to its end, tells what ended it, and returns its exit code."""
    try:
        code = _code(command)
        sys.stdout.flush()
        return code
    except spec.StudyError as error:
        return _told(for_terminal(spec.render(error.problems)))
    except KeyboardInterrupt:
        return _told("interrupted", INTERRUPTED)
    except BrokenPipeError:
        to_nowhere()
        return ERROR
    except OutputLost as error:
        to_nowhere()
        return _told(f"standard output cannot be written: {error.strerror}")
    except Exception as error:
        if os.environ.get("DLSPEC_TRACEBACK"):
            raise
        return _told(_reason(error))
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def _code(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as end:
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            raise KeyboardInterrupt from None
        if isinstance(end.code, str):
            return _told(end.code)
        return end.code or DONE
    return DONE


def _told(text: str, code: int = ERROR) -> int:
    """Says it on standard error, if that can be written; what was printed before it comes first."""
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)
    return code


def _reason(error: Exception) -> str:
    """What ended a command, and what to do where that can be said."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        what = f": {error.filename}" if isinstance(error, OSError) and error.filename else ""
        what = what or (f": {error}" if isinstance(error, MemoryError) and str(error) else "")
        return f"there is not enough memory{what}\nRaise the process's memory limit (`ulimit -v`, a container's limit), or use fewer rows, cells or processes at a time."
    if isinstance(error, OSError) and error.strerror:
        if error.filename:
            return f"{error.filename}: {error.strerror}"
        return f"the system refused an operation: {error.strerror}\nDLSPEC_TRACEBACK=1 shows which."
    return _fault(error)


def _fault(error: Exception) -> str:
    """A fault of dlspec's own, in prose."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    fault = error if isinstance(error, spec.InternalError) else spec.InternalError(f"{type(error).__name__}: {line}")
    notes = [note[0].upper() + note[1:] + "." for note in getattr(error, "__notes__", []) if note]
    return "\n".join([str(fault), *notes, "DLSPEC_TRACEBACK=1 shows where it arose."])
