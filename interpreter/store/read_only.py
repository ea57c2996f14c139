"""A store that is only looked at, as `dlspec plan` does: nothing of it is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..results.errors import Damaged, explained
from . import files
from .sqlite_index import ReadIndex
from .store import Store


class ReadStore(Store):
    """Finds replicates. It claims and stores none, and sets nothing aside: what is damaged counts as not stored."""

    def __init__(self, root: Path, warn: Callable[[str], None]) -> None:
        self._lies_at(root, warn)
        with explained(root):
            self.index = ReadIndex(root)

    def close(self) -> None:
        """Closes."""
        self.index.close()

    def set_aside(self, damaged: Damaged, file: str) -> None:
        """Says what is damaged."""
        self.warn(f"{damaged.path}: {damaged.reason}. Its replicates count as not stored; a run moves it aside.")

    def _remember(self, read: Sequence[files.ResultFile]) -> None:
        """Nothing is."""
