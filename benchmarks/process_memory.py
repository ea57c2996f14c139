"""The memory that a command's processes hold together, what they share counted once: sampled, as the system keeps no peak of a sum."""

from __future__ import annotations

import threading
from pathlib import Path

SECONDS = 0.1
"""How often it is looked at."""


class PeakMemory:
    """The most MiB that a process and all that it began held together while a context was open; 0 where the system does not say."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.mib = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SECONDS):
            self.mib = max(self.mib, sum(map(_held, _family(self.process))) / 1024)


def _family(process: int) -> list[int]:
    """A process and all below it."""
    found = [process]
    for number in found:
        for thread in _lines(f"/proc/{number}/task/*/children"):
            found += map(int, thread.split())
    return found


def _held(process: int) -> int:
    """KiB of a process, of what it shares its part."""
    return next(
        (int(line.split()[1]) for line in _lines(f"/proc/{process}/smaps_rollup") if line.startswith("Pss:")), 0
    )


def _lines(pattern: str) -> list[str]:
    lines: list[str] = []
    for path in Path("/").glob(pattern.removeprefix("/")):
        try:
            lines += path.read_text().splitlines()
        except OSError:  # it has ended
            continue
    return lines
