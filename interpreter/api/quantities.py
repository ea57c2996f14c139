"""Numbers of a run that are asked for in the words of claims: at each place on the axes, in each replicate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from dlspec.spec.check.quantities import quantity
from dlspec.spec.diagnostics.problems import Problem, StudyError
from dlspec.spec.ir.plan import ExperimentPlan

from ..results.replicates import Replicate, Results
from ..results.table_columns import column_name
from ..verdicts.undecided import never, undecided
from ..verdicts.values import Undecidable, is_condition, value
from .frames import column, needs

if TYPE_CHECKING:
    import pandas as pd

FIXED = ("variant", "replicate", "value", "low", "high")
"""The names that each table may have of itself."""
MOST_REASONS = 3
"""So many places are told why nothing is known there."""


@dataclass(frozen=True)
class Number:
    """What an expression is worth at a place on the axes in one replicate: the number, or the range that it lies in; NaN where it is undefined.

    A condition is 1 or 0. `replicate` is nothing where the expression is the same in all.
    """

    place: Mapping[str, Any]
    replicate: int | None
    low: float
    high: float

    @property
    def value(self) -> float:
        """The number, NaN where only a range is known."""
        return self.low if self.low == self.high else float("nan")

    @property
    def is_beyond(self) -> bool:
        """Whether a range alone is known: an event in it never came."""
        return self.low < self.high


@dataclass(frozen=True)
class Quantity:
    """An expression of a run's measures and axes with what it is worth; `reasons` say why of what is undefined, and which event never came."""

    expression: str
    experiment: str
    condition: bool
    numbers: list[Number]
    reasons: list[str]

    @cached_property
    def places(self) -> list[tuple[Mapping[str, Any], list[Number]]]:
        """Its numbers by place on the axes, the replicates of each together."""
        by_place: dict[tuple[Any, ...], list[Number]] = {}
        for number in self.numbers:
            by_place.setdefault(tuple(number.place.values()), []).append(number)
        return [(numbers[0].place, numbers) for numbers in by_place.values()]


def quantity_of(plan: ExperimentPlan, replicates: list[Replicate], expression: str) -> Quantity:
    """What an expression is worth in an experiment's replicates. Raises StudyError where it has no meaning there, or none of it was run."""
    results = Results.of_plan(plan, replicates)
    tree = quantity(plan, expression)
    try:
        grid = value(tree, results)
    except Undecidable as error:
        raise StudyError(Problem(f"`{expression}` has no value: {error}", hint="Ask for what was run.")) from None
    numbers = []
    for index in np.ndindex(*grid.low.shape):
        place: dict[str, Any] = {}
        replicate = None
        for dimension, at in grid.entry(index).items():
            if dimension == len(results.dimensions):
                replicate = at
            else:
                place |= {axis: results.axes[axis][at] for axis in results.dimensions[dimension]}
        numbers.append(Number(place, replicate, float(grid.low[index]), float(grid.high[index])))
    unknown = [grid.entry(index) for index in np.argwhere(np.isnan(grid.low)).tolist()]
    reasons = [undecided(tree, entry, results) for entry in unknown[:MOST_REASONS]]
    if len(unknown) > MOST_REASONS:
        reasons.append(f"… and {len(unknown) - MOST_REASONS:,} more are undefined")
    reasons.append(never(tree, results))
    return Quantity(expression, plan.name, is_condition(tree), numbers, list(dict.fromkeys(filter(None, reasons))))


def quantity_frame(worth: Quantity) -> pd.DataFrame:
    """A row a place on the axes that the expression keeps, and a replicate; see `Run.evaluate`."""
    needs("pandas", "pandas")
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for number in worth.numbers:
        row = {axis if axis == "variant" else column_name("axis", axis, FIXED): at for axis, at in number.place.items()}
        if number.replicate is not None:
            row["replicate"] = number.replicate
        rows.append({**row, "value": number.value, "low": number.low, "high": number.high})
    return pd.DataFrame({name: column([row[name] for row in rows]) for name in (rows[0] if rows else FIXED[2:])})
