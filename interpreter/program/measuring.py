"""What is measured and shown at the present weights: under the gradient modes, and at the averages, of the phase that the last update was of."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from dlspec.spec.ir.plan import Phase, ProbePlan
from dlspec.spec.passes.program_roots import differentiates, statistics_of

from .context import ProgramContext
from .expectations import Arrays, Evaluation
from .gradient_statistics import Statistic
from .probes import compile_probe
from .sampling_bias import Quarters
from .seeds import Seeds


class Measured:
    """The compiled functions of measures, of statistics of gradients and of figures, under one set of gradient modes: by its number."""

    def __init__(self, context: ProgramContext, number: int) -> None:
        self.context = context
        self.number = number
        self.under = f" under modes {number}" if number else ""
        self.evaluation = Evaluation(context, name=f"evaluation{self.under}")
        self._shown: dict[str, Any] = {}

    def measured(self, seeds: Seeds, step: int) -> tuple[Arrays, Arrays]:
        """Every measure, and the sampling errors of those that have one: [rows, …] in float64."""
        taken = [statistic(seeds.flat, step) for statistic in self.statistics]
        return self.evaluation.measured(seeds, step, taken)

    @cached_property
    def quarters(self) -> Quarters:
        """What takes the sampling bias of the measures that have one."""
        return Quarters(self.context, f"quarters{self.under}")

    @cached_property
    def statistics(self) -> list[Statistic]:
        """The gradient statistics in the measures, each compiled by itself."""
        terms = statistics_of(self.context.program)
        first = self.number * len(terms)
        return [Statistic(self.context.flat, term, place) for place, term in enumerate(terms, first)]

    def shown(self, plan: ProbePlan) -> Any:
        """The compiled function of a figure that shows single examples (`probes.compile_probe`)."""
        if plan.figure not in self._shown:
            self._shown[plan.figure] = compile_probe(self.context.flat, plan, self.under)
        return self._shown[plan.figure]


class Measuring:
    """What measures a program at any step."""

    def __init__(self, context: ProgramContext) -> None:
        self.context = context
        self.known: dict[int, Measured] = {}
        self.plan = context.program.training
        self.differentiates = differentiates(context.program)
        """Whether gradient modes matter: values alone never depend on them."""

    def at(self, step: int) -> Measured:
        """What measures after so many updates."""
        context = self.context_of(self.plan.phase_of(step) if self.plan is not None else None)
        measured = self.known.get(id(context))
        if measured is None:
            measured = self.known[id(context)] = Measured(context, self._number(context))
        return measured

    def context_of(self, phase: Phase | None) -> ProgramContext:
        """The context of what is measured behind an update of a phase."""
        return self.context.during(phase, self.differentiates)

    def _number(self, context: ProgramContext) -> int:
        """The number of a context among those of the phases, the same in every program of a signature."""
        phases = self.plan.phases if self.plan is not None else ()
        every = dict.fromkeys([self.context, *map(self.context_of, phases)])
        return list(every).index(context)
