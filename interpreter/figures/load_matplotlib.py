"""Loads matplotlib with its own settings, whatever a notebook, a file of the user's or the working folder says.

It may be loaded in a thread while others train: only the thread that loads it sees anything changed, and nothing of the process's
environment is, which programs written in C may read at any time.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

LOADING_ENVIRONMENT = {"MPLBACKEND": None, "MATPLOTLIBRC": os.devnull}
"""Variables that matplotlib reads while it is loaded, and what they are for it here."""


class _Environment(MutableMapping[str, str]):
    """The process's environment, in which the thread that made this one reads some variables otherwise."""

    def __init__(self, process: MutableMapping[str, str]) -> None:
        self.process = process
        self.thread = threading.get_ident()

    def __getitem__(self, name: str) -> str:
        if name not in LOADING_ENVIRONMENT or threading.get_ident() != self.thread:
            return self.process[name]
        if (value := LOADING_ENVIRONMENT[name]) is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        self.process[name] = value

    def __delitem__(self, name: str) -> None:
        del self.process[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.process)

    def __len__(self) -> int:
        return len(self.process)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.process, name)


@contextmanager
def _as_it_comes() -> Iterator[None]:
    """Lets matplotlib be loaded with its own settings, not those of a notebook, a file of the user's or the working folder."""
    environment, exists, thread = os.environ, os.path.exists, threading.get_ident()
    log = logging.getLogger("matplotlib")
    level = log.level

    def exists_for_matplotlib(path: Any) -> bool:
        """The working folder's file comes before all others: for matplotlib there is none."""
        return (path != "matplotlibrc" or threading.get_ident() != thread) and exists(path)

    try:
        log.setLevel(logging.ERROR)  # it warns of folders that it cannot write to, and does without
        os.environ = _Environment(environment)  # type: ignore[assignment]  # noqa: B003 - for Python's eyes alone
        os.path.exists = exists_for_matplotlib
        yield
    finally:
        os.path.exists = exists
        os.environ = environment  # noqa: B003
        log.setLevel(level)


if "matplotlib" not in sys.modules:  # someone else may have loaded it before: its settings are set aside when it draws
    with _as_it_comes():
        import matplotlib.figure  # noqa: F401
