"""A store that is only looked at, as `dlspec plan` does: nothing of it is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ..results.errors import Damaged, explained
from . import files as parts
from .lazy_arrays import Numbers
from .sqlite_index import ReadIndex
from .store import Store


class ReadStore(Store):
    """Finds cells. It claims and stores none, and sets nothing aside: what is damaged counts as not stored."""

    def __init__(self, root: Path, warn: Callable[[str], None]) -> None:
        self.root = root
        self.warn = warn
        self.cells = root / "cells"
        self.weights = root / "weights"
        self.numbers = Numbers(partial(parts.numbers, self.cells), parts.checked, self._lost)
        with explained(root):
            self.index = ReadIndex(root)

    def close(self) -> None:
        """Closes."""
        self.index.close()

    def set_aside(self, damaged: Damaged, part: str) -> None:
        """Says what is damaged."""
        self.warn(f"{damaged.path}: {damaged.reason}. Its cells count as not stored; a run sets it aside.")

    def _remember(self, read: Sequence[parts.Part]) -> None:
        """Nothing is."""
