"""What happens between two phases of training: what optimisers keep goes on, what is to begin anew does so, and estimates are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from dlspec.spec.ir.plan import EstimatePlan, Restart, TrainingPlan

from .context import ProgramContext
from .estimates import error_of
from .expectations import Evaluation
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
        self.numbers = plan.passes if plan is not None else ()

    def cross(self, step: int, begin: Begin, keep: Keep) -> None:
        """Enters the pass that begins at a step, if one does: `keep` keeps the weights of the one before, `begin` begins some anew."""
        if (number := self.passes.get(step)) is None:
            return
        before, now = (self.train_steps[self.owners[place]] for place in (number - 1, number))
        keep(before.phase.name, self.numbers[number - 1])
        gone_on = {update.plan.name: update.optimizers for update in before.updates}
        for update in now.updates:
            if (other := gone_on.get(update.plan.name)) is not None and other is not update.optimizers:
                update.optimizers.go_on_from(other)
        for target in now.phase.restart:
            weights = begin(target, number) if target.network else ()
            for optimizers in now.optimizers:
                if target.network:
                    optimizers.forget(weights)
                else:
                    optimizers.begin_anew()


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
