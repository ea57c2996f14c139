"""What happens between two phases of training: what optimisers keep goes on, what is to begin anew does so, and estimates are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from dlspec.spec.ir.plan import EstimatePlan, Restart, TrainingPlan

from .context import ProgramContext
from .estimates import error_of
from .expectations import Evaluation
from .optimizers import Optimizers
from .seeds import Seeds
from .train_step import TrainStep

Begin = Callable[[Restart, int], Sequence[Any]]
"""Begins the weights of a network or a layer anew, in a pass of training by its number, and gives these variables."""

Keep = Callable[[str, int], None]
"""Keeps the weights at the end of a pass of a phase, by its name and the number of the pass."""


class Borders:
    """The borders between the passes of a program's phases. `train_steps` are those of the phases, in order."""

    def __init__(self, plan: TrainingPlan | None, train_steps: Sequence[TrainStep]) -> None:
        self.train_steps = train_steps
        phases = plan.phases if plan is not None else ()
        owners = [place for place, phase in enumerate(phases) for _ in range(phase.times)]
        self.passes = {start: number for number, start in enumerate(plan.starts if plan is not None else ()) if start}
        """The numbers of the passes, by their first steps; nothing happens before the first."""
        self.owners = owners
        every = {id(own): own for train_step in train_steps for own in train_step.optimizers}
        self.optimizers: Sequence[Optimizers] = list(every.values())
        self.numbers = plan.passes if plan is not None else ()

    def cross(self, step: int, begin: Begin, keep: Keep) -> None:
        """Enters the pass that begins at a step, if one does: `keep` keeps the weights of the one before, `begin` begins some anew."""
        if (number := self.passes.get(step)) is None:
            return
        before, now = (self.train_steps[self.owners[place]] for place in (number - 1, number))
        keep(before.phase.name, self.numbers[number - 1])
        for update in now.updates:
            earlier = self._earlier(update.plan.name, number)
            if not earlier:
                update.optimizers.begin_anew()
            elif earlier[0] is not update.optimizers:
                update.optimizers.go_on_from(earlier)
        for target in now.phase.restart:
            if target.network:
                weights = begin(target, number)
                for optimizers in self.optimizers:
                    optimizers.forget(weights)
            else:
                for optimizers in now.optimizers:
                    optimizers.begin_anew()

    def _earlier(self, update: str, number: int) -> list[Optimizers]:
        """The optimisers of an update in the passes before one, the nearest first: back to where what optimisers keep began anew."""
        earlier: dict[int, Optimizers] = {}
        for place in reversed(self.owners[:number]):
            train_step = self.train_steps[place]
            for one in train_step.updates:
                if one.plan.name == update:
                    earlier.setdefault(id(one.optimizers), one.optimizers)
            if any(not target.network for target in train_step.phase.restart):
                break
        return list(earlier.values())


class Estimates:
    """Takes the estimates of a program, each over its own training examples, with sums in float64, and their standard errors."""

    def __init__(self, context: ProgramContext) -> None:
        self.context = context
        self.plans: Sequence[EstimatePlan] = context.program.estimates

    @cached_property
    def evaluations(self) -> dict[str, Evaluation]:
        """What takes each, compiled when it is first needed."""
        phases = self.context.program.training.phases if self.context.program.training is not None else ()
        contexts = {phase.name: self.context.during(phase) for phase in phases}
        return {
            plan.name: Evaluation(contexts[plan.phase], [plan], plan.examples, f"estimate {plan.name}")
            for plan in self.plans
        }

    def take(self, phase: str, seeds: Seeds, step: int) -> None:
        """Takes those of a phase that has ended after so many updates: at the present weights, in inference."""
        for plan in self.plans:
            if plan.phase == phase:
                values, errors = self.evaluations[plan.name].measured(seeds, step)
                self.context.estimates[plan.name].assign(values[plan.name])
                for name, error in errors.items():
                    self.context.estimates[error_of(name)].assign(error)
