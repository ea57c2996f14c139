"""How a process of dlspec's own ends where large libraries are loaded: all that is to be done at the end is, and nothing is taken apart first.

Python and TensorFlow would take a second to give back, object by object, what the system takes back at once; Python and Matplotlib a third of one.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading

LARGE = frozenset({"matplotlib", "tensorflow"})


def end_at_once(code: object) -> None:
    """Ends the process with an exit code, after what is registered for its end; returns where it is to end as any does.

    That is where nothing `LARGE` is loaded, where threads go on for which Python would wait, and where what was printed cannot be written.
    """
    if LARGE.isdisjoint(sys.modules) or not (code is None or isinstance(code, int)):
        return
    if any(thread is not threading.current_thread() and not thread.daemon for thread in threading.enumerate()):
        return
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            return
    os._exit(code or 0)
