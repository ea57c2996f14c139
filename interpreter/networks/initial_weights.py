"""How weights start: Keras' initialisers, each with a seed from its own place in the tree of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import VALUE, InitialValue, LayerPlan
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.layers import LAYERS

from ..lower.threefry import keras_seed

Values = Callable[[t.Term], np.ndarray[Any, Any]]
"""A term's value in each replicate: [R, …]."""


def all_started(
    plan: LayerPlan, variable: Any, network: str, seed_paths: Sequence[Sequence[str | int]], dtype: str, values: Values
) -> np.ndarray[Any, Any]:
    """A weight of all replicates at the start: [R, …]."""
    start = _initial(plan, name_of(variable))
    if start is None or start.keras != VALUE:
        return np.stack([started(plan, variable, network, path, dtype) for path in seed_paths])
    own = values(start.arguments["value"])
    shape = tuple(variable.shape)
    own = own.reshape(own.shape[:1] + (1,) * (len(shape) - own.ndim + 1) + own.shape[1:])
    return _remembering(plan, variable, np.array(np.broadcast_to(own, (len(seed_paths), *shape)), dtype))


def _remembering(plan: LayerPlan, variable: Any, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same but that a forget gate starts open, where it shall."""
    if plan.keras == "LSTM" and name_of(variable) == "bias" and plan.config["unit_forget_bias"]:
        units = plan.config["units"]
        value[..., units : 2 * units] = 1
    return value


def started(
    plan: LayerPlan, variable: Any, network: str, seed_path: Sequence[str | int], dtype: str
) -> np.ndarray[Any, Any]:
    """One replicate's weight at the start; what the language does not initialise starts as Keras has it."""
    name = name_of(variable)
    start = _initial(plan, name)
    if start is None:
        return np.asarray(variable.value)
    if start.keras == "Constant":  # Keras' own goes through float32
        return _remembering(plan, variable, np.full(variable.shape, start.arguments["value"], dtype))
    seed = keras_seed(*seed_path, "weights", network, plan.key, name)
    return _remembering(plan, variable, np.array(initializer(start, seed)(variable.shape, dtype=dtype)))


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
