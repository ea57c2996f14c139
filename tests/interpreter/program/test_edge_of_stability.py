"""The sharpness of `examples/failures/edge_of_stability.yaml`, along its training, beside the whole Hessian in NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source

STUDY = Path(__file__).parents[3] / "examples" / "failures" / "edge_of_stability.yaml"
SHAPES = ((5, 24), (24,), (24, 24), (24,), (24, 1), (1,))
COUNT = 50


def gradients(weights: Any, x: Any, y: Any) -> Any:
    """The gradients of the mean loss for many vectors of weights, [n, 769] each, by hand."""
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in SHAPES)])
    parts = [weights[:, a:b].reshape(-1, *shape) for a, b, shape in zip(ends, ends[1:], SHAPES, strict=False)]
    first, of_first, second, of_second, last, of_last = parts
    one = np.tanh(x @ first + of_first[:, None])
    two = np.tanh(one @ second + of_second[:, None])
    apart = ((two @ last + of_last[:, None])[..., 0] - y) / COUNT
    back_two = apart[..., None] * last[:, None, :, 0] * (1 - two**2)
    back_one = back_two @ second.transpose(0, 2, 1) * (1 - one**2)
    found = [
        x.T @ back_one, back_one.sum(1), one.transpose(0, 2, 1) @ back_two, back_two.sum(1), two.transpose(0, 2, 1) @ apart[..., None],
        apart.sum(1, keepdims=True),
    ]  # fmt: skip
    return np.concatenate([part.reshape(len(weights), -1) for part in found], axis=1)


def sharpness(weights: Any, x: Any, y: Any) -> float:
    """The greatest eigenvalue of the Hessian, 769 by 769, by differences of the gradient."""
    steps = 1e-5 * np.eye(len(weights))
    hessian = np.concatenate([
        (gradients(weights + part, x, y) - gradients(weights - part, x, y)) / 2e-5 for part in np.array_split(steps, 8)
    ])  # fmt: skip
    return float(np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])


@pytest.mark.slow
def test_sharpness_is_that_of_the_whole_hessian_at_three_checkpoints() -> None:
    """At the start, while it rises, and at the bound, to one part in a thousand; of each of the three rates."""
    (plan,) = spec.resolve(spec.parse(Source(str(STUDY), STUDY.read_text("utf-8")))).experiments
    assert len(plan.programs) == 3
    for program in plan.programs:
        made = Compiled(program, range(1), True)
        index = tf.range(COUNT, dtype=tf.int64)
        lowering = made.context.lowering(made.seeds.keys["train"], index, COUNT, made.seeds.draws)
        x, y = (lowering(made.context.bindings[name]).tensor.numpy().astype(float) for name in "xy")
        x, y = x.reshape(COUNT, 5), y.reshape(COUNT)
        for steps in (0, 300, 3000):
            made.train(steps) if steps else None
            found = made.evaluate()["sharpness"][0, 0]
            layers = [array[0] for array in made.saved()[0] if np.ndim(array) > 1]
            assert tuple(array.shape for array in layers) == SHAPES
            weights = np.concatenate([array.ravel() for array in layers])
            dense = sharpness(weights.astype(float), x, y)
            print(
                f"rate {program.point}: after {made.step} steps {found:.8g}, dense {dense:.8g}, apart {abs(found / dense - 1):.1e}"
            )
            assert found == pytest.approx(dense, rel=1e-3)
