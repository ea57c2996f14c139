"""The optimisers of a program: Keras' own, each with the weights of all rows that it changes."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import OptimizerPlan
from dlspec.spec.passes.gradient_paths import Place
from dlspec.spec.tables.optimizers import OPTIMIZERS

from ..backend.graph_functions import graph_function
from ..lower import Value
from ..networks.number_types import rounded
from .context import ProgramContext
from .seeds import constants_of
from .swept_numbers import NOT_ZERO, SweptNumbers


class Optimizers:
    """The optimisers, and the weights that they change.

    `groups` holds, by the network's name, or `""` for all networks, the Keras optimiser and its variables, [rows, …] each; a
    network without such variables has none. Where several cells are side by side, each has its own learning rate.
    """

    def __init__(
        self, plans: Mapping[str, OptimizerPlan], context: ProgramContext, trained: Container[Place], times: int = 1
    ) -> None:
        """`trained` are the weights that may change, `times` how often they are in a step."""
        self.context = context
        networks = context.networks
        self.groups: dict[str, tuple[Any, list[Any]]] = {}
        self.averages_by_place: dict[Place, tuple[Any, Any] | None] = {}
        """Of each weight its moving average with what counts the updates in it; nothing where none is kept."""
        self.numbers: list[SweptNumbers] = []
        for name, plan in plans.items():
            places = [
                (network, place)
                for network in ([networks[name]] if name else networks.values())
                for place in network.changed()
                if (network.plan.name, *place) in trained
            ]
            if places:
                variables = [network.weights[place] for network, place in places]
                numbers = {key: value for key, value in plan.arguments.items() if isinstance(value, t.SweptConstant)}
                numbers.pop("learning_rate", None)
                held = SweptNumbers(numbers, context)
                optimizer = _built(plan, context, times, held)
                optimizer.build(variables)
                self.groups[name] = optimizer, variables
                self.numbers.append(held)
                averages = optimizer._model_variables_moving_average if optimizer.use_ema else [None] * len(places)
                for (network, place), average in zip(places, averages, strict=True):
                    counted = None if average is None else (average, optimizer.iterations)
                    self.averages_by_place[network.plan.name, *place] = counted
        stored = context.program.stored
        moments = {id(variable) for variable in self.moments()} if stored is not None else ()
        self._starts = [
            _compact(
                rounded(variable.numpy(), stored.state).numpy()
                if stored and id(variable) in moments
                else variable.numpy()
            )
            for variable in self.state()
        ]
        self._begun: tuple[Sequence[Mapping[str, OptimizerPlan]], Mapping[str, Any]] = ((), {})

    def begin(self, plans: Sequence[Mapping[str, OptimizerPlan]], draws: Mapping[str, Any]) -> None:
        """Sets what optimisers keep to how it was before the first update, and learning rates: those of each cell.

        `draws` has the swept constants that an expression of the step has.
        """
        self._begun = plans, draws
        for variable, start in zip(self.state(), self._starts, strict=True):
            variable.assign(np.broadcast_to(start, variable.shape))
        for numbers in self.numbers:
            numbers.begin(draws)
        for name, (optimizer, _) in self.groups.items():
            rates = [plan[name].arguments.get("learning_rate") for plan in plans]
            if isinstance(rates[0], t.Term):
                optimizer._learning_rate.begin(draws)
            elif rates[0] is not None:
                optimizer.learning_rate = rates[0] if len(rates) == 1 else self._of_rows(rates)

    def begin_anew(self) -> None:
        """Forgets all that optimisers keep."""
        self.begin(*self._begun)

    def go_on_from(self, earlier: Sequence[Optimizers]) -> None:
        """Takes over what others kept of the same weights, the nearest first, back to where they were of another kind: all but learning rates.

        All else begins here: nothing is left of an earlier phase that had these optimisers. Averages that nobody kept begin at the weights.
        """
        starts = dict(zip(map(id, self.state()), self._starts, strict=True))
        for name, (optimizer, weights) in self.groups.items():
            kept = self._kept(name, earlier)
            averages = optimizer._model_variables_moving_average if optimizer.use_ema else ()
            at_weights = {id(average): weight for average, weight in zip(averages, weights, strict=bool(averages))}
            for variable in optimizer.variables:
                if variable is optimizer._learning_rate:
                    continue
                if variable.name in kept:
                    variable.assign(kept[variable.name])
                elif kept and id(variable) in at_weights:
                    variable.assign(at_weights[id(variable)].value)
                else:
                    variable.assign(np.broadcast_to(starts[id(variable)], variable.shape))

    def _kept(self, name: str, earlier: Sequence[Optimizers]) -> dict[str, Any]:
        """What others of the kind of one optimiser kept, by the names of variables, as copies: of a weight what the nearest kept that changed it."""
        optimizer, weights = self.groups[name]
        own = {id(weight) for weight in weights}
        kept: dict[str, Any] = {}
        settled: list[Any] = []
        for others in earlier:
            if name not in others.groups:
                if own & {id(weight) for weight in others.trained()}:  # in another way of grouping networks
                    break
                continue
            other, changed = others.groups[name]
            if _kind(other) is not _kind(optimizer):
                break
            before = _labels(settled)
            for variable in other.variables:
                if (
                    variable is not other._learning_rate
                    and variable.name not in kept
                    and not variable.name.startswith(before)
                ):
                    kept[variable.name] = tf.identity(variable.value)
            settled += changed
        return kept

    def forget(self, weights: Sequence[Any]) -> None:
        """Forgets what optimisers keep of some weights that began anew; their averages begin there."""
        starts = dict(zip(map(id, self.state()), self._starts, strict=True))
        for optimizer, variables in self.groups.values():
            for variable in optimizer.variables:
                if variable.name.startswith(_labels(weights)):
                    variable.assign(np.broadcast_to(starts[id(variable)], variable.shape))
            averages = optimizer._model_variables_moving_average if optimizer.use_ema else ()
            for average, weight in zip(averages, variables, strict=bool(averages)):
                if any(weight is one for one in weights):
                    average.assign(weight.value)

    def count_from(self, step: int) -> None:
        """Sets what schedules count: the steps of the whole training, whenever an optimiser began."""
        for optimizer, _ in self.groups.values():
            if isinstance(optimizer._learning_rate, _Schedule):
                optimizer._learning_rate.offset.assign(
                    step - int(optimizer.iterations.numpy()) // optimizer._learning_rate.times
                )

    def _of_rows(self, values: Sequence[Any]) -> np.ndarray[Any, Any]:
        """A value of each cell for each of its rows."""
        return np.repeat(np.asarray(values), self.context.replicates)

    def state(self) -> list[Any]:
        """The variables that the optimisers keep beside the weights."""
        return [variable for optimizer, _ in self.groups.values() for variable in optimizer.variables]

    def moments(self) -> list[Any]:
        """Those of them that are kept of a weight each, averages among them."""
        return [
            variable
            for optimizer, weights in self.groups.values()
            for variable in optimizer.variables
            if variable.name.startswith(_labels(weights))
        ]

    def averages(self) -> list[Any]:
        """The moving averages of weights."""
        kept = [optimizer for optimizer, _ in self.groups.values() if optimizer.use_ema]
        return [average for optimizer in kept for average in optimizer._model_variables_moving_average]

    def given(self) -> list[Any]:
        """The variables that hold swept numbers, and what expressions of learning rates read: swept constants, and from where they count steps."""
        rates = [optimizer._learning_rate for optimizer, _ in self.groups.values()]
        schedules = [rate for rate in rates if isinstance(rate, _Schedule)]
        held = [variable for numbers in self.numbers for variable in numbers.variables()]
        return held + [variable for one in schedules for variable in (one.offset, *one.constants.values())]

    def trained(self) -> list[Any]:
        """The weights that are changed, in the order of `groups`."""
        return [variable for _, variables in self.groups.values() for variable in variables]

    @cached_property
    def update(self) -> Any:
        """One update of every weight, given gradients and what they are to be divided by; compiled by XLA in either form.

        Its arguments are the gradients, [rows, …] each, in a list for each of `groups`, and the divisor, an int.
        """

        @graph_function(xla=True)
        def update(gradients: list[list[Any]], divisor: int) -> None:
            for (optimizer, variables), of_group in zip(self.groups.values(), gradients, strict=True):
                optimizer.apply([gradient / divisor if divisor > 1 else gradient for gradient in of_group], variables)

        return update.python_function if self.context.xla else update


def _built(plan: OptimizerPlan, context: ProgramContext, times: int, numbers: SweptNumbers) -> Any:
    """Keras' optimiser of a plan, which is applied so many times a step; `numbers` are those of its arguments that are another in each row."""
    arguments = {**plan.arguments, **dict.fromkeys(numbers.places, NOT_ZERO)}
    rate = arguments.get("learning_rate")
    if isinstance(rate, t.Term):
        arguments["learning_rate"] = _Schedule(rate, context, times)
    kind = getattr(keras.optimizers, plan.keras)
    if context.cells > 1 or numbers.places:
        optimizer = _row_by_row(kind)(**{"name": plan.keras.lower(), **arguments})
        optimizer.numbers = numbers
    else:
        optimizer = kind(**arguments)
    if not isinstance(rate, t.Term):
        default = OPTIMIZERS[plan.name].parameters["learning_rate"].default
        _hold_rate(optimizer, default if rate is None else rate, context)
    if context.kind.real == "float64":
        _widen(optimizer, plan)
    return optimizer


