"""Estimates: what is taken once, at the end of a phase of training, and is a constant from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from dlspec.spec.ir.plan import EstimatePlan, Program

from ..lower import Value
from .seeds import Seeds

if TYPE_CHECKING:
    from .context import ProgramContext


def estimate_variables(program: Program, rows: int, dtype: Any) -> dict[str, Any]:
    """Variables for the estimates of a program, by name: [rows, …] each."""
    return {
        plan.name: keras.Variable(
            np.zeros((rows, *plan.term.type.shape)), trainable=False, dtype=dtype.name, name=f"estimate_{plan.name}"
        )
        for plan in program.estimates
    }


def begin_estimates(variables: Mapping[str, Any]) -> None:
    """Makes all of them missing, NaN: they are until their phase has ended."""
    for variable in variables.values():
        variable.assign(np.full(variable.shape, np.nan))


class Estimates:
    """Takes the estimates of a program, each over its own training examples, with sums in float64."""

    def __init__(self, context: ProgramContext) -> None:
        self.context = context
        self.plans: Sequence[EstimatePlan] = context.program.estimates

    @cached_property
    def evaluations(self) -> dict[str, Any]:
        """What takes each, compiled when it is first needed."""
        from .expectations import Evaluation

        return {
            plan.name: Evaluation(self.context, [plan], plan.examples, f"estimate {plan.name}") for plan in self.plans
        }

    def take(self, phase: str, seeds: Seeds, step: int) -> None:
        """Takes those of a phase that has ended after so many updates: at the present weights, in inference."""
        for plan in self.plans:
            if plan.phase == phase:
                values, _ = self.evaluations[plan.name].measured(seeds, step)
                self.context.estimates[plan.name].assign(values[plan.name])

    @staticmethod
    def value(context: ProgramContext, name: str) -> Value:
        """The value of an estimate, which is a constant for gradients."""
        return context.of_rows(context.estimates[name].value)
