"""What a digest holds of a phase of training: the loss, the updates with their optimisers, how often it is passed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields, is_dataclass
from itertools import pairwise
from typing import Any

from ..ir import terms as t
from ..ir.plan import LossPlan, OptimizerPlan, Phase, Program, Update
from ..tables.optimizers import OPTIMIZERS
from .canonical import Walk


def loss_meaning(walk: Walk, loss: Sequence[LossPlan]) -> Any:
    """Terms of a loss, whatever their order and their names."""
    return sorted(json.dumps([walk.term(one.term), walk.term(one.weight), *_trained(one)]) for one in loss)


def updates_meaning(walk: Walk, phase: Phase) -> Any:
    """The optimisers of a phase, or what a step consists of, in its order."""
    if not phase.updates:
        return _optimizers(walk, phase)
    return [
        [sorted(update.networks), loss_meaning(walk, update.loss), _optimizers(walk, update), update.times]
        for update in phase.updates
    ]


def updates_form(walk: Walk, phase: Phase, loss: Sequence[LossPlan]) -> Any:
    """The same, but for learning rates that are numbers: a compiled graph is given these. `loss` are all terms that are in force."""
    if not phase.updates:
        trained = [[place, *_trained(one)] for place, one in enumerate(phase.loss) if one.trains]
        return [_optimizer_forms(walk, phase), trained] if trained else _optimizer_forms(walk, phase)
    return [
        [
            list(update.networks), [[loss.index(one), *_trained(one)] for one in update.loss],
            _optimizer_forms(walk, update), update.times,
        ]
        for update in phase.updates
    ]  # fmt: skip


def repeated(phase: Phase) -> list[Any]:
    """How often a phase is passed, and what begins anew each time; nothing for one pass that goes on from what is there."""
    return [phase.times, sorted(map(str, phase.restart))] if phase.times > 1 or phase.restart else []


def _trained(loss: LossPlan) -> list[Any]:
    return [sorted(loss.trains)] if loss.trains else []


def _optimizers(walk: Walk, update: Phase | Update) -> Any:
    return {
        name: [o.keras, {k: walk.value(v) for k, v in o.arguments.items()}] for name, o in update.optimizers.items()
    }


def _optimizer_forms(walk: Walk, update: Phase | Update) -> Any:
    return {
        name: [
            plan.keras,
            {
                k: walk.given(v) if k in OPTIMIZERS[plan.name].inputs else walk.value(v)
                for k, v in plan.arguments.items()
                if k != "learning_rate" or isinstance(v, t.Term)
            },
        ]
        for name, plan in update.optimizers.items()
    }


def stored_meaning(program: Program) -> list[Any]:
    """What weights and optimisers keep: how weights are rounded between updates, where they are, and what goes on with other arguments."""
    weights = ["weights", *astuple(program.stored)] if program.stored is not None else []
    return [*weights, *(["goes on", GOING_ON] if _goes_on_with_others(program) else [])]


GOING_ON = 1
"""Raised whenever what optimisers keep over a border, to one of the same kind with other arguments, goes on in another way than before: averages
that begin there began at 0, and moments were lost in cells of a sweep of such arguments (version 0)."""


def _goes_on_with_others(program: Program) -> bool:
    """Whether an optimiser takes over what one of its kind with other arguments kept; learning rates are none of these."""
    phases = program.training.phases if program.training is not None else ()
    for before, now in pairwise(phases):
        kept = {update.name: update.optimizers for update in before.rounds}
        for update in now.rounds:
            for network, plan in update.optimizers.items():
                other = kept.get(update.name, {}).get(network)
                if other is not None and other.keras == plan.keras and _numbers(other) != _numbers(plan):
                    return True
    return False


def _numbers(plan: OptimizerPlan) -> dict[str, Any]:
    return {name: value for name, value in plan.arguments.items() if name != "learning_rate"}


def condition_meaning(program: Program, tree: Any, measures: Mapping[str, str]) -> Any:
    """A stopping condition with what it hangs on: the measures by their digests, and when they are taken."""

    def plain(item: Any) -> Any:
        if is_dataclass(item):
            parts = {field.name: getattr(item, field.name) for field in fields(item) if field.compare}
            if "measure" in parts:
                parts["measure"] = measures[parts["measure"]]
            if parts.get("window", ()) is None:  # all steps
                del parts["window"]
            return [type(item).__name__, {name: plain(part) for name, part in parts.items()}]
        return [plain(part) for part in item] if isinstance(item, tuple | list) else item

    return [plain(tree), list(program.training.evaluations) if program.training else []]
