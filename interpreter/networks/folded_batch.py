"""The batch of one application of a network: all axes but the replicates' are folded into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import tensorflow as tf
from dlspec.spec.ir.axes import EXAMPLE, Axes
from dlspec.spec.ir.plan import NetworkPlan
from dlspec.spec.ir.types import Shape

from ..lower import Application, Lowering, Value
from .copies import as_rows, from_rows

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

    copies: int | None = None
    """How many copies of the network there are: [rows · copies, N, …] is what layers see."""

    @property
    def examples(self) -> int:
        """How many examples there are, the other axes apart."""
        return self.lengths[0] if self.axes and self.axes[0] == EXAMPLE else 1

    def folded(self, given: Value, shape: Shape) -> Any:
        """A value of each example as layers have it, [rows, N, *shape]; copies and what `each` goes over are the first of its own axes."""
        axes = tuple(axis for axis in self.axes if axis != EACH)
        rows = self.lowering.to_rows(given, axes, given.tensor.shape.rank - len(given.axes))
        rows = as_rows(rows, self.copies, 1 + len(axes))
        return tf.reshape(rows, [rows.shape[0], prod(self.lengths), *shape])

    def unfolded(self, x: Any, shape: Sequence[int], inside: bool = False) -> Any:
        """What layers have, [rows, N, *shape], with the named axes again: [R, *axes, copies, each, *shape], or copies behind each `inside`."""
        outer = len(self.lengths) - (not inside and EACH in self.axes)
        return from_rows(tf.reshape(x, [x.shape[0], *self.lengths, *shape]), self.copies, 1 + outer)


def unpacked(plan: NetworkPlan, tensor: Any, examples: int) -> tuple[Any, dict[str, Any]]:
    """What the first layer takes, and the parts of the input, of rows that hold all of it."""
    own = plan.given.shape
    sizes = [prod(own), *(prod(part.type.shape) for part in plan.parts)]
    first, *rest = tf.split(tf.reshape(tensor, [-1, examples, sum(sizes)]), sizes, axis=-1)
    named = zip(plan.parts, rest, strict=True)
    parts = {part.name: tf.reshape(row, [*row.shape[:2], *part.type.shape]) for part, row in named}
    return tf.reshape(first, [*first.shape[:2], *own]), parts
