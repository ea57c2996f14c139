"""What only the end of a run needs is loaded in a thread while programs are trained, so that nothing waits for it then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

AT_THE_END = ("dlspec.interpreter.api.conclude", "dlspec.interpreter.figures")
"""The judging of claims, the run's folder and its report; the figures, with matplotlib."""


@contextmanager
def loaded_meanwhile(trained: threading.Event, elsewhere: bool = False) -> Iterator[None]:
    """Loads what the end needs, once something is `trained`: compiled programs run then, for which Python's lock is not held.

    Where another process trains, that is at once: this one has nothing else to do.

    Whoever needs it sooner waits for it where it imports it. What cannot be loaded is told there, too, as it is imported anew.
    """
    over = threading.Event()

    def load() -> None:
        if not elsewhere:
            trained.wait()
        for name in AT_THE_END:
            with suppress(Exception):
                if not over.is_set():
                    import_module(name)

    threading.Thread(target=load, name="dlspec-loads").start()
    try:
        yield
    finally:
        over.set()
        trained.set()
