"""The phases of a training in words."""

from __future__ import annotations

from collections.abc import Mapping

from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Mode, Phase, TrainingPlan
from dlspec.spec.passes.print_term import spell
from dlspec.spec.tables.gradient_modes import DEFAULT_MODE


def phases(plan: TrainingPlan | None) -> str:
    """What comes after what: steps and passes, terms of the loss, gradient modes that are others than in the first, what begins anew, and what
    holds weights; nothing where there are none."""
    if plan is None or not plan.phases[0].name:
        return ""
    return "; ".join(map(_phase, plan.phases))


def _phase(phase: Phase) -> str:
    times = f"{phase.times:,} × " if phase.times > 1 else ""
    words = f"{phase.name} {times}{phase.steps:,} step{'' if phase.steps == 1 else 's'} of {listing(term.name for term in phase.loss)}"
    if phase.gradient is not None:
        words += f", gradient {modes(phase.gradient)}"
    if phase.restart:
        words += f", {listing(map(str, phase.restart))} anew"
    if phase.until is not None:
        words += f", held once {phase.until.text}"
    return words


def modes(gradient: Mapping[str, Mode]) -> str:
    """Gradient modes by their targets: `f.head: freeze`; where none is given, the default."""
    found = (f"{target}: {mode.name}{_number(mode.value)}" for target, mode in gradient.items())
    return f"{{{', '.join(found)}}}" if gradient else DEFAULT_MODE.name


def _number(value: float | t.Term | None) -> str:
    return "" if value is None else f" {spell(value)}" if isinstance(value, t.Term) else f" {value:g}"
