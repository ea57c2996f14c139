"""The optimisers of a program: Keras' own, each with the weights of all replicates that it changes."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import OptimizerPlan
from dlspec.spec.passes.gradient_paths import Place

from ..lower import Lowering
from ..networks.network import Network


class Optimizers:
    """The optimisers, and the weights that they change.

    `groups` holds, by the network's name, or `""` for all networks, the Keras optimiser and its variables, [R, …] each; a
    network without such variables has none.
    """

    def __init__(
        self, plans: Mapping[str, OptimizerPlan], networks: Mapping[str, Network], trained: Container[Place], dtype: Any, xla: bool
    ) -> None:  # fmt: skip
        """`trained` are the weights that may change; `xla` says whether what calls `update` is compiled by XLA itself."""
        self.xla = xla
        self.groups: dict[str, tuple[Any, list[Any]]] = {}
        for name, plan in plans.items():
            places = [
                (network, place)
                for network in ([networks[name]] if name else networks.values())
                for place in network.changed()
                if (network.plan.name, *place) in trained
            ]
            if places:
                variables = [network.weights[place] for network, place in places]
                optimizer = _built(plan, dtype)
                optimizer.build(variables)
                self.groups[name] = optimizer, variables
                if optimizer.use_ema:
                    _average(optimizer, places)
        self._starts = [_compact(variable.numpy()) for variable in self.state()]

    def begin(self, plans: Mapping[str, OptimizerPlan]) -> None:
        """Sets what optimisers keep to how it was before the first update, and learning rates that are numbers."""
        for variable, start in zip(self.state(), self._starts, strict=True):
            variable.assign(np.broadcast_to(start, variable.shape))
        for name, (optimizer, _) in self.groups.items():
            rate = plans[name].arguments.get("learning_rate")
            if isinstance(rate, int | float):
                optimizer.learning_rate = rate

    def state(self) -> list[Any]:
        """The variables that the optimisers keep beside the weights."""
        return [variable for optimizer, _ in self.groups.values() for variable in optimizer.variables]

    def trained(self) -> list[Any]:
        """The weights that are changed, in the order of `groups`."""
        return [variable for _, variables in self.groups.values() for variable in variables]

    @cached_property
    def update(self) -> Any:
        """One update of every weight, given gradients and what they are to be divided by; compiled by XLA in either form.

        Its arguments are the gradients, [R, …] each, in a list for each of `groups`, and the divisor, an int.
        """

        @tf.function(jit_compile=True, autograph=False)
        def update(gradients: list[list[Any]], divisor: int) -> None:
            for (optimizer, variables), of_group in zip(self.groups.values(), gradients, strict=True):
                optimizer.apply([gradient / divisor if divisor > 1 else gradient for gradient in of_group], variables)

        return update.python_function if self.xla else update


def _built(plan: OptimizerPlan, dtype: Any) -> Any:
    """Keras' optimiser of a plan."""
    arguments = dict(plan.arguments)
    rate = arguments.get("learning_rate")
    if isinstance(rate, t.Term):
        arguments["learning_rate"] = _Schedule(rate, dtype)
    return getattr(keras.optimizers, plan.keras)(**arguments)


def _average(optimizer: Any, places: Sequence[tuple[Network, tuple[str, str]]]) -> None:
    """Lets networks be evaluated at the optimiser's moving averages of their weights."""
    for (network, place), average in zip(places, optimizer._model_variables_moving_average, strict=True):
        network.averages[place] = (average, optimizer.iterations)


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate that is an expression of the step."""

    def __init__(self, term: t.Term, dtype: Any) -> None:
        self.term = term
        self.dtype = dtype

    def __call__(self, step: Any) -> Any:
        lowering = Lowering(self.dtype, {}, {}, {}, step=step)
        return lowering.cast(lowering(self.term).tensor, "real")

    def get_config(self) -> dict[str, Any]:
        return {}


def _compact(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array, or its one value where all entries are the same."""
    return value.flat[:1].reshape([]) if value.size and (value == value.flat[0]).all() else value
