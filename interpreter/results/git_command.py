"""The one place that calls git."""

from __future__ import annotations

import subprocess
from pathlib import Path

TIMEOUT_SECONDS = 10


def git(
    *arguments: str, folder: Path | None = None, timeout: float | None = TIMEOUT_SECONDS
) -> subprocess.CompletedProcess[bytes] | None:
    """Runs git and returns its exit code and output; None where there is no git, or no answer within `timeout` seconds.

    Args:
        arguments: A command of git with its arguments.
        folder: Where it runs; otherwise the working directory.
        timeout: None waits for as long as it takes.
    """
    place = () if folder is None else ("-C", str(folder))
    try:
        return subprocess.run(["git", *place, *arguments], capture_output=True, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired):
        return None
