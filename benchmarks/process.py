"""A worker as the driver sees it: started, asked, stopped while others work, ended."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from .workloads import ROOT

PATIENCE = 300.0
"""Seconds after which a contender that does not answer is out."""


class Out(Exception):
    """A contender that fails, with the reason."""


class Worker:
    """One contender's process. `first_step` is the time in seconds from its start to the end of its first update."""

    def __init__(self, workload: str, contender: str, replicates: int) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `end`
        self.cache = tempfile.TemporaryDirectory()  # none keeps what an earlier one compiled
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", workload, contender, str(replicates)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, cwd=ROOT,
            env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": self.cache.name},
        )  # fmt: skip
        try:
            self.about = self._answer()
        except Out:
            self.end()
            raise
        self.first_step = time.perf_counter() - begin
        self._signal(signal.SIGSTOP)

    def ask(self, **what: Any) -> dict[str, Any]:
        """Wakes it, asks it, waits for its answer, and has it rest again. Raises Out."""
        self._signal(signal.SIGCONT)
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(what).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Out("it ended") from None
        found = self._answer()
        self._signal(signal.SIGSTOP)
        return found

    def train(self, steps: int) -> tuple[float, float]:
        """Seconds for so many updates: of the clock, and of processors."""
        found = self.ask(do="train", steps=steps)
        return float(found["seconds"]), float(found["cpu"])

    def end(self) -> None:
        """Ends its process."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.log):
            if pipe is not None:
                pipe.close()
        self.cache.cleanup()

    def _signal(self, what: int) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, what)

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        if not ready:
            raise Out(f"no answer within {PATIENCE:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise Out(f"it ended: {self._last_words()}")
        found = json.loads(line)
        if "failed" in found:
            raise Out(found["failed"])
        return dict(found)

    def _last_words(self) -> str:
        self.process.wait()
        self.log.seek(0)
        lines = self.log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else f"exit code {self.process.returncode}"
