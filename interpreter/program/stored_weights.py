"""Weights that are kept in a type of their own: each update rounds them once, and one whose scaled gradient is not finite is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from dlspec.spec.tables.stored_types import LEFT_OUT

from ..networks.number_types import rounded
from .context import ProgramContext
from .optimizers import Optimizers

Grouped = list[list[Any]]
"""Gradients, [rows, …] each, in a list for each of the optimisers."""


class Stored:
    """How the weights that some optimisers change are kept; where nothing is said of it, as they are."""

    def __init__(self, context: ProgramContext, optimizers: Optimizers) -> None:
        self.context = context
        self.plan = context.program.stored
        self.optimizers = optimizers

    @property
    def scale(self) -> float:
        """What the loss is multiplied by."""
        return 1 if self.plan is None or self.plan.loss_scale is None else self.plan.loss_scale

    @contextmanager
    def kept(self, gradients: Grouped, divisor: int, more: Sequence[Any]) -> Iterator[tuple[Grouped, int]]:
        """Gives the gradients of an update, with what they are to be divided by, and keeps what it makes; `more` are further variables that it changes."""
        if self.plan is None:
            yield gradients, divisor
            return
        if self.plan.loss_scale is None:
            yield gradients, divisor
            self._round(self.plan.type, self.plan.state)
            return
        scaled = [
            [rounded(tf.convert_to_tensor(one) / divisor, self.plan.type) for one in group] for group in gradients
        ]
        flags = [_finite(one) for group in scaled for one in group]
        finite = tf.reduce_all([tf.ones([self.context.rows], tf.bool), *flags], axis=0)
        changed = [*self.optimizers.trained(), *self.optimizers.moments(), *more]
        before = [tf.identity(variable.value) for variable in changed]
        yield [[one / self.plan.loss_scale for one in group] for group in scaled], 1
        self._round(self.plan.type, self.plan.state)
        for variable, value in zip(changed, before, strict=True):
            variable.assign(tf.where(self._met(finite, value), variable.value, value))
        count = self.context.estimates[LEFT_OUT]
        count.assign_add(tf.cast(~finite, count.dtype))

    def _round(self, weights: str, state: str) -> None:
        """Rounds weights, and what is kept of them, to their types."""
        for variables, name in ((self.optimizers.trained(), weights), (self.optimizers.moments(), state)):
            for variable in variables:
                variable.assign(rounded(tf.convert_to_tensor(variable.value), name))

    def _met(self, finite: Any, value: Any) -> Any:
        """Which rows were finite, bool [rows], as it meets a variable [rows, …]. One replicate by itself may keep what has no axis of rows."""
        if self.context.rows == 1:
            return finite[0]
        return tf.reshape(finite, [-1, *[1] * (value.shape.rank - 1)])


def _finite(gradient: Any) -> Any:
    """Which rows of a gradient [rows, …] are finite throughout."""
    return tf.reduce_all(tf.math.is_finite(tf.reshape(gradient, [gradient.shape[0], -1])), axis=1)
