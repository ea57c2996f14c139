"""The matrices of layers that whiten: estimated from the first training examples and the weights at the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from .context import ProgramContext


def whiten(context: ProgramContext, keys: Any, draws: dict[str, Any]) -> None:
    """Sets the matrices, from the keys of the training stream, uint32 [samples, R, 2], and the draws, [R, …] by name: of a flat context.

    C^(-1/2), where C is the mean of x xᵀ over examples and leading axes, in float64. Directions that hold nothing
    but rounding are dropped. A layer sees what those before it make, so they are set in the order they are reached.
    """
    counts = {
        (plan.name, leaf.key): leaf.examples
        for plan in context.program.networks
        for leaf in plan.leaves()
        if leaf.examples
    }
    reached: dict[tuple[str, str], None] = {}
    if counts:
        applied = [plan.name for plan in context.program.networks if not plan.free]
        _watched(context, keys, draws, applied, 0, 1, lambda place, x: reached.setdefault(place))
    for place in reached:
        total, seen = np.zeros([]), 0

        def add(at: tuple[str, str], x: Any, place: tuple[str, str] = place) -> None:
            nonlocal total, seen
            if at == place:
                flat = tf.reshape(tf.cast(x, tf.float64), [x.shape[0], -1, x.shape[-1]])
                total, seen = total + tf.matmul(flat, flat, transpose_a=True).numpy(), seen + flat.shape[1]

        stretch = context.chunk(counts[place])
        for first in range(0, counts[place], stretch):
            _watched(context, keys, draws, [place[0]], first, min(stretch, counts[place] - first), add)
        matrix = _inverse_root(total / seen, context.kind.epsilon)
        variable = context.networks[place[0]].weights[place[1], "matrix"]
        variable.assign(matrix.reshape(variable.shape))


def _watched(
    context: ProgramContext, keys: Any, draws: dict[str, Any], names: Sequence[str], first: int, count: int, watch: Any
) -> None:  # fmt: skip
    """Networks applied to training examples, outside any compiled program."""
    index = tf.range(first, first + count, dtype=tf.int64)
    lowering = context.lowering(keys, index, count, draws, step=tf.constant(0), watch=watch)
    for name in names:
        context.apply(lowering, name, None)


def _inverse_root(matrices: np.ndarray[Any, Any], precision: float) -> np.ndarray[Any, Any]:
    """The inverse square roots of symmetric matrices [R, n, n] whose roots are known to a relative precision."""
    sizes, vectors = np.linalg.eigh(matrices)
    least = matrices.shape[-1] * max(precision**2, float(np.finfo(np.float64).eps)) * sizes[:, -1:]
    inverse = np.where(sizes > least, 1 / np.sqrt(np.maximum(sizes, least + np.finfo(np.float64).tiny)), 0.0)
    return np.asarray((vectors * inverse[:, np.newaxis]) @ np.swapaxes(vectors, 1, 2))
