"""The statistics of the training examples of an experiment: which are used, in which order they are taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import MeasurePlan, StatisticPlan
from .scope import ExperimentScope
from .weighed_examples import average_of_training


def statistics(
    experiment: ExperimentScope, used_in: Iterable[t.Term], measures: Sequence[MeasurePlan]
) -> tuple[StatisticPlan, ...]:
    """The statistics that stand in some terms, in names or in networks, each behind those that it is made of; of the others there is a
    warning. Errors are kept."""
    names = experiment.stage("statistics")
    average = average_of_training(experiment.data, experiment.shared)
    if not names:
        return tuple(average)
    data = experiment.data
    if data is not None and not data.train:
        message = f"'{names[0]}' is taken over the training set, and here each example is new"
        hint = "`data: {train: 1000, test: 1000}` makes a set; for new examples, write its value as a constant."
        experiment.problems.append(Problem(message, experiment.bindings[names[0]].key, hint))
        return ()
    made_of = {name: _made_of(experiment, name) for name in names if name in experiment.terms}
    every = [*used_in, *(term for name, term in experiment.terms.items() if name not in made_of)]
    every += [plan.input for plan in experiment.plans.values()]
    every += [layer.body for plan in experiment.plans.values() for layer in plan.applied() if layer.body is not None]
    standing = {name for term in every for name in _standing_in(term)} & set(made_of)
    used = standing.union(*(made_of[name] for name in standing))
    for name in made_of:
        if name not in used:
            hint = "It is never computed: use it, under `task.example` say, or delete it."
            key = experiment.bindings[name].key
            experiment.warnings.append(
                Problem(f"nothing uses the statistic '{name}'", key, hint, "warning", of_all_cells=True)
            )
    _must_not_be_redrawn(experiment, sorted(used), measures)
    ordered = sorted(made_of, key=lambda one: len(made_of[one]))
    return (*average, *(_plan(experiment, name, made_of) for name in ordered if name in used))


def _plan(experiment: ExperimentScope, name: str, made_of: dict[str, set[str]]) -> StatisticPlan:
    levels: dict[str, int] = {}
    for one in sorted([name, *made_of[name]], key=lambda one: len(made_of[one])):
        levels[one] = 1 + max((levels[other] for other in made_of[one]), default=-1)
    term = experiment.terms[name]
    plan: StatisticPlan = experiment.shared.once(
        f"statistic {name} {levels[name]}",
        (term,),
        partial(StatisticPlan, name, term, "train", True, level=levels[name]),
    )
    return plan


def _made_of(experiment: ExperimentScope, name: str) -> set[str]:
    """The other statistics that one is made of, through names of the example, too."""
    reached = experiment.dependencies.reached(experiment.terms[name])
    return {item.name for item in reached if isinstance(item, t.Reference) and item.stage == "statistics"}


def _standing_in(term: t.Term) -> list[str]:
    return [item.name for item in t.walk(term) if isinstance(item, t.Reference) and item.stage == "statistics"]


def _must_not_be_redrawn(experiment: ExperimentScope, names: Sequence[str], measures: Sequence[MeasurePlan]) -> None:
    """Refuses a statistic of what a measure draws anew: the statistic would be that of the replicate's own draw."""
    over = {
        name: item.span or measure.term.span
        for measure in measures
        for item in t.walk(measure.term)
        if isinstance(item, t.GradientStatistic)
        for name in item.over
    }
    for name in names if over else ():
        for item in experiment.dependencies.reached(experiment.terms[name]):
            if isinstance(item, t.Reference) and item.name in over:
                message = f"'{item.name}' is redrawn here, and the statistic '{name}' is taken of it only once"
                hint = "Leave it out of the statistic, or measure `gradient_variance` without one."
                experiment.problems.append(Problem(message, over[item.name], hint))
                return
