"""All that training changes of a program: weights, moving statistics, what optimisers keep, and the number of the step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.tables.stored_types import LEFT_OUT

from ..networks.network import Network
from .kept_weights import Moment, Weights
from .optimizers import Optimizers

Array = np.ndarray[Any, Any]


class State:
    """The variables that training changes, and after how many steps they stand.

    `optimizers` are those of each phase, `kept` the weights of other times, `estimates` what was taken at ends of phases.
    """

    def __init__(
        self,
        networks: Mapping[str, Network],
        optimizers: Sequence[Optimizers],
        kept: Mapping[Moment, Weights],
        estimates: Mapping[str, Any],
        rows: int,
    ) -> None:
        self.networks = networks
        self.optimizers = optimizers
        self.kept = kept
        self.estimates = estimates
        self.rows = rows
        self.step = 0

    def variables(self) -> list[Any]:
        """All variables: those of networks, then those of optimisers, then the weights that are kept of other times, then estimates."""
        weights = [variable for network in self.networks.values() for variable in network.weights.values()]
        weights += [variable for optimizers in self.optimizers for variable in optimizers.state()]
        weights += [variable for of_then in self.kept.values() for variable in of_then.values()]
        return weights + list(self.estimates.values())

    def of_rows_alone(self) -> list[Any]:
        """Those that each row has for itself: weights, what optimisers keep of each, estimates. What counts steps is common to all."""
        weights = [variable for network in self.networks.values() for variable in network.weights.values()]
        moments = [variable for optimizers in self.optimizers for variable in optimizers.moments()]
        averages = [variable for optimizers in self.optimizers for variable in optimizers.averages()]
        every = [*weights, *moments, *averages, *self.estimates.values()]
        return list({id(variable): variable for variable in every}.values())

    def held(self) -> list[Any]:
        """All variables that compiled functions read: those that training changes, and what learning rates are made of."""
        return self.variables() + [variable for optimizers in self.optimizers for variable in optimizers.given()]

    def up_to(
        self, ended: Collection[tuple[str, int | None]], estimates: Collection[str], optimizers: int
    ) -> list[int]:
        """The places of those variables that cells have in common that are equal up to a border, in an order that is the same for all of them.

        They are the weights, what the first so many `optimizers` keep, and what is kept of the passes that have `ended` before, and
        the `estimates` that were taken then: all else begins behind the border.
        """
        weights = [variable for network in self.networks.values() for variable in network.weights.values()]
        weights += [variable for own in self.optimizers[:optimizers] for variable in own.state()]
        for moment in sorted((one for one in self.kept if one[0] == "after" and one[1:] in ended), key=str):
            weights += [self.kept[moment][place] for place in sorted(self.kept[moment])]
        weights += [self.estimates[name] for name in sorted(self.estimates) if name in estimates or name == LEFT_OUT]
        places = {id(variable): place for place, variable in enumerate(self.variables())}
        return [places[id(variable)] for variable in weights]

    def saved(self) -> list[np.ndarray[Any, Any]]:
        """Copies of the variables' values, in the order of `variables`."""
        return [variable.value.numpy().copy() for variable in self.variables()]

    def of_cells(self, values: Sequence[Array], cells: int) -> list[list[Array]]:
        """Saved values as each cell alone would have them: its own rows of what is [rows, …], its own learning rate."""
        if cells == 1:
            return [list(values)]
        rates = {id(optimizer._learning_rate) for kept in self.optimizers for optimizer, _ in kept.groups.values()}
        by_cell: list[list[Array]] = [[] for _ in range(cells)]
        for variable, value in zip(self.variables(), values, strict=True):
            for own, part in zip(by_cell, np.split(value, cells) if value.ndim else [value] * cells, strict=True):
                own.append(part[0] if id(variable) in rates else part)
        return by_cell

    def of_rows(self, cells: Sequence[Sequence[Array]], replicates: int) -> list[Array]:
        """The values of all rows from those of each cell: what `of_cells` takes apart."""
        if len(cells) == 1:
            return list(cells[0])
        joined = []
        for variable, values in zip(self.variables(), zip(*cells, strict=True), strict=True):
            if len(variable.shape) and not np.ndim(values[0]):
                joined.append(np.repeat(np.stack(values), replicates))
            else:
                joined.append(np.concatenate(values) if np.ndim(values[0]) else values[0])
        return joined

    def restore(self, step: int, values: Sequence[Any]) -> None:
        """Sets all variables to the values that they had after so many steps. Raises ValueError where a shape differs."""
        variables = self.variables()
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != tuple(value.shape):
                raise ValueError(f"a saved variable has the shape {value.shape}, and {variable.name} {variable.shape}")
        for variable, value in zip(variables, values, strict=True):
            variable.value.assign(tf.cast(value, variable.value.dtype))
        self.step = step
