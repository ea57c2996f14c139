"""Calls in a frame with room map no memory, at whatever depth they lie."""

from __future__ import annotations

import sys
import threading

import pytest
from dlspec.interpreter.frame_space import with_room

CALLS = 400


def _leaf() -> None:
    pass


def _faults_at(depth: int) -> int:
    """How many pages a loop of calls asks the system for, at a depth of the stack."""
    if depth:
        return _faults_at(depth - 1)
    import resource

    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        _leaf()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def _most_faults() -> int:
    return max(_faults_at(depth) for depth in range(400))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the page faults of a thread")
def test_no_loop_maps_memory_at_each_call_where_there_is_room() -> None:
    """CPython 3.11 takes and gives back a piece of 16 KiB at some of these depths, and faults at each call, where it is called without."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(with_room(_most_faults)))  # a stack of its own
    thread.start()
    thread.join()
    assert found[0] < CALLS // 4


def test_what_is_called_returns_its_value_and_raises_its_error() -> None:
    assert with_room(lambda: 3) == 3
    with pytest.raises(KeyError, match="gone"):
        with_room(lambda: {}["gone"])
