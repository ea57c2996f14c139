"""A compiled program: the replicates of one cell or several side by side, from one evaluation to the next without leaving the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir.cell_batch import CellBatch
from dlspec.spec.ir.plan import Phase, ProbePlan, Program, Restart
from dlspec.spec.passes.gradient_paths import Place
from dlspec.spec.passes.held_columns import held_whole, windows
from dlspec.spec.passes.optimizers_by_phase import optimizers_by_phase
from dlspec.spec.passes.shared_borders import ended_before
from dlspec.spec.passes.signature_digests import signature_digest

from ..backend.startup import device
from ..networks.initial_weights import Values
from .borders import Borders, Estimates
from .context import Averages, ProgramContext
from .data_statistics import DataStatistics
from .divergence import Divergence, Watch
from .estimates import begin_estimates, error_of
from .expectations import Arrays
from .holding import Holding
from .kept_weights import begin_kept, keep
from .measuring import Measuring
from .optimizers import Optimizers
from .seeds import Seeds
from .shared_functions import Functions, Traces
from .state import State
from .train_step import NEVER, TrainInputs, TrainStep
from .whitening import whiten


class Compiled:
    """A program for some replicates, of one cell or of each cell of a batch. `train` and `evaluate` are one compiled call each.

    Seeds, draws, swept constants, weights and learning rates are inputs of what is compiled: `begin` starts other cells of the same
    signature (`spec.passes.signature_digests.signature_digest`), as many with as many replicates, in the graphs that are there. A `portable`
    one holds nothing that is of use on a CPU alone: it may be run elsewhere. A row is a replicate of a cell, cell after cell.

    It may be `wide`r than it has replicates: what others compiled serves it, and the rows beyond its own are seen nowhere outside.

    It puts together: the `context` that terms are lowered in, `seeds`, the `state` that training changes, and the
    `train_steps`, one a phase of training.
    """

    def __init__(
        self, cells: Program | CellBatch, replicates: Sequence[int], xla: bool, portable: bool = False,
        wide: int = 0, traces: Traces | None = None,
    ) -> None:  # fmt: skip
        """`wide` is for how many replicates a cell it is compiled, `traces` what programs of its signature compiled already."""
        self.batch = cells if isinstance(cells, CellBatch) else CellBatch.of_one(cells)
        self.program = self.batch.program
        self.xla = xla
        self.replicates = tuple(replicates)
        self.wide = max(wide, len(self.replicates))
        self.beside = traces is not None and traces.shared
        """Whether others of its signature are there."""
        functions = Functions(traces)
        self.context = ProgramContext(self.batch, self.wide, xla, device() == "cpu" and not portable, functions)
        self.networks = self.context.networks
        self.held = portable or held_whole(self.program)
        """Whether rows of files are held whole, if it has any."""
        self.windows = () if self.held else windows(self.program, self.wide)
        self.train_steps = tuple(_train_steps(self.context, self.windows))
        self.borders = Borders(self.program.training, self.train_steps)
        optimizers = {id(own): own for train_step in self.train_steps for own in train_step.optimizers}
        self.state = State(
            self.networks,
            list(optimizers.values()),
            self.context.kept_weights,
            self.context.estimates,
            self.context.rows,
        )
        self.holding = Holding(self.state)
        self.measuring = Measuring(self.context)
        self.estimates = Estimates(self.context)
        self.statistics_of_data = DataStatistics(self.context)
        self.watch = Watch(self.state, self.context.rows, functions)
        functions.variables = self.state.held()
        self.begin(self.batch, replicates)

    def begin(self, cells: Program | CellBatch, replicates: Sequence[int]) -> None:
        """Starts some replicates of cells of the same signature: their weights, their draws, step 0."""
        self.batch = cells if isinstance(cells, CellBatch) else CellBatch.of_one(cells)
        programs = self.batch.programs
        if len(programs) != self.context.cells:
            raise ValueError(f"compiled for {self.context.cells} cells side by side, not {len(programs)}")
        if not 0 < len(replicates) <= self.wide:
            raise ValueError(f"compiled for {self.wide} replicates side by side, not {len(replicates)}")
        self.replicates = tuple(replicates)
        made = [*replicates, *[replicates[-1]] * (self.wide - len(replicates))]
        self.seeds = Seeds(self.batch, made, self.context.samples, self.context.dtype, not self.held)
        self.statistics_of_data.take(self.seeds)
        self.__dict__.pop("train_inputs", None)
        values = self._values(0)
        for plans in zip(*(program.networks for program in programs), strict=True):
            self.networks[plans[0].name].begin(plans, self.seeds.cells[0].paths, values)
        for train_step, phases in zip(self.train_steps, zip(*map(_phases, programs), strict=True), strict=True):
            for own, updates in zip(
                train_step.optimizers, zip(*(phase.rounds for phase in phases), strict=True), strict=True
            ):
                own.begin([update.optimizers for update in updates], self.seeds.draws)
        whiten(self.context.flat, self.seeds.flat.keys["train"], self.seeds.flat.draws)
        begin_kept(self.context.kept_weights, self.networks)
        begin_estimates(self.context.estimates)
        self.state.step = 0
        self.holding.begin()
        self.watch.begin()

    @cached_property
    def signature(self) -> str:
        """The digest of its signature: which programs it may begin."""
        return signature_digest(self.program)

    @property
    def rows(self) -> list[int]:
        """The places of its own rows, cell after cell, among all that are computed."""
        return [cell * self.wide + place for cell in range(self.context.cells) for place in range(len(self.replicates))]

    @property
    def step(self) -> int:
        """How many updates were made."""
        return self.state.step

    # -- training --------------------------------------------------------------------------------------------------

    def compile_training(self) -> None:
        """Compiles the present phase's loop, by making no steps: where another of its signature begins with its evaluation, both are compiled at once."""
        if self.program.training is not None and self.seeds.files is None:
            self.train_step.loop(self.train_inputs, tf.constant(self.step), tf.constant(0))

    def train(self, count: int) -> list[Divergence | None]:
        """Makes so many updates; says which rows ceased to be finite, when and in what."""
        faults = self.watch.watched(count, self._advance)
        return [faults[row] for row in self.rows]

    def _advance(self, count: int) -> list[Divergence | None]:
        """Makes so many updates; says which terms of the loss were not finite first, and at which step."""
        divergences: list[Divergence | None] = [None] * self.context.rows
        for number, train_step, steps in self._by_pass(count):
            self.borders.cross(self.step, self._begin_anew, self._keep)
            for own in train_step.optimizers if self.context.crosses_borders else ():
                own.count_from(self.step)
            held = self.holding.of_pass(number)
            with self.holding.held(number):
                for inputs, stretch in self._by_window(train_step, steps):
                    bad = train_step.loop(inputs, tf.constant(self.step), tf.constant(stretch)).numpy()
                    self.state.step += stretch
                    found = [
                        None if row in held else _first_divergence(ends, train_step.phase)
                        for row, ends in enumerate(bad)
                    ]
                    divergences = [before or now for before, now in zip(divergences, found, strict=True)]
        return divergences

    def hold(self, number: int, replicates: Sequence[int]) -> None:
        """Lets some of its rows, by their places among its own, keep their weights from the present step to the end of a pass."""
        self.holding.hold(number, [self.rows[place] for place in replicates])

    def holds(self, number: int) -> list[int]:
        """Which of its own rows keep their weights in a pass, by their places."""
        held = self.holding.of_pass(number)
        return [place for place, row in enumerate(self.rows) if row in held]

    def _by_window(self, train_step: TrainStep, count: int) -> Iterator[tuple[TrainInputs, int]]:
        """What so many steps from the present one read: all of them the same, or a window's rows after the other."""
        if self.seeds.files is None:
            yield self.train_inputs, count
            return
        end = self.step + count
        while self.step < end:
            number = (self.step - train_step.first_step) // train_step.window
            behind = train_step.first_step + (number + 1) * train_step.window
            yield self._with_rows(train_step, number), min(end, behind) - self.step

    def _with_rows(self, train_step: TrainStep, number: int) -> TrainInputs:
        """What training reads in one of the windows of a phase."""
        assert self.seeds.files is not None
        rows = self.seeds.files.window(train_step, number, self.seeds.order)
        return self.train_inputs._replace(draws={**self.seeds.draws, **rows})

    def _by_pass(self, count: int) -> Iterator[tuple[int, TrainStep, int]]:
        """The number of the pass, its step, and how many of these: so many steps from the present one, pass by pass; those beyond the plan's are of the last."""
        start, end = self.step, self.step + count
        plan = self.program.training
        starts = plan.starts if plan is not None else (0,)
        for number, (first, last) in enumerate(zip(starts, (*starts[1:], max(end, starts[-1] + 1)), strict=True)):
            if max(first, start) < min(last, end):
                yield number, self.train_steps[self.borders.owners[number]], min(last, end) - max(first, start)

    def _begin_anew(self, target: Restart, number: int) -> list[Any]:
        """Begins the weights of a network or a layer anew in a pass of training, by draws of that pass, or by those of step 0; gives these weights."""
        plans = [
            next(plan for plan in program.networks if plan.name == target.network) for program in self.batch.programs
        ]
        paths: list[Any] = list(self.seeds.cells[0].paths)
        if not target.initial:
            paths = [(*path, "pass", number) for path in paths]
        values = self._values(0 if target.initial else self.step)
        return self.networks[target.network].begin(plans, paths, values, target.layer)

    def _values(self, step: int) -> list[Values]:
        """What gives the values of constants and draws in each cell, and of counters in the examples of a step."""
        return [partial(cell.value, step=step, clock=self.context.clock) for cell in self.seeds.cells]

    def _keep(self, phase: str, number: int) -> None:
        """Keeps the weights at the end of a pass of a phase, for what recalls them, and takes its estimates."""
        keep(self.context.kept_weights, self.networks, phase, number)
        self.estimates.take(phase, self.seeds, self.step)

    @property
    def train_step(self) -> TrainStep:
        """The step of the present phase."""
        return next(train_step for _, train_step, _ in self._by_pass(1))

    @cached_property
    def train_inputs(self) -> TrainInputs:
        """What the present replicates' training reads beside its variables."""
        keys, draws = self.seeds.keys["train"], self.seeds.draws
        dataset = self.train_step.reader.dataset(self.context, keys, draws)
        return TrainInputs(draws, dataset, keys, self.seeds.order)

    def operations(self) -> dict[str, int]:
        """How many operations of each kind the training program has."""
        if self.program.training is None:
            return {}
        inputs = next(self._by_window(self.train_step, 1))[0]
        concrete = self.train_step.loop.function.get_concrete_function(inputs, tf.constant(0), tf.constant(1))
        counts: dict[str, int] = {}
        graphs = [concrete.graph, *(f.graph for f in concrete.graph._functions.values() if hasattr(f, "graph"))]
        for graph in graphs:
            for operation in graph.get_operations():
                counts[operation.type] = counts.get(operation.type, 0) + 1
        return counts

    # -- state -----------------------------------------------------------------------------------------------------

    def saved(self) -> list[list[np.ndarray[Any, Any]]]:
        """Of each cell the values of all variables that training changes, in the order of `State.variables`: as of that cell alone."""
        count = len(self.replicates)
        cells = self.state.of_cells(self.state.saved(), self.context.cells)
        return [[value[:count] if value.ndim else value for value in cell] for cell in cells]

    def up_to_border(self, number: int) -> list[list[np.ndarray[Any, Any]]]:
        """Of each cell the values of what it has in common with cells that are equal in the first so many passes, which have been made."""
        places = self._common(number)
        return [[cell[place] for place in places] for cell in self.saved()]

    def restore_border(self, step: int, number: int, cells: Sequence[Sequence[Any]]) -> None:
        """Begins behind a border, from such values of cells that are equal so far. Raises ValueError."""
        places, begun = self._common(number), self.saved()
        for cell, values in zip(begun, cells, strict=True):
            for place, value in zip(places, values, strict=True):
                cell[place] = value
        self.restore(step, begun)

    def _common(self, number: int) -> list[int]:
        assert self.program.training is not None
        ended = ended_before(self.program.training, number)
        estimates = [plan.name for plan in self.program.estimates if (plan.phase, None) in ended]
        made = {id(own) for place in self.borders.owners[:number] for own in self.train_steps[place].optimizers}
        return self.state.up_to(ended, [*estimates, *map(error_of, estimates)], len(made))

    def restore(self, step: int, cells: Sequence[Sequence[Any]]) -> None:
        """Sets all variables to values that were saved after so many steps of the same cells. Raises ValueError."""
        more = self.wide - len(self.replicates)
        wide = [[np.concatenate([x, *[x[-1:]] * more]) if np.ndim(x) else x for x in cell] for cell in cells]
        self.state.restore(step, self.state.of_rows(wide, self.wide))
        self.watch.begin()

    # -- evaluation ------------------------------------------------------------------------------------------------

    def evaluate(self) -> Arrays:
        """Every measure at the present weights: [rows, …] in float64."""
        return self.evaluate_with_errors()[0]

    def evaluate_with_errors(self) -> tuple[Arrays, Arrays]:
        """Every measure at the present weights, and the sampling errors of those that have one: [rows, …] in float64."""
        values, errors = self.measuring.at(self.step).measured(self.seeds, self.step)
        return self._own(values), self._own(errors)

    def biases(self, values: Arrays) -> Arrays:
        """By how much chance may have added to the `values` of measures that have a sampling bias: [rows, …] in float64, negative where it took away."""
        means = self._own(self.measuring.at(self.step).quarters.means(self.seeds, self.step))
        with np.errstate(invalid="ignore"):  # infinite less infinite is undefined
            return {name: mean - values[name] for name, mean in means.items()}

    def _own(self, arrays: Arrays) -> Arrays:
        """Of arrays of all rows its own: [rows, …]."""
        return (
            {name: array[self.rows] for name, array in arrays.items()}
            if self.wide > len(self.replicates)
            else dict(arrays)
        )

    def probe(self, plan: ProbePlan) -> dict[str, np.ndarray[Any, Any]]:
        """The values that a figure shows of single test examples: [rows, N, …] each."""
        flat = self.seeds.flat
        values = self.measuring.at(self.step).shown(plan)(flat.keys["test"], flat.draws, tf.constant(self.step))
        return self._own({label: tensor.numpy() for label, tensor in values.items()})


