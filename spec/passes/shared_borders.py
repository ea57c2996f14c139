"""Which cells are equal up to a border between two phases of training, so that these steps are made once for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..ir import terms as t
from ..ir.plan import Program, TrainingPlan
from .digests import Digests, digest
from .program_roots import roots
from .reached_examples import reached
from .sampled_means import erring_estimates


@dataclass(frozen=True)
class Border:
    """A border at which a program's training stands after `step` updates: `number` passes, of `name` the last, have been made.

    `key` is the same for programs that are equal so far: whose weights, curves and what figures show are the same numbers up to it.
    """

    number: int
    step: int
    name: str
    key: str


def borders(program: Program, digests: Digests, device: str = "cpu") -> tuple[Border, ...]:
    """The borders between the phases of a program, in order."""
    plan = program.training
    if plan is None or len(plan.phases) < 2:
        return ()
    numbers = [number for number in range(1, len(plan.owners)) if plan.owners[number] != plan.owners[number - 1]]
    return tuple(_border(program, plan, number, digests, device) for number in numbers)


def shared_borders(chains: Mapping[str, Sequence[Border]]) -> dict[str, tuple[Border, ...]]:
    """Of the borders of each of some cells, by their names, those behind which cells that are equal so far go apart."""
    behind: dict[str, set[str]] = {}
    for name, chain in chains.items():
        for place, border in enumerate(chain):
            behind.setdefault(border.key, set()).add(chain[place + 1].key if place + 1 < len(chain) else name)
    return {name: tuple(one for one in chain if len(behind[one.key]) > 1) for name, chain in chains.items()}


def _border(program: Program, plan: TrainingPlan, number: int, digests: Digests, device: str) -> Border:
    step = plan.starts[number]
    phases = [
        replace(phase, times=count)
        for place, phase in enumerate(plan.phases)
        if (count := plan.owners[:number].count(place))
    ]
    evaluations = tuple(one for one in plan.evaluations if one <= step)
    before = replace(program, training=replace(plan, phases=tuple(phases), evaluations=evaluations))
    shown = [
        [probe.figure, sorted(s for s in probe.steps if s <= step), [(label, digests.sample(before, term, probe.examples)) for label, term in probe.terms.items()]]
        for probe in program.probes
    ]  # fmt: skip
    meaning = [
        digests.training(before, device), [phase.name for phase in phases], evaluations,
        [[measure.name, digests.measure(before, measure)] for measure in program.measures], shown,
        _networks(before, digests), _shared_optimizers(before), *_kept(program, plan, number, digests),
    ]  # fmt: skip
    return Border(number, step, phases[-1].name, digest(meaning))


def _networks(program: Program, digests: Digests) -> list[str]:
    """All networks, in order, with what they start from: those that are trained later alone, too."""
    body = digests.body(program)
    found = body.reached(*(body.part(plan, partial(body.walk.stack, plan)) for plan in program.networks))
    return [*(plan.name for plan in program.networks), found.networks, found.bindings]


def _shared_optimizers(program: Program) -> list[int]:
    """Which updates go on with the optimiser of which before."""
    assert program.training is not None
    plans = [plan for phase in program.training.phases for plan in phase.all_optimizers]
    identities = [id(plan) for plan in plans]
    return [identities.index(one) for one in identities]


def ended_before(plan: TrainingPlan, number: int) -> set[tuple[str, int | None]]:
    """The passes whose ends lie before the last of so many, by phase and number, and their phases, with None: what is kept of them is there."""
    passes = {(border["phase"], border["pass"]) for border in plan.borders[: number - 1]}
    return passes | {(phase, None) for phase, _ in passes}


def _kept(program: Program, plan: TrainingPlan, number: int, digests: Digests) -> list[Any]:
    """What is kept of ends of passes before the last of so many: weights and estimates."""
    ended = ended_before(plan, number)
    weights: dict[str, set[str]] = {}
    for item in reached(program, roots(program)) if ended else ():
        if isinstance(item, t.Recalled) and item.moment == "after" and item.kept[1:] in ended:
            found = weights.setdefault(str(item.kept), set())
            found.update(
                part.network
                for part in reached(program, [item.operand])
                if isinstance(part, t.NetworkOutput | t.Weight | t.AllWeights)
            )
    erring = erring_estimates(program) if ended else ()
    estimates = [
        [one.name, one.phase, one.examples, digests.measure(program, one), one in erring]
        for one in program.estimates
        if (one.phase, None) in ended
    ]
    return [
        sorted((moment, sorted(networks)) for moment, networks in weights.items()),
        sorted(estimates, key=lambda one: one[0]),
    ]
