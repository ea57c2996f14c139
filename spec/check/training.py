"""Training: optimisers, batch, steps, and the steps at which measures are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, Span, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.plan import Condition, LossPlan, MeasurePlan, OptimizerPlan, Phase, TrainingPlan
from ..model.base import Closed
from ..model.experiment import Evaluate, Training
from ..source import nodes as yaml
from ..tables.optimizers import EXCLUSIVE, MIXING, OPTIMIZERS
from . import constant_folding as folding
from .argument_bounds import explained, representable, within
from .claims import Subject, check_until
from .context import Context
from .expression_text import read
from .learning_rates import scheduled
from .scope import ExperimentScope

MAX_STEPS = 10**9
MAX_EVALUATIONS = 100_000


class TrainingChecker:
    """Checks an experiment's training."""

    def __init__(self, experiment: ExperimentScope) -> None:
        self.experiment = experiment
        self.model = experiment.model
        self.checker = experiment.checker

    def plan(self, loss: tuple[LossPlan, ...], measures: Sequence[MeasurePlan]) -> TrainingPlan | None:
        """One phase that minimises the whole loss, and the steps at which measures are taken."""
        training = self.model.training
        if training is None:
            return None
        part = self.experiment.part
        optimizers = part(("optimizers",), lambda: self.optimizers(training), training.node("optimizer"))
        shapes = tuple((item.name, item.term.type.shape) for item in measures) if training.until else ()
        batch, steps, until, evaluations = part(
            ("schedule", shapes),
            lambda: self.schedule(training, measures),
            *(training.node(field) for field in Training.model_fields if field != "optimizer"),
        )
        for plan in optimizers.values():
            for name, value in plan.arguments.items():
                if isinstance(value, t.Term):
                    row = OPTIMIZERS[plan.name].parameters[name]
                    scheduled(f"'{name}'", row.bounds, value, steps, explained(row.meaning))
        return TrainingPlan((Phase(loss, optimizers, batch, steps),), evaluations, until)

    def schedule(
        self, training: Training, measures: Sequence[MeasurePlan]
    ) -> tuple[int, int, Condition | None, tuple[int, ...]]:
        """Batch, steps, the stopping condition, and the steps at which measures are taken."""
        batch = self.batch(training)
        steps = self.experiment.count(training.node("steps"), 1, "'steps'", MAX_STEPS)
        until = None
        if training.until is not None:
            node = training.node("until")
            assert isinstance(node, yaml.Scalar)
            subject = Subject({m.name: m.term.type.shape for m in measures}, {}, self.experiment.scalars())
            until = Condition(check_until(read(node), subject), node.text)
        return batch, steps, until, self.evaluations(training.evaluate, steps)

    def batch(self, training: Training) -> int:
        """How many examples a step; all of them where they are enumerated."""
        self.experiment.note_read("data")
        data = self.experiment.data
        if data is not None and data.batch is not None:
            return data.batch
        if training.batch is None and data is not None:
            hint = "Add `batch: 100`; only enumerated data have a batch of their own."
            raise problem_at(training.span(), "the training lacks 'batch'", hint)
        return self.experiment.count(training.node("batch"), 1, "'batch'")

    def evaluations(self, plan: Evaluate, steps: int) -> tuple[int, ...]:
        """The steps at which measures are taken: `every`, `at` and `log` united, with 0 and the last."""
        found = {0, steps}
        if plan.every is not None or (plan.at is None and plan.log is None):
            every = self.experiment.count(plan.node("every"), max(1, -(-steps // 50)), "'every'")
            self.few(-(-steps // every), plan.span("every"))
            found.update(range(0, steps, every))
        for item in plan.nodes("at"):
            term = self.checker.value(item, Context("constants", ()))
            step = int(folding.integer(term, "a step"))
            if step < 0:
                raise problem_at(item.span, f"a step is not negative, and this is {step}", "Steps count from 0.")
            if step <= steps:
                found.add(step)
            else:
                message = f"step {step:,} comes after the last, {steps:,}: nothing is measured there"
                self.experiment.warnings.append(Problem(message, item.span, "Lower it, or raise `steps`.", "warning"))
        if plan.log is not None:
            count = self.experiment.count(plan.node("log"), 1, "'log'")
            self.few(count, plan.span("log"))
            found.update(round(step) for step in np.geomspace(1, steps, count))
        return tuple(sorted(found))

    def few(self, count: int, span: Span) -> None:
        """Refuses more evaluations than anyone could read."""
        if count > MAX_EVALUATIONS:
            hint = "Measure less often: a curve needs about fifty points."
            raise problem_at(span, f"measures would be taken {count:,} times; the limit is {MAX_EVALUATIONS:,}", hint)

    def optimizers(self, training: Training) -> dict[str, OptimizerPlan]:
        """The optimiser, or one for each network."""
        model, node = training.optimizer, training.node("optimizer")
        if not isinstance(model, dict):
            return {"": self.optimizer(model)}
        optimizers = {}
        for name, entry in model.items():
            if name not in self.model.architecture:
                key = node.key(name) if isinstance(node, yaml.Mapping) else None
                networks = listing(self.model.architecture) or "there are none"
                hint = did_you_mean(name, [*self.model.architecture, *OPTIMIZERS]) or (
                    f"Name an optimiser, or give one to each network: {networks}."
                )
                raise problem_at(key.span if key else None, f"'{name}' is neither an optimiser nor a network", hint)
            optimizers[name] = self.optimizer(entry)
        missing = [name for name in self.model.architecture if name not in optimizers]
        if missing and isinstance(node, yaml.Mapping):
            message = f"there is no optimiser for {listing(f'`{name}`' for name in missing)}"
            raise problem_at(node.span, message, "Give one optimiser for all, or one for each network.")
        return optimizers

    def optimizer(self, entry: Any) -> OptimizerPlan:
        """One optimiser; its learning rate may be a term in the step."""
        row, model = OPTIMIZERS[entry.kind], entry.value
        arguments: dict[str, Any] = {}
        for name, parameter in row.parameters.items():
            value, node = getattr(model, name), model.node(name)
            if value is None:
                continue
            if parameter.kind in ("bool", "choice") or not isinstance(node, yaml.Scalar | yaml.Sequence):
                arguments[name] = value
                continue
            term = self.checker.value(node, Context("schedule" if parameter.kind == "schedule" else "constants", ()))
            if isinstance(term, t.Literal) or parameter.kind != "schedule":
                number = float(folding.number(term, f"'{name}'"))
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
            message = f"an optimiser clips in one way, and here are {listing(f'`{name}`' for name in given)}"
            raise problem_at(model.key(given[1]), message, "Leave all but one out.")
