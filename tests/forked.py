"""Processes that run `python -c` as `subprocess` does, forked from one that has imported already what they need.

A process of its own each time: streams, signals, exit codes, folder, environment and end are those of any other. What
such a process shares with others is the seed of hashes, and what is imported: a test of either uses `subprocess`.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LIGHT = ("dlspec.spec", "dlspec.interpreter.cli.app", "dlspec.interpreter.api.diff_studies")
HEAVY = (
    *LIGHT, "tensorflow", "keras", "matplotlib.pyplot", "pyarrow.parquet", "scipy.stats",
    "dlspec.interpreter.program.training_loop", "dlspec.interpreter.cli.run", "dlspec.interpreter.api.conclude",
    "dlspec.interpreter.figures.draw", "dlspec.interpreter.report.page",
)  # fmt: skip
MAIN = "from dlspec.interpreter.cli.app import main; main()"
"""The command, as `python -c` runs it."""
SUBREAPER = 36
"""Linux's name for the wish to be the parent of processes whose own parent ended."""


class Server:
    """The process that forks others."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.lock = threading.Lock()
        self.line, far = socket.socketpair()
        code = (Path(__file__).parent / "fork_server.py").read_text("utf-8")
        command = [sys.executable, "-c", code, str(far.fileno()), *modules]
        nothing = subprocess.DEVNULL
        self.process = subprocess.Popen(command, pass_fds=[far.fileno()], stdin=nothing, stdout=nothing, stderr=nothing)
        far.close()
        assert self.line.recv(5) == b"ready"

    def fork(self, request: Sequence[Any], descriptors: Sequence[int]) -> int:
        """A process that does as is asked, a child of this one; its number."""
        text = json.dumps(request).encode()
        with self.lock:
            self.line.send(len(text).to_bytes(4, "big"))
            _adopt(True)
            sent = socket.send_fds(self.line, [text], descriptors)
            self.line.sendall(text[sent:])
            number = int(self.line.recv(20))
            _adopt(False)
        return number


def _adopt(whether: bool) -> None:
    ctypes.CDLL(None).prctl(SUBREAPER, int(whether), 0, 0, 0)


@cache
def server(*modules: str) -> Server:
    """One for all tests of this process."""
    return Server(modules)


class Forked(subprocess.Popen[Any]):
    """As `subprocess.Popen`, of a command `[sys.executable, "-c", code, *arguments]`; `light`: it loads no TensorFlow."""

    def __init__(self, command: Sequence[str], light: bool = False, **more: Any) -> None:
        assert list(command[:2]) == [sys.executable, "-c"]
        self.modules = LIGHT if light else HEAVY
        super().__init__(command, **more)

    def _execute_child(
        self, args: Sequence[str], executable: Any, preexec_fn: Any, close_fds: bool, pass_fds: Any, cwd: Any,
        env: Mapping[str, str] | None, startupinfo: Any, creationflags: Any, shell: bool,
        p2cread: int, p2cwrite: int, c2pread: int, c2pwrite: int, errread: int, errwrite: int, *unused: Any,
    ) -> None:  # fmt: skip
        streams = [given if given >= 0 else place for place, given in enumerate((p2cread, c2pwrite, errwrite))]
        request = [args[2], list(args[3:]), str(cwd or os.getcwd()), dict(os.environ if env is None else env)]
        self.pid = server(*self.modules).fork(request, streams)
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]


def run(
    command: Sequence[str], *, input: Any = None, capture_output: bool = False, timeout: float | None = None,
    check: bool = False, **more: Any,
) -> subprocess.CompletedProcess[Any]:  # fmt: skip
    """As `subprocess.run`."""
    if input is not None:
        more["stdin"] = subprocess.PIPE
    if capture_output:
        more |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Forked(command, **more) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(command, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done
