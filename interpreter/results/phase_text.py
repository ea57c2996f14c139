"""The phases of a training in words."""

from __future__ import annotations

from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir.plan import Phase, TrainingPlan


def phases(plan: TrainingPlan | None) -> str:
    """What comes after what: steps and passes, terms of the loss, what begins anew, and what holds weights; nothing where there are none."""
    if plan is None or not plan.phases[0].name:
        return ""
    return "; ".join(map(_phase, plan.phases))


def _phase(phase: Phase) -> str:
    times = f"{phase.times:,} × " if phase.times > 1 else ""
    words = f"{phase.name} {times}{phase.steps:,} step{'' if phase.steps == 1 else 's'} of {listing(term.name for term in phase.loss)}"
    if phase.restart:
        words += f", {listing(map(str, phase.restart))} anew"
    if phase.until is not None:
        words += f", held once {phase.until.text}"
    return words
