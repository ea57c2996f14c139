"""All that training changes of a program: weights, moving statistics, what optimisers keep, and the number of the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..networks.network import Network
from .optimizers import Optimizers


class State:
    """The variables that training changes, and after how many steps they stand. `optimizers` are those of each phase."""

    def __init__(self, networks: Mapping[str, Network], optimizers: Sequence[Optimizers]) -> None:
        self.networks = networks
        self.optimizers = optimizers
        self.step = 0

    def variables(self) -> list[Any]:
        """All variables: those of networks, then those of optimisers."""
        weights = [variable for network in self.networks.values() for variable in network.weights.values()]
        return weights + [variable for optimizers in self.optimizers for variable in optimizers.state()]

    def saved(self) -> list[np.ndarray[Any, Any]]:
        """Copies of the variables' values, in the order of `variables`."""
        return [variable.value.numpy().copy() for variable in self.variables()]

    def restore(self, step: int, values: Sequence[Any]) -> None:
        """Sets all variables to the values that they had after so many steps. Raises ValueError where a shape differs."""
        variables = self.variables()
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != tuple(value.shape):
                raise ValueError(f"a saved variable has the shape {value.shape}, and {variable.name} {variable.shape}")
        for variable, value in zip(variables, values, strict=True):
            variable.value.assign(tf.cast(value, variable.value.dtype))
        self.step = step
