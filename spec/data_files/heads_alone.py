"""Whether large files are described by their heads at present; by itself, so that a study without files loads none of their readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Heads:
    """While a study is checked by the heads of its files: whether some bounds are those of a type, which values may not reach."""

    loose: bool = False


_ALONE: ContextVar[Heads | None] = ContextVar("heads alone", default=None)


@contextmanager
def heads_alone() -> Iterator[Heads]:
    """Meanwhile large files are described by their heads."""
    heads = Heads()
    token = _ALONE.set(heads)
    try:
        yield heads
    finally:
        _ALONE.reset(token)


def present_heads() -> Heads | None:
    """What is noted of heads at present; None where the values of files are read."""
    return _ALONE.get()
