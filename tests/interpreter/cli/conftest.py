"""The command as a user runs it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import forked

HEAVY = ("tensorflow", "keras", "matplotlib")
RUN = f"""
import atexit, sys
atexit.register(lambda: print("loaded", *(m for m in {HEAVY!r} if m in sys.modules), file=sys.stderr))
from dlspec.interpreter.cli.app import main
main()
"""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dlspec(tmp_path: Path) -> Command:
    """Runs `dlspec` with arguments in a temporary folder; it must not load what training needs."""

    def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "NO_COLOR": "1"}
        done = forked.run(
            [sys.executable, "-c", RUN, *arguments], light=True,
            cwd=more.pop("cwd", tmp_path), capture_output=True, text=True, env=environment, timeout=120, **more,
        )  # fmt: skip
        *errors, loaded = done.stderr.splitlines()
        assert loaded == "loaded", done.stderr
        done.stderr = "".join(line + "\n" for line in errors)
        return done

    return run
