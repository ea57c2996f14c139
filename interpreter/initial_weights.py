"""How weights start: Keras' initialisers, each with a seed from its own place in the tree of names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from dlspec.spec.initializers import INITIALIZERS
from dlspec.spec.layers import LAYERS
from dlspec.spec.resolved import InitialValue, LayerPlan

from .random import keras_seed


def started(
    plan: LayerPlan, variable: Any, network: str, seed_path: Sequence[str | int], dtype: str
) -> np.ndarray[Any, Any]:
    """One replicate's weight at the start; what the language does not initialise starts as Keras has it."""
    name = name_of(variable)
    start = _initial(plan, name)
    if start is None:
        return np.asarray(variable.value)
    seed = keras_seed(*seed_path, "weights", network, plan.key, name)
    value = np.array(initializer(start, seed)(variable.shape, dtype=dtype))
    if plan.keras == "LSTM" and name == "bias" and plan.config["unit_forget_bias"]:
        units = plan.config["units"]
        value[units : 2 * units] = 1
    return value


def name_of(variable: Any) -> str:
    """A weight's name in its layer."""
    return str(variable.path.rsplit("/", 1)[-1])


def argument_of(weight: str) -> str:
    """A weight's name in Keras' arguments: `recurrent_initializer` starts `recurrent_kernel`."""
    return weight.removesuffix("_kernel")


def _initial(plan: LayerPlan, weight: str) -> InitialValue | None:
    """How a weight starts; None where Keras starts it from a constant of its own."""
    if weight in plan.initializers:
        return plan.initializers[weight]
    row = next(row for row in LAYERS.values() if row.keras == plan.keras)
    parameter = row.parameters.get(f"{argument_of(weight)}_initializer")
    return None if parameter is None else InitialValue(INITIALIZERS[parameter.default].keras)


def initializer(start: InitialValue, seed: int) -> Any:
    """A Keras initialiser with its seed."""
    kind = getattr(keras.initializers, start.keras)
    arguments = dict(start.arguments)
    if start.keras not in ("Zeros", "Ones", "Constant", "Identity"):
        arguments["seed"] = seed
    return kind(**arguments)
