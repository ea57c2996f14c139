"""Statistics of gradients at the present weights: each a compiled call of the estimator that its row has."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t

from .context import ProgramContext
from .gradient_estimators import ESTIMATORS, SPECTRA, Inputs, Matrix
from .gradient_estimators.gradients import Gradients
from .seeds import Seeds

Array = np.ndarray[Any, Any]


class Statistic:
    """One statistic of a program: its value and its sampling floor, [R] or [R, values], and [R]; the floor is None where its row has none."""

    def __init__(self, context: ProgramContext, term: t.GradientStatistic, place: int = 0) -> None:
        """`place` is its number among the program's."""
        self.context = context
        self.place = place
        self.term = term

    def __call__(self, seeds: Seeds, step: int) -> tuple[Array, Array | None]:
        """The value and the floor."""
        keys = {name: seeds.keys[name] for name in ("test", "train", "draw", "redraw")}
        inputs = Inputs(keys, seeds.draws, tf.constant(step))
        if self.term.statistic in SPECTRA:
            return self._spectrum(inputs)
        value, floor = self._compiled(keys, seeds.draws, inputs.step)
        return value.numpy(), None if floor is None else floor.numpy()

    @cached_property
    def _spectrum(self) -> Callable[[Inputs], tuple[Array, Array | None]]:
        matrix = Matrix(self.context, self.term, f"statistic {self.place}")
        return lambda inputs: SPECTRA[self.term.statistic](matrix.at(inputs), self.term)

    @cached_property
    def _compiled(self) -> Any:
        estimator = ESTIMATORS[self.term.statistic]
        gradients = Gradients(self.context, self.term)

        @self.context.functions.shared(f"statistic {self.place}", self.context.xla)
        def statistic(keys: dict[str, Any], draws: dict[str, Any], step: Any) -> Any:
            return estimator(gradients, Inputs(keys, draws, step))

        return statistic
