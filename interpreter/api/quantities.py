"""Numbers of a run that are asked for in the words of claims, as a pandas DataFrame."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from dlspec.spec.check.quantities import quantity
from dlspec.spec.diagnostics.problems import Problem, StudyError
from dlspec.spec.ir.plan import ExperimentPlan

from ..results.replicates import Replicate, Results
from ..results.table_columns import column_name
from ..verdicts.values import Undecidable, value
from .frames import column, needs

if TYPE_CHECKING:
    import pandas as pd

FIXED = ("variant", "replicate", "value", "low", "high")
"""The names that each table may have of itself."""


def quantity_frame(plan: ExperimentPlan, replicates: list[Replicate], expression: str) -> pd.DataFrame:
    """A row a place on the axes that the expression keeps, and a replicate; see `Run.evaluate`."""
    needs("pandas", "pandas")
    import pandas as pd

    results = Results.of_plan(plan, replicates)
    tree = quantity(plan, expression)
    try:
        grid = value(tree, results)
    except Undecidable as error:
        raise StudyError(Problem(f"`{expression}` has no value: {error}", hint="Ask for what was run.")) from None
    names = {axis: axis if axis == "variant" else column_name("axis", axis, FIXED) for axis in results.axes}
    rows: list[dict[str, Any]] = []
    for index in product(*map(range, grid.low.shape)):
        row: dict[str, Any] = {}
        for dimension, place in grid.entry(index).items():
            if dimension == len(results.dimensions):
                row["replicate"] = place
            else:
                row |= {names[axis]: results.axes[axis][place] for axis in results.dimensions[dimension]}
        low, high = float(grid.low[index]), float(grid.high[index])
        rows.append({**row, "value": low if low == high else float("nan"), "low": low, "high": high})
    return pd.DataFrame({name: column([row[name] for row in rows]) for name in (rows[0] if rows else FIXED[2:])})
