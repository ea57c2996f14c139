"""What a digest holds of a phase of training: the loss, the updates with their optimisers, how often it is passed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any

from ..ir import terms as t
from ..ir.claims import Measured, parts
from ..ir.plan import LossPlan, OptimizerPlan, Phase, Program, Update
from ..tables.optimizers import OPTIMIZERS
from .canonical import Walk
from .few_values import rate_in
from .gradient_paths import Place
from .kept_by_phases import kept_in_unlike_ways, names_that_go_on
from .optimizers_by_phase import UpdateOptimizers, optimizers_by_phase


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
    """What weights and optimisers keep, and where phases do so in another way than before."""
    return [*stored_form(program), *(["kept by phases", KEPT_BY_PHASES] if kept_in_unlike_ways(program) else [])]


def stored_form(program: Program) -> list[Any]:
    """What weights and optimisers keep: how weights are rounded between updates, where they are, and what goes on with other arguments."""
    weights = ["weights", *astuple(program.stored)] if program.stored is not None else []
    over = ["goes on over", GOING_ON_OVER] if _goes_on_over_phases(program) else []
    goes_on = ["goes on", GOING_ON] if _goes_on_with_others(program) else []
    names = names_that_go_on(program)
    return [*weights, *goes_on, *over, *(["updates", names] if names else [])]


GOING_ON = 1
"""Raised whenever what optimisers keep over a border, to one of the same kind with other arguments, goes on in another way than before: averages
that begin there began at 0, and moments were lost in cells of a sweep of such arguments (version 0)."""


GOING_ON_OVER = 1
"""Raised whenever what optimisers keep of weights that a phase does not train goes on over it in another way than before: it was lost where the
optimiser had other arguments behind it, and came back where it had been of another kind in between, or was to begin anew (version 0)."""


KEPT_BY_PHASES = 1
"""Raised whenever phases that keep other things of a weight than the one before do so in another way than before: measures saw the averages of
one phase in all, what a phase did not keep of weights that it changed came back behind it, and so did what another phase restarted (version 0)."""


@dataclass(frozen=True)
class _Kept:
    """What an update of a phase keeps: of which weights by each of its optimisers, and which others it shares all of it with."""

    groups: Mapping[str, tuple[str, frozenset[Place]]]
    shared: int
    anew: bool
    """Whether anything begins anew in the phase."""
    averaged: bool
    """Whether averages are kept."""


def _goes_on_over_phases(program: Program) -> bool:
    """Whether a phase trains weights that were trained before, and not by an optimiser of that kind in the phase before it."""
    phases = program.training.phases if program.training is not None else ()
    if len(phases) < 3:
        return False
    known: dict[str, list[_Kept]] = {}
    last: dict[str, int] = {}
    for place, (phase, updates) in enumerate(zip(phases, optimizers_by_phase(program), strict=True)):
        for own in updates:
            name = own.update.name
            between = phases[last.get(name, place) + 1 : place]  # that have no such update
            if any(target.network for one in between for target in one.restart):
                return True
            last[name] = place
            before = known.setdefault(name, [])
            now = _kept(phase, own)
            if len(before) > 1 and not any(not target.network for target in phase.restart) and _returns(before, now):
                return True
            before.append(now)
    return False


def _kept(phase: Phase, update: UpdateOptimizers) -> _Kept:
    groups = {
        name: (plan.keras, frozenset(place for place in update.changed if not name or place[0] == name))
        for name, plan in update.update.optimizers.items()
    }
    averaged = any(plan.arguments.get("use_ema") for plan in update.update.optimizers.values())
    return _Kept(groups, update.number, bool(phase.restart), averaged)


def _returns(before: Sequence[_Kept], now: _Kept) -> bool:
    """Whether what is kept of some weights comes from farther than the phase before."""
    *earlier, nearest = before
    for name, (kind, own) in now.groups.items():
        other, places = nearest.groups.get(name, (kind, frozenset()))
        if other != kind:
            if any(one.shared == now.shared for one in earlier):
                return True
            continue
        missing = own - places
        for number, one in reversed(list(enumerate(earlier))):
            if any(missing & trained for _, trained in one.groups.values()):
                anew = any(later.anew for later in before[number + 1 :])
                if one.shared != now.shared or anew or now.averaged:  # averages began at the weights
                    return True
                break
    return False


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


INFINITE = 2
"""Raised whenever a stopping condition comes out otherwise where a measure is infinite."""


def condition_meaning(program: Program, tree: Any, measures: Mapping[str, str]) -> Any:
    """A stopping condition with what it hangs on: the measures by their digests, and when they are taken. Rates are never infinite."""
    terms = {one.name: one.term for one in program.measures}
    named = {part.measure for part in parts(tree) if isinstance(part, Measured)}
    infinite = [["infinite", INFINITE]] if any(rate_in(terms[name]) is None for name in named) else []

    def plain(item: Any) -> Any:
        if is_dataclass(item):
            values = {field.name: getattr(item, field.name) for field in fields(item) if field.compare}
            if "measure" in values:
                values["measure"] = measures[values["measure"]]
            if values.get("window", ()) is None:  # all steps
                del values["window"]
            return [type(item).__name__, {name: plain(part) for name, part in values.items()}]
        return [plain(part) for part in item] if isinstance(item, tuple | list) else item

    return [plain(tree), list(program.training.evaluations) if program.training else [], *infinite]
