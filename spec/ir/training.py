"""How a program is trained: phases one after the other, each with its loss, its updates and its optimisers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from . import terms as t


@dataclass(frozen=True, eq=False)
class LossPlan:
    """A term of the objective with its weight (a literal, or a term in the step)."""

    name: str
    term: t.Term
    weight: t.Term
    trains: tuple[str, ...] = ()
    """The networks whose weights its gradient goes to; all where none are named."""


@dataclass(frozen=True)
class StoredWeights:
    """How weights are kept between updates: in a type, what optimisers keep in another, and what losses are multiplied by."""

    type: str
    state: str
    loss_scale: float | None = None


@dataclass(frozen=True, eq=False)
class OptimizerPlan:
    """A Keras optimiser; an argument is a value, or a term in the step."""

    name: str
    keras: str
    arguments: Mapping[str, Any]
    elementwise: bool


@dataclass(frozen=True, eq=False)
class Mode:
    """A gradient mode on a target, by the name of its row; `value` is its number, a term of the counters where that changes in training."""

    name: str
    value: float | t.Term | None = None


@dataclass(frozen=True, eq=False)
class Update:
    """One of the updates that a step consists of: some networks take a step down some terms of the loss, `times` times.

    `networks` are all where none are named. `optimizers` as those of a phase.
    """

    name: str
    networks: tuple[str, ...]
    loss: tuple[LossPlan, ...]
    optimizers: Mapping[str, OptimizerPlan]
    times: int = 1


@dataclass(frozen=True)
class Restart:
    """What begins anew with each pass of a phase: what optimisers keep, or the weights of a network or of one of its layers."""

    network: str = ""
    """The network; "" for the optimisers."""
    layer: str | None = None
    initial: bool = False
    """Whether weights are those of step 0; else they are drawn anew."""

    def __str__(self) -> str:
        name = f"{self.network}.{self.layer}" if self.layer else self.network or "optimizer"
        return f"{name} (of step 0)" if self.initial else name


@dataclass(frozen=True, eq=False)
class Phase:
    """A stretch of training with one objective: the terms of the loss that `steps` updates of `batch` examples each minimise.

    `optimizers` maps a network to its optimiser, `""` to that of the rest. It is passed `times` times, one pass after the
    other, `steps` updates each. `name` is "" where training has no phases.
    """

    loss: tuple[LossPlan, ...]
    optimizers: Mapping[str, OptimizerPlan]
    batch: int
    steps: int
    name: str = ""
    times: int = 1
    restart: tuple[Restart, ...] = ()
    updates: tuple[Update, ...] = ()
    """What a step consists of, where it is said: `optimizers` are none then."""
    until: Condition | None = None
    """Once it holds, a replicate's weights stay as they are to the end of the pass."""
    gradient: Mapping[str, Mode] | None = None
    """The gradient modes in force, by target, where they are others than in the first phase."""

    @property
    def rounds(self) -> tuple[Update, ...]:
        """The updates that a step consists of: one of all networks, unless others are said."""
        return self.updates or (Update("", (), self.loss, self.optimizers),)

    @property
    def all_optimizers(self) -> tuple[OptimizerPlan, ...]:
        """The optimisers of all updates."""
        return tuple(plan for update in self.rounds for plan in update.optimizers.values())


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """How a program is trained: its phases, one after the other; when measures are taken, counted from the first step of all."""

    phases: tuple[Phase, ...]
    evaluations: tuple[int, ...]
    until: Condition | None = None

    @property
    def steps(self) -> int:
        """How many updates are made in all."""
        return sum(phase.steps * phase.times for phase in self.phases)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The number of the first update of each pass of each phase, in order."""
        lengths = [phase.steps for phase in self.phases for _ in range(phase.times)]
        return (0, *accumulate(lengths[:-1]))

    @property
    def loss(self) -> tuple[LossPlan, ...]:
        """The terms of the loss that are in force at some step, each once."""
        if len(self.phases) == 1:
            return self.phases[0].loss
        return tuple({id(term): term for phase in self.phases for term in phase.loss}.values())

    @cached_property
    def borders(self) -> tuple[Mapping[str, Any], ...]:
        """Of each pass of each phase with a name, in order: `phase`, `pass`, its first step `start` and its last, `end`."""
        names = [(phase.name, number) for phase in self.phases for number in range(phase.times)]
        return tuple(
            {"phase": name, "pass": number, "start": start, "end": end}
            for (name, number), start, end in zip(names, self.starts, (*self.starts[1:], self.steps), strict=True)
        )

    @cached_property
    def passes(self) -> tuple[int, ...]:
        """Which pass of its phase each of these is, from 0."""
        return tuple(number for phase in self.phases for number in range(phase.times))

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """The place of the phase that each of these is of."""
        return tuple(place for place, phase in enumerate(self.phases) for _ in range(phase.times))

    def phase_of(self, updates: int) -> Phase:
        """The phase that the last of so many updates is of; the first before any."""
        return self.phases[self.owners[bisect_right(self.starts, max(updates - 1, 0)) - 1]]

    def pass_within(self, step: int) -> int | None:
        """The number of the pass, of all, within which an evaluation lies; none at a border, where one ends and another has not begun."""
        number = bisect_right(self.starts, step) - 1
        return None if step in (*self.starts[1:], self.steps) else number

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions that stop training, or hold it to the end of a phase."""
        every = (self.until, *(phase.until for phase in self.phases))
        return tuple(condition for condition in every if condition is not None)

    @property
    def largest_batch(self) -> int:
        """How many examples the largest step has: what memory is needed for."""
        return max(phase.batch for phase in self.phases)


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition on measures, as a claim's check: a tree of `spec.ir.claims`."""

    tree: Any
    text: str
