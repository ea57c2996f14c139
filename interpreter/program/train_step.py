"""One training step of all replicates in one phase, and the loop of many of them that is compiled as one function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from dlspec.spec.ir.plan import Phase, Update
from dlspec.spec.passes.held_columns import batches_a_step
from dlspec.spec.passes.shared_noise import Inputs, shares_noise
from dlspec.spec.tables.gradient_modes import mode_of

from ..lower import Lowering, Training
from ..lower.threefry import folded
from ..networks.weight_values import kept_by
from .batches import gather_batch, isolate_draws, make_batch_fn
from .context import ProgramContext
from .data_readers import reader_of
from .file_rows import ROWS_PLACE
from .optimizers import Optimizers
from .stored_weights import Stored

NEVER = -1
"""The step at which a loss term ceased to be finite, where it did not."""


class TrainInputs(NamedTuple):
    """What training reads beside its variables.

    `draws` are the replicates' draws by name, [R, …] or [cells, R, …], with swept constants; `dataset` the values of finite data by
    name, [R, N, …] or [cells, R, N, …], or nothing;
    `keys` those of the training stream, uint32 [samples, R, 2]; `order` those of the order of finite data, uint32 [R, 2].
    """

    draws: dict[str, Any]
    dataset: dict[str, Any]
    keys: Any
    order: Any


class UpdateStep:
    """One of the updates of a step: called with a batch, it changes the weights of its networks."""

    def __init__(self, context: ProgramContext, plan: Update, optimizers: Optimizers, batch: int) -> None:
        self.context = context
        self.plan = plan
        self.optimizers = optimizers
        self.batch = batch
        self.stored = Stored(context, optimizers)
        self.meaning = Inputs(context.program).term if shares_noise(context.program) else None
        modes = context.program.gradient
        self.mean_of_gradients = any(mode_of(modes, target).per_example for target in modes)
        """Whether the mean over the batch is taken of the weights' gradients, and not of the loss at its source: where
        a mode is not linear (clipping), it must see the upstream gradients of single examples."""

    def __call__(self, inputs: TrainInputs, step: Any, batch_indices: Any, places: Any) -> Any:
        """Makes one update of all that it changes.

        `step` is the number of the step, an int32 scalar; `batch_indices` are the numbers of the examples, int64 [B] or [R, B],
        `places` their places among those that training takes, int64 [B].
        Returns which terms of its loss were finite for all examples, before the update: bool [rows, terms].
        """
        training = Training(self.context.noise(inputs.keys), places, self.meaning)
        variables = self.optimizers.trained()
        wanted = self._trained_by(variables)
        with tf.GradientTape(watch_accessed_variables=False, persistent=len(wanted) > 1) as tape:
            tape.watch([variable.value for variable in variables])
            lowering = self.lowering(inputs, step, batch_indices, places, training)
            losses = self.context.losses(lowering, self.plan.loss)
            totals = [tf.add_n([tf.reduce_sum(losses[place]) for place in terms]) for terms, _ in wanted]
        averaged = 1 if self.mean_of_gradients else self.batch
        by_variable: dict[int, Any] = {}
        for total, (_, own) in zip(totals, wanted, strict=True):
            gradients = tape.gradient(
                total, [variable.value for variable in own], unconnected_gradients="zero",
                output_gradients=tf.constant(self.stored.scale / averaged, total.dtype),
            )  # fmt: skip
            for variable, gradient in zip(own, gradients, strict=True):
                before = by_variable.get(id(variable))
                by_variable[id(variable)] = gradient if before is None else before + gradient
        finite = tf.stack([tf.reduce_all(tf.math.is_finite(tensor), axis=1) for tensor in losses], axis=1)
        grouped = [[by_variable[id(variable)] for variable in group] for _, group in self.optimizers.groups.values()]
        moving = [
            (self.context.networks[network].weights[layer, name], value)
            for (network, layer, name), value in training.moving.items()
        ]
        with self.stored.kept(grouped, self.batch // averaged, [variable for variable, _ in moving]) as (
            gradients,
            times,
        ):
            self.optimizers.update(gradients, times)
            self._keep_constraints(inputs, step)
            for variable, value in moving:
                variable.assign(tf.reshape(value, variable.shape))
        return finite

    def _keep_constraints(self, inputs: TrainInputs, step: Any) -> None:
        """Keeps the weights that were changed to their constraints by functions."""
        changed = {id(variable) for variable in self.optimizers.trained()}
        lowering = self.context.without_examples(inputs.draws, step)
        for network in self.context.networks.values():
            for place, function in network.kept_by.items():
                if id(variable := network.weights[place]) in changed:
                    weight, copies = tf.convert_to_tensor(variable.value), network.plan.copies
                    variable.assign(kept_by(function, weight, lowering, copies))

    def _trained_by(self, variables: list[Any]) -> list[tuple[list[int], list[Any]]]:
        """The terms of the loss, by their places, whose gradients go to the same weights, with these: all together where none says whose."""
        found: dict[tuple[str, ...], list[int]] = {}
        for place, term in enumerate(self.plan.loss):
            found.setdefault(term.trains, []).append(place)
        networks = self.context.networks
        of = {id(v): name for name, network in networks.items() for v in network.weights.values()}
        return [(terms, [v for v in variables if not trains or of[id(v)] in trains]) for trains, terms in found.items()]

    def lowering(self, inputs: TrainInputs, step: Any, batch_indices: Any, places: Any, training: Training) -> Lowering:
        """The context of the loss, with what it needs of the examples where that is looked up or made by itself."""
        context, rows, other = self.context, None, places
        if context.program.data.tabled:  # what is drawn beside a row is new at each visit, unless it is said otherwise
            batch_indices, rows, other = places, batch_indices, batch_indices
        lowering = context.lowering(
            inputs.keys, batch_indices, self.batch, inputs.draws, step=step, update=step, training=training, places=rows,
            other=other,
        )  # fmt: skip
        if inputs.dataset:
            lowering.values.update(gather_batch(context, inputs.dataset, batch_indices))
        elif not context.xla:
            lowering.values.update(self._make_batch(inputs.keys, inputs.draws, batch_indices, step, rows, other))
        elif context.on_cpu:
            isolate_draws(context, self.plan.loss, lowering)
        return lowering

    @cached_property
    def _make_batch(self) -> Any:
        return make_batch_fn(self.context, self.plan.loss)


class TrainStep:
    """One step of a phase: called with the inputs, its number and the numbers of its examples, it changes the variables."""

    def __init__(
        self,
        context: ProgramContext,
        phase: Phase,
        optimizers: Sequence[Optimizers],
        first_step: int = 0,
        first_example: int = 0,
        window: int = 0,
    ) -> None:
        """`optimizers` are those of its updates; `first_step` is the number of the phase's first step, `first_example` the place of its
        first example in the stream. The rows of `window` steps are read at a time (`file_windows`), where not all are held."""
        self.context = context
        self.phase = phase
        self.batch = phase.batch
        self.reader = reader_of(context.program.data)
        self.updates = [
            UpdateStep(context, plan, own, phase.batch) for plan, own in zip(phase.rounds, optimizers, strict=True)
        ]
        self.name = f"training from step {first_step} and example {first_example}"
        self.window = window
        self.first_step, self.last_step = first_step, first_step + phase.steps * phase.times
        self._shift = first_example - first_step * phase.batch

    @property
    def optimizers(self) -> list[Optimizers]:
        """The optimisers of its updates."""
        return [update.optimizers for update in self.updates]

    def batch_indices(self, order: Any, step: Any) -> Any:
        """The numbers of the examples of a step: int64 [B], or [R, B] where each replicate has an order of its own."""
        if self.window:
            return self._in_window(step, 0)
        return self.reader.batch_indices(order, self._places(step))

    def _places(self, step: Any) -> Any:
        """The places of a step's examples among all that training takes, one after the other: int64 [B]."""
        return tf.cast(step, tf.int64) * self.batch + tf.range(self._shift, self._shift + self.batch, dtype=tf.int64)

    def _in_window(self, step: Any, batch: Any) -> Any:
        """The places in its window of one of the batches that a step reads, its own (0) or that of a further update: int64 [B]."""
        first = (step - self.first_step) % self.window * batches_a_step(self.phase.rounds) + batch
        return tf.cast(first * self.batch, tf.int64) + tf.range(self.batch, dtype=tf.int64)

    def places(self, order: Any, first: int, count: int) -> Iterator[tuple[Any, Any]]:
        """Of so many steps from one on the places that their batches read, in the order of the window: int64 [count · B] with the
        keys of the order, uint32 [R, 2]; those of each update's further times by themselves."""
        start = first * self.batch + self._shift
        yield order, np.arange(start, start + count * self.batch, dtype=np.int64)
        for number, update in enumerate(self.updates):
            if more := (update.plan.times - 1) * self.batch:
                yield _of_stream(order, number), np.arange(first * more, (first + count) * more, dtype=np.int64)

    def __call__(self, inputs: TrainInputs, step: Any, batch_indices: Any) -> Any:
        """Makes the updates of one step, each after those before it: the first time on the step's batch, then on examples of its own stream.

        `step` is its number, an int32 scalar; `batch_indices` are the numbers of its examples, int64 [B] or [R, B].
        Returns which terms of the phase's loss were finite for all examples, before each update: bool [rows, terms].
        """
        finite: dict[int, Any] = {}
        for number, update in enumerate(self.updates):
            found = update(inputs, step, batch_indices, self._places(step))
            if update.plan.times > 1:
                found = self._again(update, number, inputs, step, found)
            for place, term in enumerate(update.plan.loss):
                column = found[:, place]
                finite[id(term)] = finite[id(term)] & column if id(term) in finite else column
        return tf.stack([finite[id(term)] for term in self.phase.loss], axis=1)

    def _again(self, update: UpdateStep, number: int, inputs: TrainInputs, step: Any, finite: Any) -> Any:
        """The further times of an update, on a stream of examples of its own."""
        own = inputs._replace(
            keys=self._of_stream(inputs.keys, number), order=_of_stream(inputs.order, number), dataset=inputs.dataset
        )
        more = update.plan.times - 1
        before = batches_a_step(self.phase.rounds[:number])

        def body(turn: Any, so_far: Any) -> Any:
            first = tf.cast(step, tf.int64) * more + tf.cast(turn, tf.int64)
            places = first * self.batch + tf.range(self.batch, dtype=tf.int64)
            numbers = (
                self._in_window(step, before + turn) if self.window else self.reader.batch_indices(own.order, places)
            )
            return turn + 1, so_far & update(own, step, numbers, places)

        return tf.while_loop(lambda turn, _: turn < more, body, [tf.constant(0), finite])[1]

    def _of_stream(self, keys: Any, number: int) -> Any:
        """The keys of the samples in a stream of an update's own, uint32 [samples, R, 2]. Its rows begin where those of training do."""
        if ROWS_PLACE not in self.context.samples:
            return _of_stream(keys, number)
        return tf.concat([_of_stream(keys[:-1], number), keys[-1:]], axis=0)

    @cached_property
    def loop(self) -> Any:
        """The compiled function that makes many steps (`compile_loop`)."""
        return compile_loop(self)


