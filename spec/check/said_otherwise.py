"""The test streams of an experiment, and the names that they say otherwise, for the parts that read about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping


class SaidOtherwise:
    """Test streams by their names, each with the names of the example that it says otherwise; notes what is read of them."""

    def __init__(self, tests: Mapping[str, Collection[str]], note_read: Callable[[str], None]) -> None:
        self.names = frozenset(name for patch in tests.values() for name in patch)
        self.streams = tuple(tests)
        self.note_read = note_read

    def read(self) -> frozenset[str]:
        """The names that some stream says otherwise."""
        self.note_read("tests")
        return self.names

    @property
    def answer(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """All that a part can read of them."""
        return self.names, self.streams
