"""Finals as a notebook shows them."""

from __future__ import annotations

from ..report.final_values import Finals
from . import html


def finals_table(group: Finals) -> html.Html:
    """An experiment's finals: a cell a row, a measure a column."""
    heads = [group.experiment, *(name.replace("_", " ") for name in group.measures), "steps", "replicates"]
    rows = [
        [
            row.name,
            *(f"{one.mean} ({one.range})" if one.range else one.mean for one in row.finals),
            row.steps,
            row.replicates,
        ]
        for row in group.rows
    ]
    return html.table(heads, rows, numbers=1)