def _phases(program: Program) -> tuple[Phase, ...]:
    return program.training.phases if program.training is not None else ()


def _train_steps(context: ProgramContext, windows: Sequence[int]) -> Iterator[TrainStep]:
    """The steps of a program's phases, each from where the one before ends; rows of files come in windows of so many steps, if they do.

    Phases share the optimisers that go on (`spec.passes.optimizers_by_phase`).
    """
    step = example = 0
    known: dict[int, Optimizers] = {}
    shown: dict[Place, tuple[Any, Any]] = {}
    plans = optimizers_by_phase(context.program)
    for place, (phase, updates) in enumerate(zip(_phases(context.program), plans, strict=True)):
        for own in updates:
            if own.number not in known:
                known[own.number] = Optimizers(own.update.optimizers, context, own.changed, own.update.times)
        optimizers = [known[own.number] for own in updates]
        shown = _averages_behind(shown, optimizers)
        context.show_averages(phase, shown)
        yield TrainStep(context.during(phase), phase, optimizers, step, example, windows[place] if windows else 0)
        step, example = step + phase.steps * phase.times, example + phase.steps * phase.times * phase.batch


def _averages_behind(before: Averages, optimizers: Sequence[Optimizers]) -> dict[Place, tuple[Any, Any]]:
    """The averages that weights are seen at in a phase with some optimisers, those of the one before being given.

    A weight that the phase changes is seen at the average that it keeps, or as it is; another one as it was before.
    """
    kept = [one for own in optimizers for one in own.averages_by_place.items()]
    others = {place: average for place, average in before.items() if place not in dict(kept)}
    return others | {place: average for place, average in kept if average is not None}


def _first_divergence(bad: Sequence[int], phase: Phase) -> Divergence | None:
    """Of the steps at which the terms of a phase's loss ceased to be finite, the first."""
    steps = [(int(step), place) for place, step in enumerate(bad) if step != NEVER]
    if not steps:
        return None
    step, place = min(steps)
    within = f" of the phase '{phase.name}'" if phase.name else ""
    return Divergence(step, f"the loss term '{phase.loss[place].name}'{within}")
