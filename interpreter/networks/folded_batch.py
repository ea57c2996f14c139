"""The batch of one application of a network: all axes but the replicates' are folded into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import tensorflow as tf
from dlspec.spec.ir.axes import EXAMPLE, Axes
from dlspec.spec.ir.types import Shape

from ..lower import Application, Lowering, Value

EACH = "each#4294967295"
"""The axis that `each` shares a network over: the innermost of all."""


@dataclass(frozen=True)
class Batch:
    """One application of a network: the named axes that were folded into one after the replicates', and their lengths.

    `index` [R, N] is there where the input is the one-hot vectors of it, and the first layer looks up rows.
    """

    lowering: Lowering
    axes: Axes
    lengths: list[int]
    index: Any = None
    outputs: dict[str, Any] | None = None
    """Where the outputs of layers go that are asked for, [R, N, …] each."""

    parts: Mapping[str, Any] = field(default_factory=dict)
    """The parts of the input [R, N, …], by name."""

    application: Application = field(default_factory=Application)
    """What it is applied to, and which draws were made in it."""

    @property
    def examples(self) -> int:
        """How many examples there are, the other axes apart."""
        return self.lengths[0] if self.axes and self.axes[0] == EXAMPLE else 1

    def folded(self, given: Value, shape: Shape) -> Any:
        """A value of each example as layers have it, [rows, N, *shape]; what `each` goes over is the first of its own axes."""
        axes = tuple(axis for axis in self.axes if axis != EACH)
        rows = self.lowering.to_rows(given, axes, given.tensor.shape.rank - len(given.axes))
        return tf.reshape(rows, [rows.shape[0], prod(self.lengths), *shape])
