"""Jobs in threads: a signal while one is waited for does not make the waiting endless."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

from dlspec.interpreter.executors.base import Threads
from dlspec.interpreter.program.job import Job, JobGroup


def test_waiting_ends_in_time_though_a_signal_outlasts_it() -> None:
    """The handler of Ctrl-C prints, and may take longer than what is left of the wait."""
    over = threading.Event()
    threads = Threads(1, lambda group, stop: [[]] if over.wait(30) else [])
    ended: list[Any] = []
    before = signal.signal(signal.SIGALRM, lambda *_: time.sleep(0.15))
    guard = threading.Timer(10, over.set)
    guard.start()
    try:
        threads.submit(JobGroup((Job(1, None, "graph"),), None))  # type: ignore[arg-type]
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        ended.append(threads.finished(0.2))
        assert ended == [None] and not over.is_set(), "the wait went on until the job ended"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        guard.cancel()
        over.set()
    found = threads.finished(10)
    assert found is not None and found.replicates == []
    threads.close()
