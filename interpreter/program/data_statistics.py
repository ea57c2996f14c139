"""Statistics of the training examples: taken once per replicate over its training set, before step 0; they go with the draws."""

from __future__ import annotations

from functools import cached_property

from dlspec.spec.ir.plan import StatisticPlan

from .context import ProgramContext
from .expectations import Evaluation
from .seeds import Seeds


class DataStatistics:
    """Takes the statistics of a program, level after level, with sums in float64."""

    def __init__(self, context: ProgramContext) -> None:
        self.context = context

    @cached_property
    def levels(self) -> list[Evaluation]:
        """What takes those of each level: they are made of those before."""
        found: dict[int, list[StatisticPlan]] = {}
        for plan in self.context.program.statistics:
            found.setdefault(plan.level, []).append(plan)
        return [Evaluation(self.context, found[level], None, f"statistics {level}") for level in sorted(found)]

    def take(self, seeds: Seeds) -> None:
        """Takes them for the replicates of some seeds."""
        for level in self.levels:
            values, _ = level.measured(seeds, 0)
            for name, rows in values.items():
                seeds.take(name, rows)
