"""Room for Python's frames, so that no loop maps memory at each of its calls.

CPython from 3.11 on keeps frames in pieces of 16 KiB. It takes a piece from the system when a call does not fit into the last one, and gives
it back when that call returns: a loop that lies at such a border does both at each turn, and a deep stack has many borders. One `dlspec diff`
did so 1,700 times, a short `dlspec run` 12,000 times. A frame that asks for more than half of a piece of 1 MiB leaves the rest to all that it
calls. What it asks for is never touched, and takes no memory.

Later releases of 3.13 and 3.14 keep one empty piece (https://github.com/python/cpython/issues/142183). This module can go when 3.11 and 3.12
are supported no more.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TypeVar

Result = TypeVar("Result")

SLOTS = 70_000
"""What the frame asks for, in values of 8 bytes: more than 512 KiB, so that the piece is 1 MiB."""


def with_room(function: Callable[[], Result]) -> Result:
    """Calls a function whose calls find room for some 480 KiB of frames; returns what it returns, raises what it raises."""
    result: Result = _ROOMY(function)
    return result


def _call(function: Callable[[], Result]) -> Result:
    return function()


_ROOMY = FunctionType(_call.__code__.replace(co_stacksize=SLOTS), globals())
