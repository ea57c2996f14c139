"""Runs as a table."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.console import Console

from ...api.terminal import Columns, print_table
from ...results.run_list import RunRecord
from ...results.verdicts import VERDICTS, counted


def print_runs(runs: Sequence[RunRecord], console: Console) -> None:
    """One line a run: its name, when it ended, its replicates, its verdicts, and with which overrides it was run, where some were."""
    heads = ["run", "ended (UTC)", "replicates", "claims"]
    rows = [[run.name, f"{run.finished:%Y-%m-%d %H:%M}", replicates(run), claims(run)] for run in runs]
    if any(map(options, runs)):
        heads.append("options")
        rows = [[*row, options(run)] for row, run in zip(rows, runs, strict=True)]
    print_table(console, "", Columns(heads, rows, left=len(heads)))


def options(run: RunRecord) -> str:
    """The overrides of a run, and what of the study was run alone, as the command line writes them."""
    words = [word for text in run.overrides for word in ("-o", text)]
    return shlex.join([*words, *(word for text in run.only for word in ("--only", text))])


def replicates(run: RunRecord) -> str:
    """How many replicates, and how many of them did not end well."""
    total = sum(run.replicates.values())
    rest = [f"{count:,} {status}" for status, count in run.replicates.items() if status != "done"]
    return f"{total:,}" + (f" ({', '.join(rest)})" if rest else "")


def claims(run: RunRecord) -> str:
    """How many claims came out how."""
    return ", ".join(counted(name, run.verdicts[name]) for name in VERDICTS if run.verdicts.get(name)) or "–"
