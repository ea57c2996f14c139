"""Standard output that may be closed or full: a run goes on without it, and says at its end what became of it. Standard error is of less weight."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress


class OutputLost(OSError):
    """Standard output can't be written: its disk is full, or its device is gone. A reader that left is a BrokenPipeError."""


class Stream(io.TextIOWrapper):
    """Standard output whose faults are told from those of other files, and that can write any letter in some way."""

    def write(self, text: str) -> int:
        """Writes as any stream. Raises OutputLost, BrokenPipeError."""
        try:
            return super().write(text)
        except OSError as error:
            raise _lost(error) from None

    def flush(self) -> None:
        """Flushes as any stream, and one that is closed already not at all. Raises OutputLost, BrokenPipeError."""
        if self.closed:
            return  # as the language server leaves it
        try:
            super().flush()
        except OSError as error:
            raise _lost(error) from None


class Unheard(io.TextIOWrapper):
    """Standard error: where it can't be written, nobody hears, and the command comes to what it comes to."""

    def write(self, text: str) -> int:
        """Writes as any stream, or not at all."""
        with suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes as any stream, or not at all."""
        with suppress(OSError):
            super().flush()


def _lost(error: OSError) -> OSError:
    return error if error.errno == errno.EPIPE else OutputLost(error.errno, error.strerror)


def prepared() -> None:
    """Makes standard output a stream of this kind; streams that are closed lead to nowhere, and not into the next file."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    elif type(sys.stderr) is io.TextIOWrapper:
        heard = sys.stderr
        sys.stderr = Unheard(heard.buffer, heard.encoding, heard.errors, line_buffering=heard.line_buffering)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    elif type(sys.stdout) is io.TextIOWrapper:
        own = sys.stdout
        errors = "backslashreplace" if own.errors == "strict" else own.errors
        sys.stdout = Stream(own.buffer, own.encoding, errors, line_buffering=own.line_buffering)


class Output:
    """Prints part after part; after the first that can't be written nothing more is, and `error` says why."""

    def __init__(self) -> None:
        self.error: OSError | None = None

    def show(self, part: Callable[[], None]) -> None:
        """Prints one part, and sees that it is out."""
        if self.error is not None:
            return
        try:
            printed(part)
        except OSError as error:
            self.error = error
            to_nowhere()


def printed(part: Callable[[], object]) -> None:
    """Prints, and sees that it is out. Raises OutputLost, BrokenPipeError: rich would end the process where a reader left."""
    try:
        part()
        sys.stdout.flush()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
        raise


def to_nowhere() -> None:
    """Lets whatever is printed from now on vanish, what is held back still too: Python would complain of it at its end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