def _widen(optimizer: Any, plan: OptimizerPlan) -> None:
    """Lets Keras take the numbers of an optimiser as doubles: it casts those of Python by way of float32, where 0.999 is 0.999000013."""
    for name, parameter in OPTIMIZERS[plan.name].parameters.items():
        if parameter.kind == "real" and isinstance(value := getattr(optimizer, name), float):
            setattr(optimizer, name, _Double(value))


class _Double(float):
    """A number of Python that TensorFlow and Keras take for a float64."""

    dtype = "float64"

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return tf.constant(float(self), tf.float64 if dtype is None else dtype, name=name or "Const")


def _hold_rate(optimizer: Any, rate: float, context: ProgramContext) -> None:
    """Puts a learning rate of the program's number type, and of each row where there are several cells, in place of Keras' float32."""
    before = optimizer._learning_rate
    place = [id(variable) for variable in optimizer._variables].index(id(before))
    optimizer._untrack_variable(before)
    values = np.full((context.rows,) if context.cells > 1 else (), rate)
    optimizer._learning_rate = keras.Variable(values, dtype=context.kind.real, trainable=False, name="learning_rate")
    optimizer._variables.insert(place, optimizer._variables.pop())  # where it stands in a state that was saved


@cache
def _row_by_row(kind: type[Any]) -> type[Any]:
    """A class of Keras' optimisers whose numbers are others in each row: one meets a weight [rows, …] as [rows, 1, …].

    Keras' own would take rates of [rows] for those of a weight's last axis.
    """

    class RowByRow(kind):  # type: ignore[misc]
        of_kind = kind

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            for name, number in self.numbers.met(variable).items():
                setattr(self, name, number)
            super().update_step(gradient, variable, _met(learning_rate, variable))

        def _apply_weight_decay(self, variables: Any) -> None:
            for variable in variables if self.weight_decay is not None else ():
                if self._use_weight_decay(variable):
                    number = self.numbers.met(variable).get("weight_decay", self.weight_decay)
                    value, decay = variable.value, tf.cast(number, variable.dtype)
                    value.assign_sub(value * decay * _met(self.learning_rate, variable))

    return RowByRow


