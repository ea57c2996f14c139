"""Replicates that hold their weights to the end of a pass of training: their phase's `until` was met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf
from dlspec.spec.ir.plan import TrainingPlan

from ..results.replicates import Replicate
from ..verdicts.values import reached
from .state import State


class Holding:
    """Which rows hold their weights in which pass of training. What they would have become is computed beside the others', and dropped.

    Held are weights with their moving statistics, what optimisers keep of them, and what is kept of updates; what counts the steps, for all
    rows in common, goes on.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.rows: dict[int, set[int]] = {}
        """By the number of the pass."""

    def begin(self) -> None:
        """Lets all rows go on."""
        self.rows = {}

    def hold(self, number: int, rows: Sequence[int]) -> None:
        """Holds some rows in a pass, from the present step on."""
        self.rows.setdefault(number, set()).update(rows)

    def of_pass(self, number: int) -> list[int]:
        """The rows that are held in a pass."""
        return sorted(self.rows.get(number, ()))

    @contextmanager
    def held(self, number: int) -> Iterator[None]:
        """Puts the rows that a pass holds back where they were, once it has gone on."""
        rows = self.of_pass(number)
        variables = self.state.of_rows_alone() if rows else []
        before = [tf.identity(variable.value) for variable in variables]
        yield
        for variable, value in zip(variables, before, strict=True):
            if len(rows) < self.state.rows:
                places = [[row] for row in rows]
                value = tf.tensor_scatter_nd_update(variable.value, places, tf.gather(value, rows))
            variable.assign(value)


def held_from(plan: TrainingPlan | None, replicate: Replicate) -> dict[int, int]:
    """By the number of the pass from which evaluation on a replicate held its weights in it: of all that it has so far."""
    starts: dict[int, int] = {}
    if plan is None or all(phase.until is None for phase in plan.phases):
        return starts
    for count, step in enumerate(replicate.steps, 1):
        number = plan.pass_within(step)
        if number is None or number in starts or (until := plan.phases[plan.owners[number]].until) is None:
            continue
        curves = {name: values[:count] for name, values in replicate.curves.items()}
        so_far = Replicate(replicate.experiment, "", {}, 0, "", steps=replicate.steps[:count], curves=curves)
        if reached(until.tree, so_far):
            starts[number] = step
    return starts


def held_text(plan: TrainingPlan, starts: dict[int, int]) -> str:
    """What is said of a replicate that held its weights: in which phases, and from which steps on."""
    borders = plan.borders
    parts = []
    for number, step in starts.items():
        border = borders[number]
        passed = (
            f"{border['phase']}[{border['pass']}]" if plan.phases[plan.owners[number]].times > 1 else border["phase"]
        )
        parts.append(f"its weights were held in the phase {passed} from step {step:,} to step {border['end']:,}")
    return "; ".join(parts)
