"""Which optimisers make the updates of each phase, and which of them go on with what they kept in a phase before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..ir.plan import OptimizerPlan, Program, Update
from .gradient_paths import Place
from .trained_weights import changed_by


@dataclass(frozen=True, eq=False)
class UpdateOptimizers:
    """The optimisers of an update of a phase: updates of one `number` share them, with all that they keep of the weights that they change."""

    number: int
    update: Update
    changed: frozenset[Place]

    def of_weights(self) -> Iterator[tuple[str, Place, OptimizerPlan]]:
        """Each weight that is changed, with the network whose optimiser does so, "" for that of the rest, and this one."""
        for place in sorted(self.changed):
            group = place[0] if place[0] in self.update.optimizers else ""
            if group in self.update.optimizers:
                yield group, place, self.update.optimizers[group]


def optimizers_by_phase(program: Program) -> list[list[UpdateOptimizers]]:
    """The optimisers of each update of each phase.

    They go on in updates that are called the same, are made as often a step, and change the same weights by the very same optimisers: those that are
    said for several phases, and not again for one.
    """
    phases = program.training.phases if program.training is not None else ()
    made = [[(update, changed_by(program.during(phase), update)) for update in phase.rounds] for phase in phases]
    numbers = numbered([[_identity(*one) for one in phase] for phase in made])
    return [
        [UpdateOptimizers(number, *one) for number, one in zip(own, phase, strict=True)]
        for own, phase in zip(numbers, made, strict=True)
    ]


def _identity(update: Update, changed: frozenset[Place]) -> Any:
    return update.name, changed, update.times, *((name, id(plan)) for name, plan in update.optimizers.items())


def numbered(phases: Sequence[Sequence[Any]]) -> list[list[int]]:
    """What stands in each phase, by numbers in the order of their first places."""
    numbers: dict[Any, int] = {}
    return [[numbers.setdefault(one, len(numbers)) for one in phase] for phase in phases]
