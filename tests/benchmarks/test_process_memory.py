"""The memory of a command's processes: that of its children counts, and what they share counts once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.process_memory import PeakMemory

CODE = """
import os, sys, time
shared = bytearray(os.urandom(1)) * (64 * 2**20)
if os.fork():
    os.wait()
else:
    own = bytearray(os.urandom(1)) * (128 * 2**20)
    time.sleep(1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says what processes share")
def test_what_processes_hold_together_is_counted_once() -> None:
    process = subprocess.Popen([sys.executable, "-c", CODE])
    with PeakMemory(process.pid) as peak:
        process.wait(60)
    assert 192 < peak.mib < 192 + 48
