"""Batches made in advance, in NumPy: what Keras' `fit` is fed. Making them is not timed, which is in its favour."""

from __future__ import annotations

from typing import Any

import numpy as np

from .line_images import line_images
from .staircase import OFFSETS

POOL = 64
"""How many batches are made, and gone through again and again."""


def batches(task: str, numbers: dict[str, Any], pool: int = POOL) -> tuple[Any, Any]:
    """Inputs [pool, batch, …] and what they are to be compared with, an array or a tuple of arrays."""
    x, y = derived(task, numbers, *_drawn(task, numbers, pool * numbers["batch"], np.random.default_rng(0)))

    def cut(array: Any) -> Any:
        return np.asarray(array, np.float32).reshape(pool, numbers["batch"], *array.shape[1:])

    return cut(x), tuple(cut(one) for one in y) if isinstance(y, tuple) else cut(y)


def _drawn(task: str, n: dict[str, Any], count: int, random: np.random.Generator) -> tuple[Any, Any]:
    """What is drawn once a replicate, and for so many examples."""
    match task:
        case "parities":
            return {"s": random.integers(2, size=n["d"])}, {"x": random.choice([-1.0, 1.0], (count, n["d"]))}
        case "tuples":
            shape = (count, n["k"])
            return {}, {
                "theta": random.uniform(0, np.pi, shape).astype("f4"),
                "length": random.uniform(5, n["m"] - 5, shape).astype("f4"),
                "centre": random.uniform(0, n["m"] - 1, (*shape, 2)).astype("f4"),
            }
        case "allocation":
            toss = random.choice(np.asarray([-1, 1], np.float32), (count, n["k"]))
            return {"class": random.integers(n["k"], size=n["d"])}, {
                "i": random.integers(n["d"], size=count),
                "toss": toss,
            }
        case "staircase":
            return {"v": random.normal(size=n["d"]), "b": random.normal()}, {
                "x": random.normal(size=(count, n["d"])) / n["d"]
            }
        case "auto_encoder":
            knot, change = random.uniform(0, n["n"], (count, 1, n["k"])), random.uniform(-1, 1, (count, 1, n["k"]))
            curves = (change * np.maximum(np.arange(n["n"])[:, None] - knot, 0)).sum(-1)
            return {"curves": curves}, {"index": np.arange(count)}
    raise KeyError(task)


def derived(task: str, n: dict[str, Any], target: dict[str, Any], drawn: dict[str, Any]) -> tuple[Any, Any]:
    """Inputs and labels of what was drawn: y has a last axis, of 1 for a number an example."""
    match task:
        case "parities":
            return drawn["x"], np.where(target["s"] == 1, drawn["x"], 1.0).prod(-1, keepdims=True)
        case "tuples":
            label = np.where(drawn["theta"] < np.float32(np.pi / 2), 1.0, -1.0)
            total = label.prod(-1, keepdims=True)
            image = line_images(np, drawn["theta"], drawn["length"], drawn["centre"], n["m"])
            return image, (total, label) if n["inner"] else total
        case "allocation":
            z = drawn["toss"].copy()
            z[np.arange(len(z)), target["class"][drawn["i"]]] = 1
            return np.eye(n["d"], dtype=np.float32)[drawn["i"]], z
        case "staircase":
            r, z = drawn["x"] @ target["v"] + target["b"], target["b"] + OFFSETS
            return drawn["x"], z[np.maximum(np.searchsorted(z, r, "right") - 1, 0)][:, None]
        case "auto_encoder":
            curves = target["curves"][drawn["index"]]
            return curves, curves
    raise KeyError(task)
