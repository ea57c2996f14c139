"""Runs as a table of text."""

from __future__ import annotations

from collections.abc import Sequence

from ...results.run_list import RunRecord
from ...results.verdicts import PLURAL, VERDICTS


def table(runs: Sequence[RunRecord]) -> str:
    """One line a run: its name, when it ended, its replicates, its verdicts."""
    rows = [("run", "ended (UTC)", "replicates", "claims")]
    rows += [(run.name, f"{run.finished:%Y-%m-%d %H:%M}", replicates(run), claims(run)) for run in runs]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "   ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def replicates(run: RunRecord) -> str:
    """How many replicates, and how many of them did not end well."""
    total = sum(run.replicates.values())
    rest = [f"{count:,} {status}" for status, count in run.replicates.items() if status != "done"]
    return f"{total:,}" + (f" ({', '.join(rest)})" if rest else "")


def claims(run: RunRecord) -> str:
    """How many claims came out how."""
    return ", ".join(f"{run.verdicts[name]} {PLURAL[name]}" for name in VERDICTS if run.verdicts.get(name)) or "–"
