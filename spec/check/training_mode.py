"""Measures in which layers compute as in an update: they are over batches of the training's size, and no gradient is of one example of these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..diagnostics.problems import Problem, listing
from ..ir import terms as t
from ..ir.plan import MeasurePlan, Program
from ..passes.reached_examples import reached
from .value_gradients import coupling


def measured_as_trained(program: Program) -> list[Problem]:
    """What is wrong with the measures in training mode."""
    return [problem for measure in program.measures if measure.in_training for problem in _problems(program, measure)]


def _problems(program: Program, measure: MeasurePlan) -> Iterator[Problem]:
    plan, term = program.training, measure.in_training[0]
    if plan is None:
        hint = "Leave `mode` out, or give the experiment a `training`."
        yield Problem(
            "`mode: training` is over batches as they are trained on, and nothing is trained here", term.span, hint
        )
        return
    sizes = [phase.batch for phase in plan.phases]
    if len(set(sizes)) > 1:
        shown = listing(f"{phase.batch:,} in '{phase.name}'" for phase in plan.phases)
        message = f"`mode: training` is over batches as they are trained on, and they hold {shown}"
        yield Problem(message, term.span, "Give all phases one `batch`, or leave `mode` out.")
        return
    for stream in dict.fromkeys(one.on or measure.on for one in measure.in_training):
        there = program.evaluated(stream)
        if there < plan.largest_batch:
            message = f"a batch holds {plan.largest_batch:,} examples, and there are {there:,} of '{stream}': not one batch to measure in training mode"
            hint = (
                "Take more, or train on smaller batches." if stream == "train" else "Take more, or measure `on: train`."
            )
            yield Problem(message, term.span, hint)
    others = [one for one in t.walk(measure.term) if isinstance(one, t.Expectation) and one.mode is None]
    for item in reached(program, measure.in_training, others):
        if isinstance(item, t.Gradient | t.ValueGradient | t.Directional) and (problem := coupling(program, item)):
            yield replace(problem, hint=f"{problem.hint} Without `mode`, in inference, no example depends on another.")
