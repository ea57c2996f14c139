"""The variables of estimates: of what is taken once, at the end of a phase of training, and is a constant from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.sampled_means import erring_estimates
from dlspec.spec.tables.stored_types import LEFT_OUT


def error_of(name: str) -> str:
    """What the standard error of an estimate is known by, beside the estimates."""
    return f"error of {name}"


def estimate_variables(program: Program, rows: int, dtype: Any) -> dict[str, Any]:
    """Variables for the estimates of a program, by name, for the standard errors of those that have one, and for how many updates were left out.

    [rows, …] each.
    """
    shapes = {plan.name: plan.term.type.shape for plan in program.estimates}
    shapes |= {error_of(plan.name): plan.term.type.shape for plan in erring_estimates(program)}
    variables = {
        name: keras.Variable(
            np.zeros((rows, *shape)), trainable=False, dtype=dtype.name, name=f"estimate_{name}".replace(" ", "_")
        )
        for name, shape in shapes.items()
    }
    if program.stored is not None and program.stored.loss_scale is not None:
        variables[LEFT_OUT] = keras.Variable(np.zeros(rows), trainable=False, dtype=dtype.name, name=LEFT_OUT)
    return variables


def begin_estimates(variables: Mapping[str, Any]) -> None:
    """Makes all of them missing, NaN: they are until their phase has ended. Nothing is left out yet."""
    for name, variable in variables.items():
        variable.assign(np.full(variable.shape, 0 if name == LEFT_OUT else np.nan))
