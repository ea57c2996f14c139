"""Tables of a plan and of a run as pandas DataFrames."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dlspec.spec.diagnostics.problems import Problem, SpecError

if TYPE_CHECKING:
    import pandas as pd

    from .planning import Plan

EXTRA = "notebook"
"""The extra that brings what this room shows results with."""


def needs(package: str, name: str) -> None:
    """Raises StudyError unless a package of the extra is installed."""
    if find_spec(package) is None:
        hint = f"`pip install 'dlspec[{EXTRA}]'` installs it."
        raise SpecError(Problem(f"this needs {name}, which is not installed", hint=hint))


def plan_frame(plan: Plan) -> pd.DataFrame:
    """A row a cell of a plan; see `Plan.cells`."""
    needs("pandas", "pandas")
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for row in plan.rows:
        program = row.program
        fixed = {
            "steps": program.training.steps if program.training else 0, "replicates": program.replicates, "stored": row.stored,
            "parameters": row.cost.parameters, "step_flops": row.cost.step, "forward_flops": row.cost.forward, "memory": row.memory,
            "seconds": row.seconds, "compiled": row.compiled, "dtype": program.dtype, "digest": program.digest,
        }  # fmt: skip
        lead = {"cell": program.name, "experiment": program.experiment, "variant": program.variant}
        axes = {axis_column(name, {*lead, *fixed}): value for name, value in program.point.items()}
        rows.append({**lead, **axes, **fixed})
    last = list(fixed) if rows else []
    columns = dict.fromkeys(name for made in rows for name in made if name not in last)
    return pd.DataFrame({name: column([made.get(name) for made in rows]) for name in (*columns, *last)})


def axis_column(name: str, taken: set[str]) -> str:
    """The column of an axis: its name, or `axis.NAME` where the table has such a column already.

    >>> axis_column("d", {"steps"}), axis_column("steps", {"steps"})
    ('d', 'axis.steps')
    """
    return f"axis.{name}" if name in taken else name


def column(values: list[Any]) -> Any:
    """Values as a column of their kind: whole numbers stay whole where some have none, lists become text."""
    import pandas as pd

    plain = [value if value is None or isinstance(value, bool | int | float | str) else str(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds == {int} and None in plain:
        return pd.array(plain, dtype="Int64")
    if kinds == {bool} and None in plain:
        return pd.array(plain, dtype="boolean")
    return plain
