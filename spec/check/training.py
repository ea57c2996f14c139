"""Training: optimisers, batch, steps, and the steps at which measures are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, Span, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.plan import Condition, LayerPlan, LossPlan, MeasurePlan, OptimizerPlan, Phase, Restart, TrainingPlan
from ..model.base import Closed
from ..model.experiment import FULL, Evaluate, Training, TrainingPhase
from ..source import nodes as yaml
from ..tables.layers import row_of
from ..tables.optimizers import EXCLUSIVE, MIXING, OPTIMIZERS
from . import constant_folding as folding
from .all_points import AllSizes, OnePointNeeded
from .argument_bounds import explained, representable, within
from .certain_claims import NEWEST, certain, rates
from .claim_subject import Subject
from .claims import check_until
from .context import Context
from .expression_text import read
from .measures import loss_term
from .scope import ExperimentScope
from .steps import Borders, speaks_of_borders, step_of
from .updates import UpdateChecker
from .weight_paths import layer, steps_of

MAX_STEPS = 10**9
MAX_EVALUATIONS = 100_000


class TrainingChecker:
    """Checks an experiment's training."""

    def __init__(self, experiment: ExperimentScope) -> None:
        self.experiment = experiment
        self.model = experiment.model
        self.checker = experiment.checker

    def plan(self, loss: tuple[LossPlan, ...], measures: Sequence[MeasurePlan]) -> TrainingPlan | None:
        """The phases, one that minimises the whole loss unless others are said; the steps at which measures are taken."""
        training = self.model.training
        if training is None:
            return None
        part = self.experiment.part
        optimizers = part(("optimizers",), lambda: self.optimizers(training), training.node("optimizer"))
        spoken_of: tuple[Any, ...] = ()
        if conditional(training):
            shapes = tuple((item.name, item.term.type.shape) for item in measures)
            spoken_of = (shapes, tuple(rates([measures]).items()))
        phases: tuple[Phase, ...]
        phases, until, evaluations = part(
            ("schedule", spoken_of),
            lambda: self.schedule(training, measures),
            *(training.node(field) for field in Training.model_fields if field != "optimizer"),
        )
        phases = self.filled(training, phases, loss, optimizers)
        first = 0
        for phase in phases:
            steps = phase.steps * phase.times
            for plan in phase.all_optimizers:
                for name, value in plan.arguments.items():
                    if isinstance(value, t.Term):
                        from .learning_rates import scheduled

                        row = OPTIMIZERS[plan.name].parameters[name]
                        scheduled(f"'{name}'", row.bounds, value, first, steps, explained(row.meaning))
            first += steps
        return TrainingPlan(phases, evaluations, until)

    def schedule(
        self, training: Training, measures: Sequence[MeasurePlan]
    ) -> tuple[tuple[Phase, ...], Condition | None, tuple[int, ...]]:
        """The phases without losses and optimisers, the stopping condition, and the steps at which measures are taken."""
        phases = self.phases(training)
        steps = sum(phase.steps * phase.times for phase in phases)
        if steps > MAX_STEPS:
            hint = "Lower the `steps` or the `times` of the phases."
            raise problem_at(training.key("phases"), f"there are {steps:,} steps; the limit is {MAX_STEPS:,}", hint)
        until = self.condition(training, measures)
        held = {name: self.condition(model, measures) for name, model in training.phases.items()}
        phases = tuple(replace(phase, until=held.get(phase.name)) for phase in phases)
        borders = TrainingPlan(phases, ()).borders
        starts = {border["start"] for border in borders}
        self.few(len(starts), training.span("phases"))
        if isinstance(steps, AllSizes):
            warnings = len(self.experiment.warnings)
            at_each: Any = steps.at_each(lambda steps: self.evaluations(training.evaluate, steps, borders))
            if len(self.experiment.warnings) > warnings:
                raise OnePointNeeded
            return phases, until, at_each
        evaluations = tuple(sorted(starts | set(self.evaluations(training.evaluate, steps, borders))))
        self.looked_at(training, TrainingPlan(phases, evaluations))
        return phases, until, evaluations

    def condition(self, model: Training | TrainingPhase, measures: Sequence[MeasurePlan]) -> Condition | None:
        """The condition that stops training, or holds it to the end of a phase, if one is said."""
        if model.until is None:
            return None
        node = model.node("until")
        assert isinstance(node, yaml.Scalar)
        shapes = {m.name: m.term.type.shape for m in measures}
        subject = Subject(shapes, {}, self.experiment.scalars(), rates=rates([measures]))
        tree = check_until(read(node), subject)
        for problem in certain(tree, subject.rates, node.span):
            self.experiment.warnings.append(replace(problem, message=NEWEST.sub(r"\1", problem.message)))
        return Condition(tree, node.text)

    def looked_at(self, training: Training, plan: TrainingPlan) -> None:
        """Refuses a condition of a phase that no evaluation could find true: a border's comes when the phase has ended."""
        if all(phase.until is None for phase in plan.phases):
            return
        within = {plan.owners[number] for step in plan.evaluations if (number := plan.pass_within(step)) is not None}
        for place, phase in enumerate(plan.phases):
            if phase.until is not None and place not in within:
                message = f"nothing is measured within the phase '{phase.name}', so its `until` is never checked"
                hint = f"Measure within it: `evaluate: {{every: {max(1, phase.steps // 10)}}}`."
                if phase.steps == 1:
                    hint = "A pass of one step has nothing within it: give it more steps, or leave `until` out."
                raise problem_at(training.phases[phase.name].key("until"), message, hint)

    def phases(self, training: Training) -> tuple[Phase, ...]:
        """The phases, without their losses and optimisers; one where no others are said."""
        count = self.experiment.count
        if not training.phases:
            if training.steps is None:
                raise problem_at(training.span(), "'steps' is missing here", "Add `steps:`, how many updates.")
            return (Phase((), {}, self.batch(training), count(training.node("steps"), 1, "'steps'", MAX_STEPS)),)
        if training.steps is not None:
            hint = "The steps are those of the phases: remove `steps`, or the phases."
            raise problem_at(training.key("steps"), "'steps' and 'phases' exclude each other", hint)
        found = []
        for name, model in training.phases.items():
            steps, times = self.length(model)
            batch = self.counted_batch(model.node("batch")) if model.batch is not None else self.batch(training)
            if model.batch is not None and self.experiment.data is not None and self.experiment.data.batch is not None:
                hint = "Remove it: all values are taken each time."
                raise problem_at(
                    model.key("batch"), "with `enumerate` a batch is all examples, and this is another number", hint
                )
            if steps:
                found.append(Phase((), {}, batch, steps, name, times, self.restarts(model)))
        if not found:
            raise problem_at(training.key("phases"), "every phase has 0 steps", "Give one of them some.")
        return tuple(found)

    def length(self, model: TrainingPhase) -> tuple[int, int]:
        """How many steps a phase has, and how often it is passed. Raises StudyError."""
        node = model.node("steps")
        assert node is not None
        term = self.checker.value(node, Context("constants", ()))
        steps = int(folding.integer(term, "'steps'"))
        if not 0 <= steps <= MAX_STEPS:
            hint = "A phase of 0 steps is passed over."
            raise problem_at(term.span, f"'steps' has to be between 0 and {MAX_STEPS:,}, and is {steps:,}", hint)
        return steps, self.experiment.count(model.node("times"), 1, "'times'", MAX_STEPS)

    def borders(self) -> Borders:
        """Where phases begin and end, as schedules say it; nothing where there are none. Raises StudyError."""
        models = self.model.training.phases if self.model.training is not None else {}
        lengths = {name: self.length(model) for name, model in models.items()}
        phases = (Phase((), {}, 0, steps, name, times) for name, (steps, times) in lengths.items() if steps)
        return TrainingPlan(found, ()).borders if (found := tuple(phases)) else ()

    def restarts(self, model: TrainingPhase) -> tuple[Restart, ...]:
        """What begins anew with each pass of a phase."""
        found: list[Restart] = []
        ways = model.restart if isinstance(model.restart, dict) else dict.fromkeys(model.restart, "anew")
        for target, way in ways.items():
            item = _named(model.node("restart"), target)
            head, steps = steps_of(target)
            initial = way == "initial"
            if target == "optimizer" and initial:
                hint = "Write `optimizer: anew`; only networks and layers have weights of step 0."
                raise problem_at(item.span, "optimisers keep nothing from step 0, and can only begin anew", hint)
            if target == "optimizer":
                found.append(Restart())
            elif head in self.model.architecture:
                plan = self.experiment.plan(head, item.span)
                one = layer(plan, steps, item.span) if steps else None
                self.restartable(plan.leaves() if one is None else [one], target, item.span)
                found.append(Restart(head, one.key if one is not None else None, initial))
            else:
                known = ["optimizer", *self.model.architecture]
                hint = did_you_mean(head, known) or f"Known here: {listing(known)}, and layers of these: `f.dense_1`."
                raise problem_at(item.span, f"there is no network or layer '{target}' to begin anew", hint)
        return tuple(found)

    def restartable(self, layers: Sequence[LayerPlan], target: str, span: Span) -> None:
        """Refuses layers whose weights are taken from examples before the first step."""
        estimated = next((one for one in layers if (row := row_of(one)) is not None and row.estimated_from), None)
        if estimated is not None:
            hint = "Name the other layers of the network, each by itself."
            raise problem_at(span, f"'{target}' cannot begin anew: '{estimated.key}' is estimated before step 0", hint)

    def filled(
        self,
        training: Training,
        phases: Sequence[Phase],
        loss: tuple[LossPlan, ...],
        optimizers: dict[str, OptimizerPlan],
    ) -> tuple[Phase, ...]:
        """The phases with the terms that each minimises, and its optimisers. Raises StudyError."""
        found = []
        faulty = self.model.loss.keys() - {term.name for term in loss}
        for phase in phases:
            model = training.phases.get(phase.name)
            terms = self.loss(phase.name, model, loss) if model is not None else loss
            own = optimizers
            if model is not None and model.optimizer is not None:
                make = partial(self.phase_optimizers, training, model)
                nodes = training.node("optimizer"), model.node("optimizer")
                own = self.experiment.part(("optimizers", phase.name), make, *nodes)
            said = model.updates if model is not None and model.updates is not None else training.updates
            modes = {**self.model.gradient, **(model.gradient if model is not None else {})}
            updates = UpdateChecker(self.experiment, self.optimizer, terms, own, faulty, modes).updates(said)
            found.append(replace(phase, loss=terms, optimizers={} if updates else own, updates=updates))
        used = {id(term) for phase in found for term in phase.loss}
        if idle := next((term for term in loss if id(term) not in used), None):
            hint = "Leave one phase without a `loss` of its own, add the term to a phase's, or remove it."
            raise problem_at(self.model.span("loss", idle.name), f"the loss '{idle.name}' is used in no phase", hint)
        return tuple(found)

    def loss(self, name: str, model: TrainingPhase, loss: tuple[LossPlan, ...]) -> tuple[LossPlan, ...]:
        """The terms that a phase minimises: its own, or the experiment's."""
        if model.loss is None:
            if not self.model.loss:
                hint = "Give it a `loss:`, or the experiment one."
                raise problem_at(
                    self.model.span("training", "phases", name), f"the phase '{name}' has no loss to minimise", hint
                )
            return loss
        if not model.loss:
            raise problem_at(
                model.key("loss"), f"the phase '{name}' has no loss to minimise", "Give it a term, or leave `loss` out."
            )
        terms = []
        for key, entry in model.loss.items():
            node = model.node("loss", key)
            make = partial(loss_term, self.experiment, key, entry, node)
            term: LossPlan = self.experiment.part(("loss", name, key), make, node)
            terms.append(term)
        return tuple(terms)

    def batch(self, training: Training) -> int:
        """How many examples a step; all of them where they are enumerated."""
        self.experiment.note_read("data")
        data = self.experiment.data
        if data is not None and data.batch is not None:
            return data.batch
        if training.batch is None and data is not None:
            hint = "Add `batch: 100`; only enumerated data have a batch of their own."
            raise problem_at(training.span(), "the training lacks 'batch'", hint)
        return self.counted_batch(training.node("batch"))

    def counted_batch(self, node: yaml.Node | None) -> int:
        """A batch as it is written: a number, or `full`, all of a finite training set."""
        if (
            not isinstance(node, yaml.Scalar)
            or not isinstance(node.value, str)
            or node.value != FULL
            or FULL in self.experiment.bindings
        ):
            return self.experiment.count(node, 1, "'batch'")
        data, task = self.experiment.data, self.model.task.data
        if data is not None and not data.train:
            hint = "Give the task a training set, `data: {train: 1000}`, or the batch a number."
            raise problem_at(node.span, "new examples at every step have no full batch", hint)
        if not isinstance(task, str) and task.order == "with_replacement":
            message = "a full batch has each example once, and `order: with_replacement` draws them at random"
            raise problem_at(node.span, message, "Leave one of them out.")
        return data.train if data is not None else 1

    def evaluations(self, plan: Evaluate, steps: int, borders: Borders) -> tuple[int, ...]:
        """The steps at which measures are taken: `every`, `at` and `log` united, with 0 and the last; `at` may speak of borders between phases."""
        found = {0, steps}
        if plan.every is not None or (plan.at is None and plan.log is None):
            every = self.experiment.count(plan.node("every"), max(1, -(-steps // 50)), "'every'")
            self.few(-(-steps // every), plan.span("every"))
            found.update(range(0, steps, every))
        for item in plan.nodes("at"):
            step = self.evaluated_at(item, borders)
            if step < 0:
                raise problem_at(item.span, f"a step cannot be negative, and this is {step}", "Steps count from 0.")
            if step <= steps:
                found.add(step)
            else:
                message = f"step {step:,} comes after the last, {steps:,}: nothing is measured there"
                self.experiment.warnings.append(
                    Problem(message, item.span, "Lower it, or raise `steps`.", "warning", of_all_cells=True)
                )
        if plan.log is not None:
            count = self.experiment.count(plan.node("log"), 1, "'log'")
            self.few(count, plan.span("log"))
            found.update(round(step) for step in np.geomspace(1, steps, count))
        return tuple(sorted(found))

    def evaluated_at(self, node: yaml.Node, borders: Borders) -> int:
        """A step at which measures are taken: of constants, or of where phases begin and end, unless a function of the study's is called so."""
        text = read(node) if isinstance(node, yaml.Scalar) else None
        if text is None or not speaks_of_borders(text, {head.partition("(")[0] for head in self.model.functions}):
            return int(folding.integer(self.checker.value(node, Context("constants", ())), "a step"))
        return step_of(text.tree, text, self.experiment.scalars(), [borders])

    def few(self, count: int, span: Span) -> None:
        """Refuses more evaluations than anyone could read."""
        if count > MAX_EVALUATIONS:
            hint = "Measure less often: a curve needs about fifty points."
            raise problem_at(span, f"measures would be taken {count:,} times; the limit is {MAX_EVALUATIONS:,}", hint)

    def phase_optimizers(self, training: Training, phase: TrainingPhase) -> dict[str, OptimizerPlan]:
        """The optimisers of a phase that says something of them: over those of the training, as a variant's would be."""
        return self.optimizers(phase, self.optimizers(training))

    def optimizers(
        self, training: Training | TrainingPhase, base: Mapping[str, OptimizerPlan] | None = None
    ) -> dict[str, OptimizerPlan]:
        """The optimiser, or one for each network, over those of `base`."""
        model, node, known = training.optimizer, training.node("optimizer"), base or {}
        if not isinstance(model, dict):
            return {"": self.optimizer(model, known.get(""))}
        optimizers = {name: plan for name, plan in known.items() if name}
        for name, entry in model.items():
            if name not in self.model.architecture:
                key = node.key(name) if isinstance(node, yaml.Mapping) else None
                networks = listing(self.model.architecture) or "there are none"
                hint = did_you_mean(name, [*self.model.architecture, *OPTIMIZERS]) or (
                    f"Name an optimiser, or give one to each network: {networks}."
                )
                raise problem_at(key.span if key else None, f"'{name}' is neither an optimiser nor a network", hint)
            optimizers[name] = self.optimizer(entry, known.get(name))
        missing = [name for name in self.model.architecture if name not in optimizers]
        if missing and isinstance(node, yaml.Mapping):
            message = f"there is no optimiser for {listing(f'`{name}`' for name in missing)}"
            raise problem_at(node.span, message, "Give one optimiser for all, or one for each network.")
        return optimizers

    def optimizer(self, entry: Any, base: OptimizerPlan | None = None) -> OptimizerPlan:
        """One optimiser; its learning rate may be a term in the step. Arguments that a map does not say are those of `base`, if that is of its kind."""
        row, model = OPTIMIZERS[entry.kind], entry.value
        kept: Mapping[str, Any] = {}
        if base is not None and entry.goes_over(base.name):
            clips = any(model.node(name) is not None for name in EXCLUSIVE if name in row.parameters)
            kept = {name: value for name, value in base.arguments.items() if not (clips and name in EXCLUSIVE)}
        arguments: dict[str, Any] = {}
        for name, parameter in row.parameters.items():
            value, node = getattr(model, name), model.node(name)
            if node is None and name in kept:
                arguments[name] = kept[name]
                continue
            if value is None:
                continue
            if parameter.kind in ("bool", "choice") or not isinstance(node, yaml.Scalar | yaml.Sequence):
                arguments[name] = value
                continue
            term = self.checker.value(node, Context("schedule" if parameter.kind == "schedule" else "constants", ()))
            if isinstance(term, t.Literal) or parameter.kind != "schedule":
                number = folding.real_number(term, f"'{name}'")
                within(f"'{name}'", parameter.bounds, number, node.span, explained(parameter.meaning))
                representable(f"'{name}'", number, self.model.dtype, node.span)
                arguments[name] = number
            elif term.type.shape:
                raise problem_at(
                    node.span,
                    f"a learning rate is one number, and this is {term.type}",
                    "`sum(…)` or an index makes one number of it.",
                )
            else:
                arguments[name] = term
        self.one_of(EXCLUSIVE, arguments, model)
        mixing = any(name in arguments for name in MIXING)
        return OptimizerPlan(row.name, row.keras, arguments, row.elementwise and not mixing)

    def one_of(self, names: tuple[str, ...], arguments: dict[str, Any], model: Closed) -> None:
        """Refuses more than one of some arguments."""
        given = [name for name in names if name in arguments]
        if len(given) > 1:
            message = f"an optimiser clips in only one way, and this has {listing(f'`{name}`' for name in given)}"
            raise problem_at(model.key(given[1]), message, "Leave all but one out.")


def _named(node: yaml.Node | None, name: str) -> yaml.Node:
    """Where a name stands in a list, or as a key of a map."""
    items = [key for key, _ in node.entries] if isinstance(node, yaml.Mapping) else []
    items = [item for item in node.items if isinstance(item, yaml.Scalar)] if isinstance(node, yaml.Sequence) else items
    return next(item for item in items if item.text == name)


def conditional(training: Training) -> bool:
    """Whether a condition on measures stops training, or holds it to the end of a phase."""
    return training.until is not None or any(phase.until is not None for phase in training.phases.values())
