"""What the scripts here share: programs of an environment, run as its user runs them, a port of one's own, and Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

SECONDS = 600
STUDY = """\
dlspec: 1
study: small
experiments:
  line:
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: (f - 1)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 20, evaluate: {every: 10, examples: 8}}
    measures: {error: E((f - 1)^2)}
"""
"""A small study that some of them run."""


@dataclass(frozen=True)
class Programs:
    """The programs of an environment (its folder `bin`), run in a folder; `more` are variables that they are told besides."""

    bin: Path
    here: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, str]:
        """The variables that they are told: no colours, nothing of this repository, and their own programs first."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "NO_COLOR": "1", "COLUMNS": "120", "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": path, **self.more}

    def done(self, program: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """What became of a program."""
        return subprocess.run(
            [self.found(program), *words], cwd=self.here, env=self.told | more, text=True, capture_output=True, timeout=SECONDS,
        )  # fmt: skip

    def said(self, program: str, *words: str, code: int = 0, **more: str) -> str:
        """What a program said, both streams together; raises AssertionError where it ended with another exit code."""
        done = self.done(program, *words, **more)
        assert done.returncode == code, f"{program} {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def found(self, program: str) -> str:
        """Where a program is."""
        return str(shutil.which(program, path=self.told["PATH"]))


def of(environment: Path, here: Path, **more: str) -> Programs:
    """The programs of a virtual environment."""
    return Programs(environment.resolve() / "bin", here, more)


def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def chromium() -> Iterator[Any]:
    """The Chromium that is installed, headless."""
    with sync_playwright() as started:
        sandbox = [] if os.getuid() else ["--no-sandbox"]
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
        yield browser
        browser.close()
