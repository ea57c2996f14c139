"""How alike two programs are trained: by what a training is, each compared as what it comes to, and not by how it is written."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator

from ..ir.plan import Program
from ..ir.training import OptimizerPlan, TrainingPlan


def training_likeness(a: Program, b: Program) -> float:
    """From 0 to 1, the mean over traits (the general coefficient of Gower 1971); 0 where either is not trained, or they are of different kinds.

    A kind is the optimisers, whether examples are new at every step, and whether a step takes one of them, some, or all there are. Sizes are a
    decade apart or more (0), or the nearer the more (to 1): learning rates, examples a step where these are some, and steps. What few have
    counts where either has it, and is no likeness where neither has: several updates a step, several phases, rounded weights.
    """
    if a.training is None or b.training is None:
        return 0.0
    kinds = [_kind(a, a.training), _kind(b, b.training)]
    if kinds[0] != kinds[1]:
        return 0.0
    scores = [1.0, *_sizes(a.training, b.training, kinds[0]), *_rare(a, b)]
    return sum(scores) / len(scores)


def _kind(program: Program, training: TrainingPlan) -> tuple[Hashable, ...]:
    """The optimisers; whether examples are new at every step; how many of them a step takes."""
    batch, all_there_are = training.largest_batch, program.data.train
    taken = "all" if all_there_are and batch >= all_there_are else "one" if batch == 1 else "some"
    return frozenset(_optimizers(training)), bool(all_there_are), taken


def _sizes(one: TrainingPlan, other: TrainingPlan, kind: tuple[Hashable, ...]) -> Iterator[float]:
    """How near the sizes of two trainings of one kind are; the optimisers' rates are one size, whose nearness is their mean."""
    rates = [[_rate(plan) for plan in _optimizers(training).values()] for training in (one, other)]
    if rates[0]:
        yield sum(map(_near_rates, *rates)) / len(rates[0])
    if "some" in kind:
        yield near(one.largest_batch, other.largest_batch)
    yield near(one.steps, other.steps)


def _rare(a: Program, b: Program) -> Iterator[float]:
    """Whether what most trainings lack is the same, where either has it."""
    for own, theirs, usual in zip(_rarities(a), _rarities(b), (1, 1, None), strict=True):
        if (own, theirs) != (usual, usual):
            yield float(own == theirs)


def _rarities(program: Program) -> tuple[Hashable, ...]:
    """How many updates a step consists of, how many phases there are, and how weights are rounded."""
    assert program.training is not None
    phases = program.training.phases
    return max(len(phase.rounds) for phase in phases), len(phases), program.stored


def _optimizers(training: TrainingPlan) -> dict[str, OptimizerPlan]:
    """The optimisers of all updates of all phases by their kind, in order, the first of each."""
    found: dict[str, OptimizerPlan] = {}
    for phase in training.phases:
        for plan in phase.all_optimizers:
            found.setdefault(plan.keras, plan)
    return dict(sorted(found.items()))


def _rate(plan: OptimizerPlan) -> float | None:
    """The learning rate; none where it changes with the step."""
    rate = plan.arguments.get("learning_rate")
    return float(rate) if isinstance(rate, int | float) else None


def _near_rates(one: float | None, other: float | None) -> float:
    """How near two rates are; those that change with the step are alike, and unlike those that do not."""
    return float(one is other) if one is None or other is None else near(one, other)


def near(a: float, b: float) -> float:
    """How near two sizes are: 1 where they are equal, 0 from a decade apart on.

    >>> near(64, 64), near(0.1, 0.01), round(near(1, 2), 2), near(0, 0), near(0, 1)
    (1.0, 0.0, 0.7, 1.0, 0.0)
    """
    if a == b:
        return 1.0
    return max(0.0, 1.0 - abs(math.log10(a / b))) if a > 0 and b > 0 else 0.0
