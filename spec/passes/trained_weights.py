"""Which weights training changes: those that a term of the loss reaches along the backward pass, and that no mode freezes.

All others are not touched: no step, no moments, no decay, no moving average, no constraint. It is known before the run.
"""

from __future__ import annotations

from math import prod

from ..ir.plan import NetworkPlan, Phase, Program, Update
from ..tables.gradient_modes import mode_of
from .gradient_paths import Paths, Place


def trained(program: Program, phase: Phase | None = None) -> frozenset[Place]:
    """The weights that one phase of training changes, or any if none is given; none without training."""
    if program.training is None:
        return frozenset()
    phases = program.training.phases if phase is None else (phase,)
    return frozenset(
        place for one in phases for update in one.rounds for place in changed_by(program.during(one), update)
    )


def changed_by(program: Program, update: Update, paths: Paths | None = None) -> frozenset[Place]:
    """The weights that an update changes, under the gradient modes of the program: those of its networks that a term of its loss reaches and trains."""
    paths = paths or Paths(program)
    frozen = {target for target in program.gradient if mode_of(program.gradient, target).freezes_weights}
    return frozenset(
        place
        for loss in update.loss
        for place in paths.through(loss.term).weights
        if (not update.networks or place[0] in update.networks)
        and (not loss.trains or place[0] in loss.trains)
        and place[0] not in frozen
        and f"{place[0]}.{place[1]}" not in frozen
    )


def trained_parameters(program: Program, network: NetworkPlan, phase: Phase | None = None) -> int:
    """How many numbers of a network training changes, in one phase or in any."""
    leaves = {layer.key: layer for layer in network.leaves()}
    own = (place for place in trained(program, phase) if place[0] == network.name)
    return sum(prod(leaves[layer].shapes[weight]) for _, layer, weight in own)
