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
    raise KeyError(task)
