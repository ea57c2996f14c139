"""The weights of each task, in Keras' layout and order: shapes, and the deviation of the truncated normal they start from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

Shapes = list[tuple[tuple[int, ...], float]]


def _dense(sizes: Sequence[int]) -> Shapes:
    """Dense layers from their sizes: kernels of deviation 1 / √fan-in, biases of 0."""
    found: Shapes = []
    for before, after in pairwise(sizes):
        found += [((before, after), before**-0.5), ((after,), 0.0)]
    return found


def _norm(c: int) -> Shapes:
    """A layer normalisation's scale and shift. The scale starts small and random where Keras' starts from 1, which takes as long."""
    return [((c,), 1.0), ((c,), 0.0)]


def _attention(c: int, heads: int) -> Shapes:
    """Queries, keys, values and the output of self-attention."""
    wide = (heads, c // heads)
    return 3 * [((c, *wide), c**-0.5), (wide, 0.0)] + [((*wide, c), c**-0.5), ((c,), 0.0)]


def shapes(task: str, numbers: dict[str, Any]) -> Shapes:
    """Shapes and deviations of a task's weights."""
    match task:
        case "parities":
            return _dense([numbers["d"], 10 * numbers["d"], 1])
        case "tuples":
            side = numbers["m"] // 4
            convolutions: Shapes = [((5, 5, 1, 16), 1.0), ((16,), 0.0), ((5, 5, 16, 16), 0.25), ((16,), 0.0)]
            return convolutions + _dense([16 * side**2, 50, 100, 1]) + _dense([numbers["k"], 100, 1])
        case "allocation":
            return _dense([numbers["d"], numbers["k"]])
        case "staircase":
            return _dense([numbers["d"], 100, 100, 100, 1])
        case "auto_encoder":
            return _dense([numbers["n"], 500, 100, 2 * numbers["k"], 100, 100, numbers["n"]])
        case "ring":
            return _dense([16, 64, 64, 2]) + _dense([2, 64, 64, 1])
        case "lengths":
            c = numbers["c"]
            block = [*_norm(c), *_attention(c, 4), *_norm(c), *_dense([c, 4 * c]), *_dense([4 * c, c])]
            return [*_dense([3, c]), ((numbers["T"], c), 0.05), *block, *block, *_dense([c, 1])]
    raise KeyError(task)