def _kind(optimizer: Any) -> type[Any]:
    """Keras' class of an optimiser, whether its numbers are others in each row or not."""
    return getattr(optimizer, "of_kind", type(optimizer))


def _labels(weights: Sequence[Any]) -> tuple[str, ...]:
    """What the names of variables begin with that are kept of some weights."""
    return tuple(f"{weight.path.replace('/', '_')}_" for weight in weights)


def _met(rates: Any, variable: Any) -> Any:
    """Learning rates as they meet a weight [rows, …]: one, or [rows, 1, …]."""
    rates = tf.cast(tf.convert_to_tensor(rates), variable.dtype)
    return tf.reshape(rates, [-1, *[1] * (len(variable.shape) - 1)]) if rates.shape.rank else rates


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate that is an expression of the step: one, or [rows] where it differs from cell to cell."""

    def __init__(self, term: t.Term, context: ProgramContext, times: int) -> None:
        self.term = term
        self.times = times
        self.context = context
        self.offset = tf.Variable(0, trainable=False)
        self.constants = {
            item.place: tf.Variable(
                np.zeros((*((context.cells,) if context.cells > 1 else ()), *item.type.shape)), trainable=False
            )
            for item in t.walk(term)
            if isinstance(item, t.SweptConstant)
        }

    def begin(self, draws: Mapping[str, Any]) -> None:
        """Sets the swept constants in it."""
        values = constants_of(draws)
        for place, variable in self.constants.items():
            variable.assign(tf.cast(values[place], variable.dtype))

    def __call__(self, step: Any) -> Any:
        if self.times > 1:
            step = step // tf.cast(self.times, step.dtype)
        if self.context.crosses_borders:
            step = step + tf.cast(self.offset, step.dtype)
        lowering = self.context.bare_lowering(step, self.constants)
        value = lowering(self.term)
        rate = Value(lowering.cast(value.tensor, "real"), value.axes)
        return lowering.to_rows(rate, (), 0) if rate.axes else rate.tensor

    def get_config(self) -> dict[str, Any]:
        return {}


def _compact(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array, or its one value where all entries are the same."""
    return value.flat[:1].reshape([]) if value.size and (value == value.flat[0]).all() else value
