"""Ranges of ints in messages, and how an index is brought into its range."""

from __future__ import annotations

from ..ir import terms as t
from ..tables.operations.intervals import Bounds
from .print_term import bare


def shown(bounds: Bounds) -> str:
    """Bounds as people read them.

    >>> shown((0, 99999)), shown((3, 3))
    ('0 … 99,999', '3')
    """
    return f"{bounds[0]:,}" if bounds[0] == bounds[1] else f"{bounds[0]:,} … {bounds[1]:,}"


def named(term: t.Term) -> str:
    """A term for people to recognise, if it is short."""
    text = bare(term)
    return f"`{text}`" if len(text) <= 40 else "it"


def always(bounds: Bounds) -> str:
    """Bounds as people read them; of what cannot vary, that it does not."""
    return f"always {shown(bounds)}" if bounds[0] == bounds[1] else shown(bounds)


def moved(text: str, bounds: Bounds, size: int, more: str) -> str:
    """How to bring an index into its range."""
    text = text if len(text) <= 40 else "i"
    if bounds[1] - bounds[0] < size:
        gap = bounds[0] if bounds[0] > 0 else bounds[1] - size + 1 if bounds[1] >= size else bounds[0]
        moved = f"{text} - {gap}" if gap > 0 else f"{text} + {-gap}"
        return f"Write `{moved}`, or `clip({text}, 0, {size - 1})`, or give {more}."
    return f"Write `clip({text}, 0, {size - 1})`, or give {more}."
