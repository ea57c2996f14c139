"""Estimates: what is taken once, at the end of a phase of training, and is a constant from then on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ..diagnostics.problems import Problem, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.plan import EstimatePlan, LossPlan, MeasurePlan, ProbePlan, TrainingPlan
from ..model.experiment import Estimate
from .scope import ExperimentScope


def estimates(
    experiment: ExperimentScope,
    training: TrainingPlan | None,
    loss: Iterable[LossPlan],
    measures: Iterable[MeasurePlan],
    probes: Iterable[ProbePlan],
) -> tuple[EstimatePlan, ...]:
    """The estimates that stand in what is minimised, measured or shown; of the others there is a warning."""
    found = [experiment.attempt(partial(_estimate, experiment, name, training)) for name in experiment.model.estimates]
    if not found:
        return ()
    roots = [*(item.term for item in loss), *(item.term for item in measures)]
    roots += [term for probe in probes for term in probe.terms.values()]
    used = {
        item.name
        for root in roots
        for item in experiment.dependencies.reached(root)
        if isinstance(item, t.Reference) and item.stage == "estimates"
    }
    for plan in found:
        if plan is not None and plan.name not in used:
            span = experiment.bindings[plan.name].key
            hint = "It is never computed: use it in a loss or in a measure, or delete it."
            experiment.warnings.append(
                Problem(f"nothing uses the estimate '{plan.name}'", span, hint, "warning", of_all_cells=True)
            )
    return tuple(plan for plan in found if plan is not None and plan.name in used)


def _estimate(experiment: ExperimentScope, name: str, training: TrainingPlan | None) -> EstimatePlan | None:
    """One estimate; None where its term has an error. Raises StudyError."""
    entry: Estimate = experiment.model.estimates[name]
    _must_be_a_phase(experiment, name, entry, training)
    examples = _examples(experiment, name, entry)
    if name not in experiment.terms:
        return None
    term = experiment.terms[name]
    plan: EstimatePlan = experiment.shared.once(
        f"estimate {name} {entry.after} {examples}",
        (term,),
        lambda: EstimatePlan(name, term, "train", True, entry.after, examples),
    )
    return plan


def _must_be_a_phase(experiment: ExperimentScope, name: str, entry: Estimate, training: TrainingPlan | None) -> None:
    """Refuses an end of no phase, and that of the last pass of all, after which nothing is trained or measured."""
    span, known = entry.span("after"), experiment.training_phases
    if entry.after not in known:
        if not known:
            hint = "Give the training `phases:`, or make it a measure."
            raise problem_at(
                span, f"the estimate '{name}' is taken at the end of a phase of training, and there are none", hint
            )
        hint = did_you_mean(entry.after, known) or f"The phases are {listing(known)}."
        raise problem_at(span, f"there is no phase '{entry.after}'", hint)
    if training is None:
        return
    passes = {phase.name: phase.times for phase in training.phases if phase.steps}
    if not passes.get(entry.after):
        raise problem_at(span, f"the phase '{entry.after}' has 0 steps here, and no end", "Give it steps.")
    if list(passes)[-1] == entry.after and passes[entry.after] == 1:
        message = f"the phase '{entry.after}' is the last: what is taken at its end is never used"
        raise problem_at(span, message, "Make it a measure: `final(…)` is its value at the last step.")


def _examples(experiment: ExperimentScope, name: str, entry: Estimate) -> int:
    """Over how many examples it is taken."""
    data, node = experiment.data, entry.node("examples")
    most = data.train if data is not None else 0
    if node is None:
        if not most and data is not None:
            hint = "`examples: 2000`, say: the standard error falls with the root of their number."
            raise problem_at(entry.span("of"), f"the estimate '{name}' does not say over how many examples", hint)
        return most
    count = experiment.count(node, None, f"the number of examples of the estimate '{name}'")
    if most and count > most:
        raise problem_at(
            node.span, f"{count:,} examples are asked for, and there are {most:,}", "Leave it out to take all."
        )
    if data is not None and data.exact and count < most:
        raise problem_at(
            node.span, "every value of a draw is an example, and an expectation is over all", "Leave `examples` out."
        )
    return count
