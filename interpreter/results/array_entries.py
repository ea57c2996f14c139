"""The entries of an array measure, as tables name and show them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .cells import DONE, Cell

ENTRIES = 8
"""Up to how many entries an array is shown entry by entry."""

Place = tuple[int, ...]


def entry_name(measure: str, place: Place) -> str:
    """What an entry is called; a number that is no array, like its measure.

    >>> entry_name("pair", (1,)), entry_name("table", (0, 2)), entry_name("error", ())
    ('pair[1]', 'table[0, 2]', 'error')
    """
    return f"{measure}[{', '.join(map(str, place))}]" if place else measure


def shape_words(shapes: Iterable[Place]) -> str:
    """Shapes in words.

    >>> shape_words([(5, 5)]), shape_words([(9,), (16,)])
    ('5 × 5', '9 or 16')
    """
    return " or ".join(" × ".join(map(str, shape)) for shape in dict.fromkeys(shapes))


def shapes_of(cells: Sequence[Cell], measure: str) -> list[Place]:
    """The shapes that a measure has in cells, each once, whichever way they ended."""
    return list(dict.fromkeys(np.shape(cell.curves[measure][-1]) for cell in cells if cell.curves.get(measure)))


def is_small(shapes: Iterable[Place]) -> bool:
    """Whether arrays of such shapes are shown entry by entry."""
    return all(math.prod(shape) <= ENTRIES for shape in shapes)


def places_of(shapes: Iterable[Place]) -> list[Place]:
    """The places of entries that arrays of such shapes have, each once, in order; that of a number is ()."""
    return sorted({place for shape in shapes for place in np.ndindex(shape)})


def finals_at(cells: Sequence[Cell], measure: str, place: Place) -> Iterator[tuple[int, float]]:
    """The replicate and its final at a place, of each cell that is done and has that entry."""
    for cell, value in _ends(cells, measure):
        if len(place) == value.ndim and all(own < length for own, length in zip(place, value.shape, strict=True)):
            yield cell.replicate, float(value[place])


def extremes(cells: Sequence[Cell], measure: str) -> Iterator[tuple[int, float, float]]:
    """The replicate, the least and the largest entry that is defined, of each cell that is done; NaN where none is."""
    for cell, value in _ends(cells, measure):
        seen = value[~np.isnan(value)]
        yield (
            (cell.replicate, float(seen.min()), float(seen.max()))
            if seen.size
            else (cell.replicate, math.nan, math.nan)
        )


def _ends(cells: Sequence[Cell], measure: str) -> Iterator[tuple[Cell, np.ndarray[Place, np.dtype[np.float64]]]]:
    for cell in cells:
        if cell.status == DONE and cell.curves.get(measure):
            yield cell, np.asarray(cell.curves[measure][-1], np.float64)
