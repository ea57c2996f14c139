"""Optimisers that mix the entries of a weight, of a network with copies: they would mix the copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..diagnostics.problems import Problem
from ..ir.plan import OptimizerPlan, Program
from ..model.experiment import FreeParameter, Network
from ..passes.trained_weights import changed_by
from ..tables.optimizers import OF_ONE_WEIGHT, OPTIMIZERS


def mixed_copies(program: Program, architecture: Mapping[str, Network | FreeParameter]) -> Iterator[Problem]:
    """An error of each network whose copies an optimiser would take for one weight."""
    copied = {plan.name for plan in program.networks if plan.copies is not None}
    if not copied or program.training is None:
        return
    told: set[str] = set()
    for phase in program.training.phases:
        for update in phase.rounds:
            changed = {place[0] for place in changed_by(program.during(phase), update)}
            for group, optimizer in update.optimizers.items():
                for name in sorted(copied & changed & ({group} if group else copied) - told):
                    if mixing := _mixing(optimizer):
                        told.add(name)
                        node = architecture[name].node("copies")
                        message = f"{mixing} takes a weight as a whole, and the copies of '{name}' are one"
                        hint = "Choose an optimiser that goes by entries, `global_clipnorm` or `clipvalue`, or give each network a name."
                        yield Problem(message, node.span if node is not None else None, hint)


def _mixing(optimizer: OptimizerPlan) -> str:
    """What of an optimiser takes the norm of a weight; nothing where each entry is by itself, or all weights together."""
    clipping = next((f"`{name}`" for name in OF_ONE_WEIGHT if name in optimizer.arguments), "")
    return clipping if OPTIMIZERS[optimizer.name].elementwise else f"the optimiser `{optimizer.name}`"
