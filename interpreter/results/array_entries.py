"""The entries of an array measure, as tables name and show them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .replicates import DONE, Replicate

MAX_ENTRIES = 8
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


def shapes_of(replicates: Sequence[Replicate], measure: str) -> list[Place]:
    """The shapes that a measure has in replicates, each once, whichever way they ended."""
    return list(
        dict.fromkeys(
            np.shape(replicate.curves[measure][-1]) for replicate in replicates if replicate.curves.get(measure)
        )
    )


def is_small(shapes: Iterable[Place]) -> bool:
    """Whether arrays of such shapes are shown entry by entry."""
    return all(math.prod(shape) <= MAX_ENTRIES for shape in shapes)


def places_of(shapes: Iterable[Place]) -> list[Place]:
    """The places of entries that arrays of such shapes have, each once, in order; that of a number is ()."""
    return sorted({place for shape in shapes for place in np.ndindex(shape)})


def finals_at(replicates: Sequence[Replicate], measure: str, place: Place) -> Iterator[tuple[int, float]]:
    """The replicate and its final at a place, of each replicate that is done and has that entry."""
    for replicate, value in _ends(replicates, measure):
        if len(place) == value.ndim and all(own < length for own, length in zip(place, value.shape, strict=True)):
            yield replicate.number, float(value[place])


def extremes(replicates: Sequence[Replicate], measure: str) -> Iterator[tuple[int, float, float]]:
    """The replicate, the least and the largest entry that is defined, of each replicate that is done; NaN where none is."""
    for replicate, value in _ends(replicates, measure):
        seen = value[~np.isnan(value)]
        yield (
            (replicate.number, float(seen.min()), float(seen.max()))
            if seen.size
            else (replicate.number, math.nan, math.nan)
        )


def _ends(
    replicates: Sequence[Replicate], measure: str
) -> Iterator[tuple[Replicate, np.ndarray[Place, np.dtype[np.float64]]]]:
    for replicate in replicates:
        if replicate.status == DONE and replicate.curves.get(measure):
            yield replicate, np.asarray(replicate.curves[measure][-1], np.float64)
