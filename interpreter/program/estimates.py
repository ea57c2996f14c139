"""The variables of estimates: of what is taken once, at the end of a phase of training, and is a constant from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from dlspec.spec.ir.plan import Program


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
