"""A process that loads TensorFlow while the run's own still reads its study: the one takes a second or two, the other one, and each a core.

It is forked before the command has loaded anything. What a run trains goes there, if it trains at all; the run's own process loads
no TensorFlow then.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .training_process import TrainingProcess

NOT_WITH = ("--help", "-h", "--executor", "--device", "--watch")
"""Options of `run` with which TensorFlow is loaded nowhere, elsewhere, for what is asked for, or once for many runs."""

_begun: list[TrainingProcess] = []


def begin_early(options: Sequence[str]) -> None:
    """Begins the process where the words after `run` say that it will be needed, and where it can be begun: on Linux, beside a core of its own.

    Where the system shows a graphics card, the run's process itself looks for it.
    """
    if any(word.startswith(NOT_WITH) for word in options) or "_DLSPEC_COMPLETE" in os.environ:
        return
    if sys.platform != "linux" or "tensorflow" in sys.modules or len(os.sched_getaffinity(0)) < 2:
        return
    if None in (sys.stdin, sys.stdout, sys.stderr):  # the line to the process would take a closed one's place
        return
    from ..backend.startup import device_without_tensorflow

    if device_without_tensorflow() == "cpu":
        from .training_process import TrainingProcess

        with suppress(OSError):  # no room for another process: the run trains itself, or tells what is missing
            _begun.append(TrainingProcess.forked())


def begun_early() -> TrainingProcess | None:
    """The process, once, if it was begun and has TensorFlow loaded, for which this waits.

    From then on this process runs for long: Python's collector works in it, but for what it has loaded so far.
    """
    process = _begun.pop() if _begun else None
    if process is None or not process.ready():
        return None
    gc.freeze()
    gc.enable()
    return process
