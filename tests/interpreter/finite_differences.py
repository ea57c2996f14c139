"""What an update of rate 1 changed, beside finite differences of the loss it goes down."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled

STEP = 1e-5


def mean_loss(made: Compiled) -> Any:
    """The loss of the first batch at the present weights, the sum of its terms."""
    step, inputs = made.train_step, made.train_inputs
    indices = step.batch_indices(inputs.order, 0)
    lowering = made.context.lowering(inputs.keys, indices, step.batch, inputs.draws, step=0, update=0)
    return tf.add_n([tf.reduce_mean(each) for each in made.context.losses(lowering, step.phase.loss)])


def goes_down(made: Compiled, rtol: float) -> list[tuple[str, float]]:
    """Holds the first update of a program by SGD of rate 1 to minus the gradient of its loss; the network and the largest change of each weight."""
    loss = tf.function(lambda: mean_loss(made), autograph=False)  # asked for twice an entry of each weight
    weights = [(f"{name} {place}", v) for name, net in made.networks.items() for place, v in net.weights.items()]
    networks = [name for name, net in made.networks.items() for _ in net.weights.items()]
    start = [variable.numpy() for _, variable in weights]
    made.train(1)
    moved = [variable.numpy() - before for (_, variable), before in zip(weights, start, strict=True)]
    for (_, other), value in zip(weights, start, strict=True):
        other.assign(value)
    for (label, variable), before, change in zip(weights, start, moved, strict=True):
        for place in np.ndindex(before.shape):
            sides = []
            for sign in (1, -1):
                shifted = before.copy()
                shifted[place] += sign * STEP
                variable.assign(shifted)
                sides.append(float(loss()))
            variable.assign(before)
            np.testing.assert_allclose(
                -change[place], (sides[0] - sides[1]) / (2 * STEP), rtol=rtol, atol=1e-8, err_msg=label
            )
    return [(name, float(np.abs(change).max())) for name, change in zip(networks, moved, strict=True)]
