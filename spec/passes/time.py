"""What the counters of the language are worth at each update of a training and at each evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..ir.plan import TrainingPlan
from ..tables.counters import COUNTERS

Array = np.ndarray[Any, Any]
MAX_CHECKED_STEPS = 10_000
"""All steps up to so many are looked at; of more, the first, the last, those at borders of phases and some between."""


class Times(Mapping[str, Array]):
    """The counters of a training by name, counted when one of them is first asked for.

    Args:
        plan: The training; without one, all counters are 0.
        behind: By how many updates what looks at them comes after the update that they number: 0 or 1.
    """

    def __init__(self, plan: TrainingPlan | None, behind: int) -> None:
        self.plan, self.behind = plan, behind

    def __getitem__(self, name: str) -> Array:
        last = self.plan.steps - 1 + self.behind if self.plan is not None else 0
        return _counters(*_phases(self.plan), last, self.behind)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COUNTERS)

    def __len__(self) -> int:
        return len(COUNTERS)


def at_updates(plan: TrainingPlan | None) -> Times:
    """The counters as examples and losses see them, at every update that is looked at."""
    return Times(plan, 0)


def at_evaluations(plan: TrainingPlan | None) -> Times:
    """The counters as measures see them, after every number of updates that is looked at."""
    return Times(plan, 1)


def _phases(plan: TrainingPlan | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The steps at which phases begin, and which pass each is."""
    return (plan.starts, plan.passes) if plan is not None else ((), ())


@lru_cache(maxsize=8)
def _counters(starts: tuple[int, ...], passes: tuple[int, ...], last: int, behind: int) -> dict[str, Array]:
    """The counters by name, int64 of one shape, from step 0 to a last one: of the cells of an experiment mostly the same.

    They are those of the update that comes next, or of the one that many behind it. Without training, all are 0.
    """
    step = _looked_at(starts, last)
    if not starts:
        return {name: np.zeros_like(step) for name in COUNTERS}
    phase = np.searchsorted(np.asarray(starts), np.maximum(step - behind, 0), side="right") - 1
    counted = {
        "step": step,
        "phase": phase,
        "phase_step": step - np.asarray(starts)[phase],
        "pass": np.asarray(passes)[phase],
    }
    for values in counted.values():
        values.setflags(write=False)
    return counted


def _looked_at(starts: tuple[int, ...], last: int) -> Array:
    """Steps from 0 to a last one."""
    begun = [start for start in starts if start <= last]
    places = np.linspace(0, last, min(last + 1, MAX_CHECKED_STEPS)).round().astype(np.int64)
    return np.asarray(sorted({*places.tolist(), *begun, *(max(start - 1, 0) for start in begun)}), np.int64)
