"""What the processor's vectors hold, as far as the system says. Needs no TensorFlow."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


@cache
def instructions() -> str:
    """What the processor can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    shown = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    return "\n".join([platform.machine(), platform.processor(), *sorted(set(shown))])


@cache
def lanes() -> int:
    """How many numbers of 32 bits one of its vectors holds."""
    if "avx512f" in instructions().split():
        return 16
    return 8 if platform.machine().lower() in ("x86_64", "amd64") else 4
