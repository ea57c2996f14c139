"""A compiled program: the replicates of one cell side by side, from one evaluation to the next without leaving the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import OptimizerPlan, ProbePlan, Program
from dlspec.spec.passes.digests import form_digest
from dlspec.spec.passes.memory import chunk
from dlspec.spec.passes.trained_weights import trained
from dlspec.spec.tables.dtypes import DTYPES
from dlspec.spec.tables.gradient_modes import mode_of

from ..backend.startup import device
from ..lower import Lowering, Training, Value
from ..lower.data_order import chosen
from ..lower.threefry import key
from ..networks.network import Network, input_of
from .batches import gather_batch, isolate_draws, make_batch_fn, materialize_dataset
from .divergence import Divergence, Watch
from .expectations import Evaluation
from .gradient_statistics import Statistic
from .whitening import whiten

FINE = -1


class Compiled:
    """A program for some replicates. `train` and `evaluate` are one compiled call each.

    Seeds, draws, weights and learning rates are inputs of what is compiled: `begin` starts another program of the same
    form (`spec.passes.digests.form_digest`), with as many replicates, in the graphs that are there. A `portable` one holds
    nothing that is of use on a CPU alone: it may be run elsewhere.
    """

    def __init__(self, program: Program, replicates: Sequence[int], xla: bool, portable: bool = False) -> None:
        self.program = program
        self.xla = xla
        self.on_cpu = device() == "cpu" and not portable
        self.kind = DTYPES[program.dtype]
        self.dtype = tf.as_dtype(self.kind.real)
        self.replicates = tuple(replicates)
        self.networks = {
            plan.name: Network(plan, len(self.replicates), self.kind, program.gradient) for plan in program.networks
        }
        changed = trained(program)
        for name, network in self.networks.items():
            network.trained = frozenset((layer, weight) for own, layer, weight in changed if own == name)
        self.bindings = _bindings(program)
        self.samples = _samples(program)
        self.optimizers = self._optimizers()
        self.starts = [_compact(variable.numpy()) for variable in self._kept()]
        self.evaluation = Evaluation(self)
        self.watch = Watch(self)
        self.begin(program, replicates)

    def begin(self, program: Program, replicates: Sequence[int]) -> None:
        """Starts some replicates of a program of the same form: its weights, its draws, step 0."""
        if len(replicates) != len(self.replicates):
            raise ValueError(f"compiled for {len(self.replicates)} replicates side by side, not {len(replicates)}")
        self.replicates = tuple(replicates)
        self.paths = [(program.seed, program.experiment, replicate) for replicate in self.replicates]
        self.keys = {stream: self._keys(stream, self.samples) for stream in ("draw", "train", "test", "redraw")}
        self.order = tf.constant([key(*path, "train", "order") for path in self.paths], tf.uint32)
        self.drawn = self._draw(program)
        self.step = 0
        for plan in program.networks:
            self.networks[plan.name].begin(plan, self.paths, self._of_draws)
        self._begin_optimizers(program)
        self.__dict__.pop("held", None)
        whiten(self)
        self.watch.begin()

    @cached_property
    def form(self) -> str:
        """The digest of its form: which programs it may begin."""
        return form_digest(self.program)

    # -- randomness ------------------------------------------------------------------------------------------------

    def _keys(self, stream: str, samples: Mapping[tuple[str, ...], int]) -> Any:
        """The keys of a stream: uint32 [samples, replicates, 2]."""
        rows = [[key(*path, stream, *place) for path in self.paths] for place in samples]
        return tf.constant(np.asarray(rows, np.uint32).reshape(len(rows), len(self.paths), 2))

    def lowering(self, keys: Any, index: Any, batch: int, drawn: dict[str, Any], **more: Any) -> Lowering:
        """A context for terms over a batch of examples."""
        return Lowering(
            self.dtype, {REPLICATE: len(self.replicates), EXAMPLE: batch}, self.bindings, self.program.gradient,
            keys=lambda sample: keys[self.samples[sample.path]], index=index, enumerated=self.program.data.path,
            on_cpu=self.on_cpu, network=self.apply,
            weight=lambda lowering, term: self.networks[term.network].weight(term, lowering),
            values={name: Value(tensor, (REPLICATE,)) for name, tensor in drawn.items()}, **more,
        )  # fmt: skip

    def apply(self, lowering: Lowering, name: str, given: Value | None) -> Value:
        """A network on its own input, once a context, or on another."""
        place = f"network {name}"
        if given is None and place in lowering.values:
            return lowering.values[place]
        network = self.networks[name]
        plan = network.plan
        if given is not None:
            return network(lowering, given, plan.input.type)
        lowering = lowering.outermost()
        own = lowering.values.get(input_of(name)) or lowering(plan.taken)
        value = network(lowering, own, plan.input.type) if plan.index is None else network.of_index(lowering, own)
        lowering.values[place] = value
        return value

    def _draw(self, program: Program) -> dict[str, Any]:
        """The replicates' draws, [R, …] each; computed outside any compiled program, so they are the same for all."""
        samples = _samples(program)
        keys = self._keys("draw", samples)
        lowering = Lowering(
            self.dtype, {REPLICATE: len(self.replicates), EXAMPLE: 1}, _bindings(program), {},
            keys=lambda sample: keys[samples[sample.path]], index=tf.zeros([1], tf.int64), lead=(REPLICATE,),
        )  # fmt: skip
        draws = {}
        for item in program.draws:
            value = lowering(item.term)
            draws[item.name] = lowering.whole(value, (REPLICATE,), len(item.type.shape))
            lowering.values[item.name] = Value(draws[item.name], (REPLICATE,))
        return draws

    def _of_draws(self, term: t.Term) -> np.ndarray[Any, Any]:
        """A term of constants and draws, [R, …]."""
        lowering = Lowering(self.dtype, {REPLICATE: len(self.replicates)}, {}, {}, lead=(REPLICATE,))
        lowering.values.update({name: Value(tensor, (REPLICATE,)) for name, tensor in self.drawn.items()})
        array: np.ndarray[Any, Any] = lowering.whole(lowering(term), (REPLICATE,), len(term.type.shape)).numpy()
        return array

    # -- training --------------------------------------------------------------------------------------------------

    def _optimizers(self) -> dict[str, tuple[Any, list[Any]]]:
        """By the network's name, or `""`: the optimiser, and the variables that it changes."""
        plan = self.program.training
        if plan is None:
            return {}
        optimizers: dict[str, tuple[Any, list[Any]]] = {}
        for name, optimizer in plan.optimizers.items():
            networks = [self.networks[name]] if name else list(self.networks.values())
            variables = [variable for network in networks for variable in network.trainable()]
            if variables:
                made = self._optimizer(optimizer)
                made.build(variables)
                optimizers[name] = made, variables
                if made.use_ema:
                    self._average(made, networks)
        return optimizers

    def _begin_optimizers(self, program: Program) -> None:
        """Sets what optimisers keep to how it was before the first update, and learning rates that are numbers."""
        plan = program.training
        if plan is None:
            return
        for variable, start in zip(self._kept(), self.starts, strict=True):
            variable.assign(np.broadcast_to(start, variable.shape))
        for name, (optimizer, _) in self.optimizers.items():
            rate = plan.optimizers[name].arguments.get("learning_rate")
            if isinstance(rate, int | float):
                optimizer.learning_rate = rate

    def _kept(self) -> list[Any]:
        """The optimisers' variables."""
        return [variable for optimizer, _ in self.optimizers.values() for variable in optimizer.variables]

    def _average(self, optimizer: Any, networks: Sequence[Network]) -> None:
        """Lets the networks be evaluated at the optimiser's moving averages of their weights."""
        averages = iter(optimizer._model_variables_moving_average)
        for network in networks:
            for place in network.changed():
                network.averages[place] = (next(averages), optimizer.iterations)

    def _optimizer(self, plan: OptimizerPlan) -> Any:
        arguments = dict(plan.arguments)
        rate = arguments.get("learning_rate")
        if isinstance(rate, t.Term):
            arguments["learning_rate"] = _Schedule(rate, self.dtype)
        return getattr(keras.optimizers, plan.keras)(**arguments)

    def state(self) -> list[Any]:
        """All variables that training changes."""
        weights = [variable for network in self.networks.values() for variable in network.weights.values()]
        return weights + self._kept()

    def saved(self) -> list[np.ndarray[Any, Any]]:
        """The values of all variables that training changes, in the order of `state`."""
        return [variable.value.numpy().copy() for variable in self.state()]

    def restore(self, step: int, values: Sequence[Any]) -> None:
        """Sets all variables to values that were saved after so many steps of the same program. Raises ValueError."""
        variables = self.state()
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != tuple(value.shape):
                raise ValueError(f"a saved variable has the shape {value.shape}, and {variable.name} {variable.shape}")
        for variable, value in zip(variables, values, strict=True):
            variable.value.assign(tf.cast(value, variable.value.dtype))
        self.step = step
        self.watch.begin()

    def losses(self, lowering: Lowering, batch: int) -> list[tuple[str, Any]]:
        """The weighted terms of the objective, [R, B] each."""
        losses = []
        for term in self.program.loss:
            value = lowering(term.term)
            tensor = lowering.whole(Value(lowering.cast(value.tensor, "real"), value.axes), (REPLICATE, EXAMPLE), 0)
            factor = lowering.cast(lowering(term.weight).tensor, "real")
            losses.append((term.name, tensor * factor))
        return losses

    @cached_property
    def _train(self) -> Any:
        plan = self.program.training
        assert plan is not None
        replicates, terms, batch = len(self.replicates), len(self.program.loss), plan.batch
        make = None if self.xla or self.held else make_batch_fn(self)
        # The mean over the batch is taken of messages at their source; where some are clipped they stay per example, and it is
        # taken of the gradients.
        modes = self.program.gradient
        averaged = 1 if any(mode_of(modes, target).per_example for target in modes) else batch

        @tf.function(jit_compile=self.xla, autograph=False)
        def train(given: dict[str, Any], start: Any, count: Any) -> Any:
            keys, drawn = given["keys"], given["drawn"]

            def ahead(step: Any) -> tuple[Any, ...]:
                # Of finite data the next step's numbers are made at the end of this one: within the step, XLA would draw
                # an example's number anew for each of its entries.
                return (self.taken(given["order"], step, batch),) if self.program.data.kind == "finite" else ()

            def body(step: Any, bad: Any, numbers: tuple[Any, ...]) -> Any:
                (index,) = numbers or (self.taken(given["order"], step, batch),)
                walked = tf.cast(step, tf.int64) * batch + tf.range(batch, dtype=tf.int64)
                training = Training(lambda network, layer: keys[self.samples[_noise(network, layer)]], walked)
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    variables = [variable for _, group in self.optimizers.values() for variable in group]
                    tape.watch([variable.value for variable in variables])
                    lowering = self.lowering(keys, index, batch, drawn, step=step, training=training)
                    lowering.values.update(gather_batch(given["held"], index))
                    if make is not None:
                        lowering.values.update(make(keys, drawn, index, step))
                    if self.xla and self.on_cpu and not given["held"]:
                        isolate_draws(self, lowering)
                    losses = self.losses(lowering, batch)
                    total = tf.add_n([tf.reduce_sum(tensor) for _, tensor in losses])
                gradients = tape.gradient(
                    total, [variable.value for variable in variables], unconnected_gradients="zero",
                    output_gradients=tf.constant(1 / averaged, total.dtype),
                )  # fmt: skip
                gradients = dict(zip([id(v) for v in variables], gradients, strict=True))
                finite = tf.stack([tf.reduce_all(tf.math.is_finite(tensor), axis=1) for _, tensor in losses], axis=1)
                bad = tf.where((bad == FINE) & ~finite, step, bad)
                self._update(
                    [[gradients[id(v)] for v in group] for _, group in self.optimizers.values()], batch // averaged
                )
                for (network, layer, name), value in training.moving.items():
                    self.networks[network].weights[layer, name].assign(value)
                return step + 1, bad, ahead(step + 1)

            bad = tf.fill([replicates, terms], FINE)
            return tf.while_loop(lambda step, *_: step < start + count, body, [start, bad, ahead(start)])[1]

        return train

    @cached_property
    def _update(self) -> Any:
        """One update of every optimiser, given gradients and what they are to be divided by; compiled by XLA in either form."""

        @tf.function(jit_compile=True, autograph=False)
        def update(gradients: list[list[Any]], divisor: int) -> None:
            for (optimizer, group), own in zip(self.optimizers.values(), gradients, strict=True):
                optimizer.apply([gradient / divisor if divisor > 1 else gradient for gradient in own], group)

        return update.python_function if self.xla else update

    def taken(self, order: Any, step: Any, batch: int) -> Any:
        """The numbers of the examples of a step: int64 [B], or [R, B] where each replicate has an order of its own."""
        data = self.program.data
        place = tf.range(batch, dtype=tf.int64)
        if data.kind == "enumerated":
            return place
        place = tf.cast(step, tf.int64) * batch + place
        return chosen(order, place, data.train, data.order) if data.kind == "finite" else place

    def operations(self) -> dict[str, int]:
        """How many operations of each kind the training program has."""
        if self.program.training is None:
            return {}
        concrete = self._train.get_concrete_function(self.given, tf.constant(0), tf.constant(1))
        counts: dict[str, int] = {}
        graphs = [concrete.graph, *(f.graph for f in concrete.graph._functions.values() if hasattr(f, "graph"))]
        for graph in graphs:
            for operation in graph.get_operations():
                counts[operation.type] = counts.get(operation.type, 0) + 1
        return counts

    @property
    def given(self) -> dict[str, Any]:
        """What a training program is given beside its variables: keys, orders, draws, finite data."""
        return {"keys": self.keys["train"], "order": self.order, "drawn": self.drawn, "held": self.held}

    @cached_property
    def held(self) -> dict[str, Any]:
        """What a step looks up of finite training data, instead of making it anew."""
        return materialize_dataset(self)

    def train(self, count: int) -> list[Divergence | None]:
        """Makes so many updates; says which replicates ceased to be finite, when and in what."""
        return self.watch.watched(count, self._advance)

    def _advance(self, count: int) -> list[Divergence | None]:
        """Makes so many updates; says which terms of the loss were not finite first, and at which step."""
        bad = self._train(self.given, tf.constant(self.step), tf.constant(count)).numpy()
        self.step += count
        divergences: list[Divergence | None] = []
        for row in bad:
            steps = [(int(step), place) for place, step in enumerate(row) if step != FINE]
            term = f"the loss term '{self.program.loss[min(steps)[1]].name}'" if steps else ""
            divergences.append(Divergence(min(steps)[0], term) if steps else None)
        return divergences

    # -- evaluation ------------------------------------------------------------------------------------------------

    def evaluate(self) -> dict[str, np.ndarray[Any, Any]]:
        """Every measure at the present weights: [R, …] in float64."""
        values = self.evaluation.measured(self.step)
        by_statistic = {id(statistic): run(self.step) for statistic, run in self.statistics}
        for measure in self.program.measures:
            term = measure.term
            if isinstance(term, t.GradientStatistic):
                values[measure.name] = by_statistic[id(term)][0]
            elif isinstance(term, t.SamplingFloor):
                values[measure.name] = by_statistic[id(term.of)][1]
        return values

    @cached_property
    def statistics(self) -> list[tuple[t.GradientStatistic, Statistic]]:
        """The gradient statistics among the measures, each compiled by itself."""
        terms = [measure.term for measure in self.program.measures]
        return [(term, Statistic(self, term)) for term in terms if isinstance(term, t.GradientStatistic)]

    def chunk(self, wanted: int, *more: int) -> int:
        """How many of some examples are taken at once; `more` are the bytes of what else one of them needs."""
        return chunk(self.program, wanted, len(self.replicates), *more)

    def probe(self, plan: ProbePlan) -> dict[str, np.ndarray[Any, Any]]:
        """The values that a figure shows of single test examples: [R, N, …] each."""
        found = self._probes[plan.figure](self.keys["test"], self.drawn, tf.constant(self.step))
        return {label: tensor.numpy() for label, tensor in found.items()}

    @cached_property
    def _probes(self) -> dict[str, Any]:
        return {plan.figure: self._probe(plan) for plan in self.program.probes}

    def _probe(self, plan: ProbePlan) -> Any:
        @tf.function(jit_compile=self.xla, autograph=False)
        def values(keys: Any, drawn: dict[str, Any], step: Any) -> dict[str, Any]:
            index = tf.range(plan.examples, dtype=tf.int64)
            lowering = self.lowering(keys, index, plan.examples, drawn, step=step)
            return {
                label: lowering.whole(lowering(term), (REPLICATE, EXAMPLE), len(term.type.shape))
                for label, term in plan.terms.items()
            }

        return values


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


def _bindings(program: Program) -> dict[str, t.Term]:
    return {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}


def _samples(program: Program) -> dict[tuple[str, ...], int]:
    """All that is drawn anywhere, by its place in the seed tree, numbered."""
    numbers: dict[tuple[str, ...], int] = {}
    for term in _bindings(program).values():
        for item in t.walk(term):
            if isinstance(item, t.Sample):
                numbers.setdefault(item.path, len(numbers))
    for plan in program.networks:
        for layer in plan.leaves():
            if layer.draws:
                numbers.setdefault(_noise(plan.name, layer.key), len(numbers))
    return numbers


def _compact(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An array, or its one value where all entries are the same."""
    return value.flat[:1].reshape([]) if value.size and (value == value.flat[0]).all() else value


def _noise(network: str, layer: str) -> tuple[str, ...]:
    """The place of a layer's noise in the seed tree."""
    return ("layer", network, layer)
