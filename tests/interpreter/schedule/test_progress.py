"""Lines of progress come whole, whoever else writes at the same time."""

from __future__ import annotations

import sys

import pytest
from dlspec.interpreter.schedule.progress import tell


class Written(list[str]):
    """A stream that keeps what each write gave it."""

    def write(self, text: str) -> int:
        self.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def test_a_line_and_its_end_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that told at once left `{…}{…}` on one line, which is no JSON."""
    written = Written()
    monkeypatch.setattr(sys, "stderr", written)
    tell('{"event": "one"}')
    assert written[0] == "".join(written) == '{"event": "one"}\n'
