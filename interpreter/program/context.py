"""The context for lowering the terms of one program: names, networks, sample indices, gradient modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import CELL, EXAMPLE, REPLICATE, Axes
from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.plan import LossPlan, Phase
from dlspec.spec.passes.gradient_paths import Place
from dlspec.spec.passes.jacobians import is_of_the_batch
from dlspec.spec.passes.memory import chunk
from dlspec.spec.passes.program_roots import before_weights, differentiates
from dlspec.spec.passes.trained_weights import trained
from dlspec.spec.tables.dtypes import DTYPES

from ..lower import Application, Lowering, Value
from ..networks.network import Network, input_of
from .estimates import estimate_variables
from .file_rows import ROWS, ROWS_PLACE, is_of_files, of_files
from .kept_weights import kept_weights
from .layer_outputs import looked_into
from .other_weights import with_weights
from .seeds import bindings_of, constants_of, is_constant, noise_path, number_samples
from .shared_functions import Functions
from .value_gradients import derivative, mean_gradient

Averages = Mapping[Place, tuple[Any, Any]]
"""Moving averages of weights, by their places, each with what counts the updates in it."""


class ProgramContext:
    """The program of a cell batch for so many replicates side by side. `xla` says how its functions are compiled, `on_cpu` that they run on a CPU.

    Keys, draws and swept constants are arguments of each call, so that what is compiled serves every program of the same form. A row is
    a replicate of a cell: weights are [rows, …], cell after cell.
    """

    def __init__(
        self, batch: CellBatch, replicates: int, xla: bool, on_cpu: bool, functions: Functions | None = None
    ) -> None:
        self.program = program = batch.program
        self.cells = len(batch.programs)
        self.replicates = replicates
        self.rows = self.cells * replicates
        self.xla = xla
        self.functions = functions or Functions()
        self.on_cpu = on_cpu
        self.modes = program.gradient
        self.kind = DTYPES[program.dtype]
        self.dtype = tf.as_dtype(self.kind.real)
        self.bindings = bindings_of(program)
        self.samples = number_samples(program)
        stored = program.stored.type if program.stored is not None else ""
        self._ranks = {item.name: len(item.term.type.shape) for item in program.draws}
        self._ranks |= {item.name: len(item.term.type.shape) for item in program.statistics}
        self.networks = {
            plan.name: Network(plan, self.rows, self.kind, program.gradient, xla, stored) for plan in program.networks
        }
        self.looped = xla and on_cpu and not differentiates(program)
        self.kept_weights = kept_weights(program, self.networks)
        self.estimates = estimate_variables(program, self.rows, self.dtype)
        for name, layers in looked_into(program).items():
            self.networks[name].looked_into = layers
        changed = trained(program)
        for name, network in self.networks.items():
            network.trained = frozenset((layer, weight) for owner, layer, weight in changed if owner == name)
        self._averages: dict[int, Averages] = {}
        self._during: dict[Any, ProgramContext] = {}

    def show_averages(self, phase: Phase, averages: Averages) -> None:
        """Says at which moving averages weights are seen outside the loss in a phase of training, the first of all phases first."""
        if not self._averages:
            _show_averages(self.networks, averages)
            self._during[_averaged(averages)] = self
        self._averages[id(phase)] = averages

    def during(self, phase: Phase | None, derivatives: bool = True) -> ProgramContext:
        """The same as it is in a phase of training: with its gradient modes, if `derivatives` are asked for, and what it shows of averages.

        Weights and all else are shared.
        """
        gradient = phase.gradient if phase is not None and derivatives else None
        averages = self._averages.get(id(phase))
        if gradient is None and averages is None:
            return self
        key = (*_averaged(averages or {}), *([id(gradient)] if gradient is not None else []))
        if (context := self._during.get(key)) is None:
            context = self._during[key] = copy(self)
            context.__dict__.pop("flat", None)
            context.__dict__.pop("forwards", None)
            context.networks = {name: copy(network) for name, network in self.networks.items()}
            _show_averages(context.networks, averages or {})
            if gradient is not None:
                context.program = self.program.during(phase)
                context.modes = gradient
                for network in context.networks.values():
                    network.modes = gradient
        return context

    @cached_property
    def flat(self) -> ProgramContext:
        """The same where rows are the replicates of one cell, and what they have in common is made for each."""
        if self.cells == 1:
            return self
        flat = copy(self)
        flat.__dict__.pop("forwards", None)
        flat.cells, flat.replicates = 1, self.rows
        return flat

    @cached_property
    def forwards(self) -> ProgramContext:
        """The same for values alone: without the gradient modes of functions, on which no value depends, unless derivatives are values of the program.

        What programs measure that differ in such modes is then the same function.
        """
        if differentiates(self.program):
            return self
        forwards = copy(self)
        forwards.modes = {
            target: mode for target, mode in self.modes.items() if target.partition(".")[0] in self.networks
        }
        return forwards

    def lowering(
        self,
        keys: Any,
        index: Any,
        batch: int,
        draws: dict[str, Any],
        step: Any = None,
        update: Any = None,
        places: Any = None,
        stream: str = "",
        **more: Any,
    ) -> Lowering:
        """A context for terms over a batch of examples.

        `keys` are those of a stream, uint32 [samples, R, 2]; `index` the examples' numbers, int64 [B] or [R, B]; `draws`
        the replicates' draws by name, [R, …] or [cells, R, …]; `step` how many updates were made, `update` which one the
        examples are for, the last that was made unless said; `places` are those of the examples among the rows of files, their
        numbers unless said; `stream` is the test stream that they are of, if its names are others; `more` are further fields of the context.
        """
        cells = {CELL: self.cells} if self.cells > 1 else {}
        if step is not None and update is None:
            update = tf.maximum(step - 1, 0)
        return Lowering(
            self.dtype, {**cells, REPLICATE: self.replicates, EXAMPLE: batch}, self.bindings_on(stream), self.modes,
            keys=lambda sample: keys[self.samples[sample.path]], index=index,
            otherwise=self.program.data.otherwise, enumerated=self.program.data.enumerated,
            on_cpu=self.on_cpu, looped=self.looped, network=self.apply, layer=self.layer,
            recall=self.recalled, with_weights=self.with_weights, estimate=self.estimate, derivative=self.derivative, batch_mean=self.batch_mean,
            weight=lambda lowering, term: self.networks[term.network].weight(term, lowering),
            constants=constants_of(draws), step=step, update=update, clock=self.clock,
            values={
                name: Value(tensor, lead_axes(tensor, self._ranks[name], REPLICATE))
                for name, tensor in draws.items() if not is_constant(name) and not is_of_files(name)
            },
            files=of_files(draws), file_rows=self._rows(keys, draws, index if places is None else places),
            **more,
        )  # fmt: skip

    def _rows(self, keys: Any, draws: dict[str, Any], places: Any) -> Any:
        """The rows of files that some examples of a stream are, int32 [R, B]; None without files, or where no example is made.

        Places beyond the last example, in what fills up a chunk, are those of the last.
        """
        place = self.samples.get(ROWS_PLACE)
        if place is None or keys is None:
            return None
        table = draws[ROWS]
        found = tf.minimum(tf.cast(keys[place][:, :1], tf.int64) + places, table.shape[1] - 1)
        return tf.gather(table, found, batch_dims=1)

    def bindings_on(self, stream: str) -> Mapping[str, t.Term]:
        """The terms of names in the examples of a stream."""
        return self.bindings | {item.name: item.term for item in self.program.streams.get(stream, ())}

    @property
    def crosses_borders(self) -> bool:
        """Whether training has several passes: what optimisers count may then be another number than the step."""
        return self.program.training is not None and len(self.program.training.starts) > 1

    def clock(self, counter: str, step: Any, update: Any) -> Any:
        """A counter of the language, int32, after so many updates and in the examples of one."""
        plan = self.program.training
        if counter == "step" or plan is None:
            return step if plan is not None else tf.zeros_like(step)
        phase = tf.reduce_sum(tf.cast(update >= tf.constant(plan.starts[1:], tf.int32), tf.int32))
        if counter == "phase":
            return phase
        if counter == "pass":
            return tf.gather(tf.constant(plan.passes, tf.int32), phase)
        return step - tf.gather(tf.constant(plan.starts, tf.int32), phase)

    def noise(self, keys: Any) -> Callable[[str, str], Any]:
        """From a network and one of its layers to the keys of that one's noise in each row, uint32 [rows, 2], by the keys of a stream."""

        def of_layer(network: str, layer: str) -> Any:
            each = keys[self.samples[noise_path(network, layer)]]
            return each if self.cells == 1 else tf.tile(each, [self.cells, 1])

        return of_layer

    def without_examples(self, draws: dict[str, Any], step: Any) -> Lowering:
        """A context for terms of constants, draws, weights and counters, in an update of that number."""
        return self.lowering(None, tf.zeros([1], tf.int64), 1, draws, step=step, update=step)

    def of_rows(self, tensor: Any, axes: Axes = ()) -> Value:
        """The value of a tensor [rows, *axes, …]."""
        if self.cells == 1:
            return Value(tensor, (REPLICATE, *axes))
        return Value(tf.reshape(tensor, [self.cells, self.replicates, *tensor.shape[1:]]), (CELL, REPLICATE, *axes))

    def bare_lowering(self, step: Any, constants: Mapping[int, Any]) -> Lowering:
        """A context for a term of constants and the step; `constants` are the swept ones by place, [cells, …]."""
        sizes = {CELL: self.cells, REPLICATE: self.replicates} if self.cells > 1 else {}
        given = [constants.get(place) for place in range(max(constants, default=-1) + 1)]
        return Lowering(self.dtype, sizes, {}, {}, step=step, constants=given)

    def apply(self, lowering: Lowering, name: str, given: Value | None, meaning: Any = None) -> Value:
        """A network on its own input, once a context, or on another, which means that."""
        place = f"network {name}"
        if given is None and place in lowering.values:
            return lowering.values[place]
        network = self.networks[name]
        plan = network.plan
        if given is not None:
            return network(lowering, given, plan.input.type, application=Application(meaning))
        lowering = lowering.outermost()
        own = lowering.values.get(input_of(name)) or lowering(plan.taken)
        outputs: dict[str, Value] = {}
        standing = {key: tensor for (network, key), tensor in lowering.standing.items() if network == name}
        application = Application(lowering.meaning(plan.input), standing=standing)
        on_index = plan.index is not None
        value = (
            network.of_index(lowering, own, outputs, application)
            if on_index
            else network(lowering, own, plan.input.type, None, outputs, application)
        )
        lowering.values[place] = value
        lowering.values.update({f"layer {name}.{key}": output for key, output in outputs.items()})
        return value

    def layer(self, lowering: Lowering, name: str, key: str, given: Value | None, meaning: Any = None) -> Value:
        """What a layer gives on its network's own input, or on another."""
        if given is not None:
            network, outputs = self.networks[name], dict[str, Value]()
            network(lowering, given, network.plan.input.type, None, outputs, Application(meaning))
            return outputs[key]
        place = f"layer {name}.{key}"
        if place not in lowering.values:
            self.apply(lowering, name, None)
        return lowering.values[place]

    def estimate(self, name: str) -> Value:
        """The value of an estimate, which is a constant for gradients."""
        return self.of_rows(self.estimates[name].value)

    def recalled(self, lowering: Lowering, term: t.Recalled) -> Lowering:
        """The context in which networks have the weights of another time; what is drawn is the same."""
        drawn = before_weights(self.program)
        if term.moment in ("average", "current"):
            given = {
                (name, *place): Value(network.read(place, term.moment == "current", lowering), (REPLICATE,))
                for name, network in self.networks.items()
                for place in network.weights
            }
        else:
            kept = self.kept_weights[term.kept]
            given = {
                place: Value(tf.convert_to_tensor(variable.value), (REPLICATE,)) for place, variable in kept.items()
            }
        values = {name: value for name, value in lowering.values.items() if name in drawn}
        return replace(lowering, given=given, standing={}, training=None, values=values)

    def with_weights(self, lowering: Lowering, term: t.WithWeights, weights: Value) -> Lowering:
        """The context in which values stand for some weights."""
        return with_weights(self.program, self.networks, lowering, term, weights)

    def derivative(self, lowering: Lowering, term: t.ValueGradient | t.Directional) -> Value:
        """Each example's derivative by a name, or by weights."""
        return derivative(self.program, self.networks, lowering, term)

    def batch_mean(self, lowering: Lowering, term: t.BatchMean) -> Value:
        """The mean of a term over the batch; of a gradient by weights, without each example's."""
        if isinstance(term.body, t.ValueGradient) and is_of_the_batch(term.body):
            return mean_gradient(self.program, self.networks, lowering, term.body)
        whole = replace(lowering, taken=())
        value = whole(term.body)
        tensor = whole.cast(value.tensor, "real")
        if EXAMPLE not in value.axes:
            return Value(tensor, value.axes)
        axes = tuple(axis for axis in value.axes if axis != EXAMPLE)
        return Value(tf.reduce_mean(tensor, axis=value.axes.index(EXAMPLE)), axes)

    def losses(self, lowering: Lowering, loss: Sequence[LossPlan]) -> list[Any]:
        """Some terms of the loss with their weights, [rows, B] each."""
        losses = []
        for term in loss:
            value = lowering(term.term)
            tensor = lowering.to_rows(Value(lowering.cast(value.tensor, "real"), value.axes), (EXAMPLE,), 0)
            weight = lowering(term.weight)
            factor = Value(lowering.cast(weight.tensor, "real"), weight.axes)
            losses.append(tensor * (lowering.to_rows(factor, (), 0)[:, tf.newaxis] if factor.axes else factor.tensor))
        return losses

    def chunk(self, wanted: int, *more: int) -> int:
        """How many of some examples are taken at once; `more` are the bytes of what else one of them needs."""
        return chunk(self.program, wanted, self.rows, *more)


def _show_averages(networks: Mapping[str, Network], averages: Averages) -> None:
    """Lets networks be seen at moving averages of their weights."""
    for name, network in networks.items():
        network.averages = {
            (layer, weight): average for (owner, layer, weight), average in averages.items() if owner == name
        }


def _averaged(averages: Averages) -> tuple[Any, ...]:
    """What tells averages from others, in one order."""
    return tuple((place, id(average)) for place, (average, _) in sorted(averages.items(), key=lambda one: one[0]))


def lead_axes(tensor: Any, event: int, *axes: str) -> Axes:
    """The axes that lead a tensor of examples of a rank: some, or cells before them."""
    return (CELL, *axes) if tensor.shape.rank - event > len(axes) else axes