def _of_stream(keys: Any, number: int) -> Any:
    """Keys [..., 2] of the stream of an update's own examples, from those of training."""
    return tf.reshape(folded(tf.reshape(keys, [-1, 2]), 2**31 + number), keys.shape)


def compile_loop(train_step: TrainStep) -> Any:
    """The function that makes many steps of a phase, compiled.

    Its arguments are the inputs, the first step's number and how many steps to make, int32 scalars; it returns the step
    at which each term of each row's loss was first not finite, or `NEVER`: int32 [rows, terms].
    """
    context = train_step.context
    rows, terms = context.rows, len(train_step.phase.loss)

    @context.functions.shared(train_step.name, context.xla)
    def train(train_inputs: TrainInputs, start: Any, count: Any) -> Any:
        def ahead(step: Any) -> tuple[Any, ...]:
            return (train_step.batch_indices(train_inputs.order, step),) if train_step.reader.ahead else ()

        def body(step: Any, bad: Any, indices: tuple[Any, ...]) -> Any:
            (batch_indices,) = indices or (train_step.batch_indices(train_inputs.order, step),)
            finite = train_step(train_inputs, step, batch_indices)
            return step + 1, tf.where((bad == NEVER) & ~finite, step, bad), ahead(step + 1)

        bad = tf.fill([rows, terms], NEVER)
        return tf.while_loop(lambda step, *_: step < start + count, body, [start, bad, ahead(start)])[1]

    return train
