"""Loads matplotlib with its own settings, whatever a notebook, a file of the user's or the working folder says."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LOADING_ENVIRONMENT = {"MPLBACKEND": None, "MATPLOTLIBRC": os.devnull}
"""Variables that matplotlib reads while it is loaded, and what they are for it here."""


@contextmanager
def _as_it_comes() -> Iterator[None]:
    """Lets matplotlib be loaded with its own settings, not those of a notebook, a file of the user's or the working folder."""
    before = {name: os.environ.get(name) for name in LOADING_ENVIRONMENT}
    exists = os.path.exists
    log = logging.getLogger("matplotlib")
    level = log.level
    try:
        log.setLevel(logging.ERROR)  # it warns of folders that it cannot write to, and does without
        for name, value in LOADING_ENVIRONMENT.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        # The working folder's file comes before all others: for matplotlib there is none.
        os.path.exists = lambda path: path != "matplotlibrc" and exists(path)
        yield
    finally:
        os.path.exists = exists
        log.setLevel(level)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


if "matplotlib" not in sys.modules:  # someone else may have loaded it before: its settings are set aside when it draws
    with _as_it_comes():
        import matplotlib.figure  # noqa: F401
