"""Tables of a plan and of a run as pandas DataFrames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dlspec.spec.diagnostics.problems import Problem, StudyError
from dlspec.spec.ir.plan import cell_name

from ..results.export_table import axis_columns, curves_table, finals_table
from ..results.table_columns import column_name, plain

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ..results.run_list import RunRecord
    from ..schedule.estimate import Row
    from ..verdicts.run_comparison import Comparison

EXTRA = "notebook"
"""The extra that brings what this room shows results with."""


def needs(package: str, name: str) -> None:
    """Raises StudyError unless a package of the extra is installed."""
    if find_spec(package) is None:
        hint = f"`pip install 'dlspec[{EXTRA}]'` installs it."
        raise StudyError(Problem(f"this needs {name}, which is not installed", hint=hint))


def plan_frame(estimates: Sequence[Row]) -> pd.DataFrame:
    """A row a cell of a plan; see `Plan.cells`."""
    needs("pandas", "pandas")
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for row in estimates:
        program = row.program
        fixed = {
            "steps": program.training.steps if program.training else 0, "replicates": program.replicates, "stored": row.stored,
            "parameters": row.cost.parameters, "step_flops": row.cost.step, "forward_flops": row.cost.forward, "memory": row.memory,
            "seconds": row.seconds, "compiled": row.compiled, "dtype": program.dtype, "digest": program.digest,
        }  # fmt: skip
        lead = {"cell": program.name, "experiment": program.experiment, "variant": program.variant}
        axes = {column_name("axis", name, {*lead, *fixed}): value for name, value in program.point.items()}
        rows.append({**lead, **axes, **fixed})
    last = list(fixed) if rows else []
    columns = dict.fromkeys(name for made in rows for name in made if name not in last)
    return pd.DataFrame({name: column([made.get(name) for made in rows]) for name in (*columns, *last)})


def column(values: Sequence[Any]) -> pd.Series[Any]:
    """Values as a column of their kind: whole numbers stay whole where some have none, lists become text."""
    import pandas as pd

    shown = list(map(plain, values))
    kinds = {type(value) for value in shown if value is not None}
    nullable = (
        {frozenset({int}): "Int64", frozenset({bool}): "boolean"}.get(frozenset(kinds)) if None in shown else None
    )
    return pd.Series(shown, dtype=nullable)


def finals_frame(run: RunRecord, experiment: str | None) -> pd.DataFrame:
    """A row a replicate; see `Run.finals`."""
    needs("pandas", "pandas")
    cells = [item for item in run.read("cells.json") if experiment in (None, item["experiment"])]
    frame = _frame(finals_table(run, experiment))
    frame["cell"] = [cell_name(item["experiment"], item["variant"], item["constants"]) for item in cells]
    first = ["cell", "experiment", "variant", *axis_columns(cells).values()]
    return frame.reindex(columns=[*first, *(name for name in frame.columns if name not in first)])


def curves_frame(run: RunRecord, chosen: Mapping[str, str]) -> pd.DataFrame:
    """A row a number; see `Run.curves`."""
    needs("pandas", "pandas")
    return _frame(curves_table(run, chosen))


def claims_frame(claims: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row a claim; see `Run.claims`."""
    needs("pandas", "pandas")
    import pandas as pd

    rows = []
    for item in claims:
        experiment, _, name = item["id"].partition(".")
        low, high = item["range"] or (None, None)
        least, most = item["interval"] or (None, None)
        rows.append(
            {
                "claim": item["id"], "experiment": experiment, "name": name, "verdict": item["verdict"], "says": item["says"], "check": item["check"],
                "value": item["value"], "low": low, "high": high, "interval_low": least, "interval_high": most, "chance": item["chance"],
                "error": item["error"], "counted": item["counted"], "undefined": item["undefined"], "needed": item["needed"],
                "judge": item.get("judge"), "family": item["family"], "strength": item["strength"], "reason": item["reason"],
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=CLAIM_COLUMNS)
    kinds = {name: "float64" for name in ("value", "low", "high", "interval_low", "interval_high", "chance", "error")}
    return frame.astype(
        {**kinds, "counted": "Int64", "undefined": "Int64", "needed": "Int64", "judge": "string", "family": "string"}
    )


CLAIM_COLUMNS = [
    "claim", "experiment", "name", "verdict", "says", "check", "value", "low", "high", "interval_low", "interval_high", "chance",
    "error", "counted", "undefined", "needed", "judge", "family", "strength", "reason",
]  # fmt: skip


def _frame(table: pa.Table) -> pd.DataFrame:
    """A table of Arrow as a DataFrame; whole numbers stay whole where some have none."""
    import pandas as pd
    import pyarrow as pa

    frame = table.to_pandas()
    for field in table.schema:
        values = table.column(field.name)
        if pa.types.is_integer(field.type) and values.null_count:
            frame[field.name] = pd.array(values.to_pylist(), dtype="Int64")
        elif pa.types.is_boolean(field.type) and values.null_count:
            frame[field.name] = pd.array(values.to_pylist(), dtype="boolean")
    return frame


def comparison_frame(comparison: Comparison) -> pd.DataFrame:
    """A row a measure of a cell; see `Comparison.finals`."""
    needs("pandas", "pandas")
    import pandas as pd

    rows = []
    for final in comparison.finals:
        difference = final.difference()
        ends = [sum(values.values()) / len(values) if values else None for values in (final.first, final.second)]
        gap = (difference.mean, difference.half, difference.pairs) if difference else (None, None, 0)
        rows.append((final.experiment, final.program, final.measure, *ends, *gap, final.same))
    names = ["experiment", "cell", "measure", "first", "second", "difference", "half", "pairs", "same_cells"]
    numbers = dict.fromkeys(("first", "second", "difference", "half"), "float64")
    return pd.DataFrame(rows, columns=names).astype(numbers)


def compared_claims_frame(comparison: Comparison) -> pd.DataFrame:
    """A row a claim of two runs; see `Comparison.claims`."""
    needs("pandas", "pandas")
    import pandas as pd

    rows = [
        (name, *(part for one in pair for part in ((one.verdict, one.value) if one else (None, None))))
        for name, *pair in comparison.claims
    ]
    frame = pd.DataFrame(rows, columns=["claim", "first", "first_value", "second", "second_value"])
    return frame.astype({"first_value": "float64", "second_value": "float64", "first": "string", "second": "string"})
