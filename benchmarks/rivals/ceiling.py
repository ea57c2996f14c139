"""The ceiling: products of 2048 × 2048 float32 matrices by TensorFlow, one a step."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

SIDE = 2048
VERSIONS = {"tensorflow": tf.__version__}


class Rival:
    """A product of two matrices."""

    def __init__(self, task: str, numbers: dict[str, Any], replicates: int, form: str) -> None:
        self.a = tf.random.normal([SIDE, SIDE])
        self.product = tf.function(lambda: tf.reduce_max(tf.matmul(self.a, self.a)), autograph=False)

    def train(self, steps: int) -> None:
        """Makes so many products."""
        for _ in range(steps):
            self.product().numpy()

    def parameters(self) -> int:
        """No weights."""
        return 0
