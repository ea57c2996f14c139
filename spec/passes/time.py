"""What the counters of the language are worth at each update of a training and at each evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir.plan import TrainingPlan
from ..tables.counters import COUNTERS

Array = np.ndarray[Any, Any]
MAX_CHECKED_STEPS = 10_000
"""All steps up to so many are looked at; of more, the first, the last, those at borders of phases and some between."""


def counters(plan: TrainingPlan | None, step: Array, update: Array) -> dict[str, Array]:
    """The counters by name, int64 of the shape of `step` and `update`: how many updates were made, and which update an example is for.

    Without training, all are 0.
    """
    if plan is None:
        return {name: np.zeros_like(step) for name in COUNTERS}
    phase = np.searchsorted(np.asarray(plan.starts), update, side="right") - 1
    return {
        "step": step,
        "phase": phase,
        "phase_step": step - np.asarray(plan.starts)[phase],
        "pass": np.asarray(plan.passes)[phase],
    }


def at_updates(plan: TrainingPlan | None) -> dict[str, Array]:
    """The counters as examples and losses see them, at every update that is looked at."""
    steps = _looked_at(plan, plan.steps - 1 if plan is not None else 0)
    return counters(plan, steps, steps)


def at_evaluations(plan: TrainingPlan | None) -> dict[str, Array]:
    """The counters as measures see them, after every number of updates that is looked at."""
    steps = _looked_at(plan, plan.steps if plan is not None else 0)
    return counters(plan, steps, np.maximum(steps - 1, 0))


def _looked_at(plan: TrainingPlan | None, last: int) -> Array:
    """Steps from 0 to a last one."""
    starts = [start for start in plan.starts if start <= last] if plan is not None else []
    places = np.linspace(0, last, min(last + 1, MAX_CHECKED_STEPS)).round().astype(np.int64)
    return np.asarray(sorted({*places.tolist(), *starts, *(max(start - 1, 0) for start in starts)}), np.int64)
