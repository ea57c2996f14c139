"""What a step of training consists of, where a study says it: updates of some networks, each down some terms of the loss."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..diagnostics.problems import Problem, did_you_mean, listing, problem_at
from ..ir.plan import LossPlan, OptimizerPlan, Program, Update
from ..model.experiment import TrainingUpdate
from ..passes.gradient_paths import Paths
from ..passes.trained_weights import changed_by
from ..tables.gradient_modes import GRADIENT_MODES, mode_of
from .scope import ExperimentScope, Poisoned

MAX_TIMES = 1_000
FREEZING = listing(f"`{row.name}`" for row in GRADIENT_MODES.values() if row.freezes_weights)
"""The modes that keep weights as they are, as hints name them."""


class UpdateChecker:
    """Checks the updates of one phase.

    `optimizer` makes one of what is written, `loss` are the terms in force, `optimizers` those of the training; `faulty` are the names of
    terms that have an error of their own, which is told already; `gradient` are the modes that are said in it.
    """

    def __init__(
        self,
        experiment: ExperimentScope,
        optimizer: Callable[[Any], OptimizerPlan],
        loss: Sequence[LossPlan],
        optimizers: Mapping[str, OptimizerPlan],
        faulty: Collection[str],
        gradient: Mapping[str, Any],
    ) -> None:
        self.experiment = experiment
        self.optimizer = optimizer
        self.loss = {term.name: term for term in loss}
        self.faulty = faulty
        self.optimizers = optimizers
        self.gradient = gradient

    def updates(self, said: Mapping[str, TrainingUpdate]) -> tuple[Update, ...]:
        """The updates, in order; none where nothing is said of them. Raises StudyError."""
        if not said:
            return ()
        updates = tuple(self._update(name, model) for name, model in said.items())
        networks = self.experiment.model.architecture
        frozen = {target for target, entry in self.gradient.items() if not GRADIENT_MODES[entry.kind].trains_weights}
        idle = [
            name for name in networks if name not in frozen and not any(name in update.networks for update in updates)
        ]
        first = next(iter(said.values()))
        if idle:
            hint = f"Name it in the `networks` of one, or give it {FREEZING} under `gradient`."
            raise problem_at(first.span(), f"no update changes {listing(f'`{name}`' for name in idle)}", hint)
        unused = [
            name for name in self.loss if not any(term.name == name for update in updates for term in update.loss)
        ]
        if unused:
            hint = "Name it in the `loss` of one, or remove it."
            raise problem_at(
                first.span(), f"no update minimises the loss {listing(f'`{name}`' for name in unused)}", hint
            )
        return updates

    def _update(self, name: str, model: TrainingUpdate) -> Update:
        networks = self._known(model, "networks", "network", self.experiment.model.architecture)
        terms = self._known(model, "loss", "term of the loss", self.loss)
        for network in networks:
            self.experiment.plan(network, model.span("networks"))
        if model.optimizer is not None:
            own = {"": self.optimizer(model.optimizer)}
        elif set(self.optimizers) != {""}:
            hint = "Give each update an `optimizer` of its own, or the training one for all."
            raise problem_at(model.span(), "optimisers by network do not go with updates", hint)
        else:
            own = dict(self.optimizers)
        times = self.experiment.count(model.node("times"), 1, "'times'", MAX_TIMES)
        return Update(name, networks, tuple(self.loss[term] for term in terms), own, times)

    def _known(self, model: TrainingUpdate, field: str, what: str, known: Mapping[str, object]) -> tuple[str, ...]:
        """The names that an update gives, each of which there is."""
        names: list[str] = getattr(model, field)
        if not names:
            raise problem_at(
                model.key(field), f"an update needs at least one {what}", f"Known here: {listing(known) or 'none'}."
            )
        for place, (name, node) in enumerate(zip(names, model.nodes(field), strict=True)):
            if field == "loss" and name in self.faulty:
                raise Poisoned
            if name not in known:
                hint = did_you_mean(name, known) or f"Known here: {listing(known) or 'none'}."
                raise problem_at(node.span, f"there is no {what} '{name}'", hint)
            if name in names[:place]:
                raise problem_at(node.span, f"'{name}' is listed twice", "List it once.")
        return tuple(names)


def idle_updates(program: Program, paths: Paths) -> list[Problem]:
    """Updates and terms of the loss that say whose weights they change, and reach none of these."""
    problems = []
    for phase in program.training.phases if program.training is not None else ():
        for update in phase.rounds:
            changed = {place[0] for place in changed_by(program, update, paths)}
            wanted = [name for name in update.networks if mode_of(program.gradient, name).trains_weights]
            for name in (name for name in wanted if name not in changed):
                terms = listing(f"`{term.name}`" for term in update.loss)
                message = (
                    f"the update '{update.name}' does not change '{name}': no gradient of {terms} reaches its weights"
                )
                hint = "Name a term that depends on the network, or leave the network out."
                problems.append(Problem(message, update.loss[0].term.span, hint))
            for term in update.loss:
                if term.trains and not changed_by(program, Update("", (), (term,), {}), paths):
                    message = f"the loss '{term.name}' trains {listing(term.trains)}, and no gradient of it reaches these weights"
                    problems.append(Problem(message, term.term.span, "Name a network that it depends on."))
    return problems
