"""Where the phases of a training keep other things of a weight: an average in one and none in the next, or by other optimisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..ir.plan import OptimizerPlan, Phase, Program
from ..tables.flops import EXTRA_UPDATES
from ..tables.flops import update as cost_of_update
from .gradient_paths import Place
from .optimizers_by_phase import numbered, optimizers_by_phase

Keeper = tuple[int, str]
"""What tells an optimiser from others: the number of those of its update, and whose it is among them."""


def kept_in_unlike_ways(program: Program) -> bool:
    """Whether one phase sees its weights at other averages than another, or a weight goes on with what the phase before did not keep of it."""
    phases = program.training.phases if program.training is not None else ()
    if len(phases) < 2 or not any(_slots(plan) for phase in phases for plan in phase.all_optimizers):
        return False
    keepers = [
        [((own.number, group), place, plan) for own in phase for group, place, plan in own.of_weights()]
        for phase in optimizers_by_phase(program)
    ]
    return _sees_other_averages(keepers) or _comes_back(keepers) or _restarted_between(phases)


def names_that_go_on(program: Program) -> list[list[int]]:
    """The updates of each phase, numbered by their names, which say whose optimiser goes on: nothing where their networks say the same.

    Names are no part of a digest otherwise. So updates that are called otherwise in a later phase, and begin anew there, have another one.
    """
    phases = program.training.phases if program.training is not None else ()
    if len(phases) < 2 or not any(_slots(plan) for phase in phases for plan in phase.all_optimizers):
        return []
    names = [[one.name for one in phase.rounds] for phase in phases]
    networks = [[tuple(sorted(one.networks)) for one in phase.rounds] for phase in phases]
    by_networks = [[(own, of_phase[:place].count(own)) for place, own in enumerate(of_phase)] for of_phase in networks]
    return numbered(names) if numbered(names) != numbered(by_networks) else []


def _sees_other_averages(phases: list[list[tuple[Keeper, Place, OptimizerPlan]]]) -> bool:
    """Whether the averages that a weight is seen at are not, in every phase from where they begin on, those of the optimiser that was made last."""
    last: dict[Place, Keeper] = {}
    known: set[Keeper] = set()
    for one in phases:
        new = [(keeper, place) for keeper, place, plan in one if plan.arguments.get("use_ema") and keeper not in known]
        last |= {place: keeper for keeper, place in new}
        known |= {keeper for keeper, _ in new}
    seen: dict[Place, Keeper | None] = {}
    begun: set[Keeper] = set()
    for one in phases:
        begun |= {keeper for keeper, _, _ in one}
        seen |= {place: keeper if plan.arguments.get("use_ema") else None for keeper, place, plan in one}
        if any(keeper != (last.get(place) if last.get(place) in begun else None) for place, keeper in seen.items()):
            return True
    return False


def _comes_back(phases: list[list[tuple[Keeper, Place, OptimizerPlan]]]) -> bool:
    """Whether an optimiser keeps something of a weight that one of its kind kept two phases ago or before, and the one before it did not."""
    before: Mapping[Place, list[OptimizerPlan]] = {}
    for one in phases:
        for _, place, plan in one:
            earlier = before.get(place, [])
            kind = [other for other in earlier if other.keras == plan.keras]
            if kind and any(_extra(plan) & _extra(other) - _extra(kind[-1]) for other in kind[:-1]):
                return True
        before = {
            place: [*before.get(place, []), *(plan for _, p, plan in one if p == place)] for _, place, _ in one
        } | {place: plans for place, plans in before.items() if place not in {p for _, p, _ in one}}
    return False


def _restarted_between(phases: Sequence[Phase]) -> bool:
    """Whether optimisers began anew in a phase without an update that there was before it, and is behind it."""
    lost: set[str] = set()
    known: set[str] = set()
    for phase in phases:
        own = {one.name for one in phase.rounds}
        if own & lost:
            return True
        if any(not target.network for target in phase.restart):
            lost |= known - own
        known |= own
    return False


def _slots(plan: OptimizerPlan) -> int:
    """How much an optimiser keeps of each weight."""
    return cost_of_update(plan.name, plan.arguments).slots


def _extra(plan: OptimizerPlan) -> frozenset[str]:
    """The arguments of an optimiser for which it keeps more of each weight."""
    return frozenset(name for name, more in EXTRA_UPDATES.items() if more.slots and plan.arguments.get(name))
