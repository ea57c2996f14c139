"""Keras' layers and constraints, as a plan tells their classes and arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import InitialValue

from .copies import as_rows, from_rows


def of_keras(class_name: str, config: Mapping[str, Any], dtype: str) -> Any:
    """A layer of Keras, with those among its arguments. A number that changes in training is 0: what layers draw is drawn there alone."""
    arguments = {
        name: of_keras(value["class_name"], value["config"], dtype)
        if isinstance(value, Mapping)
        else (0.0 if isinstance(value, t.Term) else value)
        for name, value in config.items()
        if value is not None
    }
    return getattr(keras.layers, class_name)(**arguments, dtype=dtype)


def of_each_replicate(constraint: InitialValue, copies: int | None = None) -> Callable[[Any], Any]:
    """A constraint on a weight [R, …], or [R, copies, …], of all replicates, each by itself."""
    name = "".join(part.capitalize() for part in constraint.keras.split("_"))
    one = keras.constraints.get({"class_name": name, "config": dict(constraint.arguments)})

    def constrained(stacked: Any) -> Any:
        rows = as_rows(tf.convert_to_tensor(stacked), copies)
        return from_rows(tf.stack([one(weight) for weight in tf.unstack(rows)]), copies)

    return constrained
