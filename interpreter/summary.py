"""What a run says at its end: finals with their spread, verdicts, and where everything lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from .claims import Verdict
from .figures.draw import label, programs
from .results import Results

MARKS = {"holds": ("✓", "green"), "fails": ("✗", "red"), "inconclusive": ("?", "yellow")}


def number(value: float) -> str:
    """A number in four digits at most.

    >>> number(0.00012345), number(12.0)
    ('0.000123', '12')
    """
    return f"{value:.3g}"


def print_finals(results: Mapping[str, Results], console: Console) -> None:
    """A table an experiment: each measure's mean over replicates, with the range that they span."""
    for name, found in results.items():
        measures = [m for m in dict.fromkeys(m for cell in found.cells for m in cell.curves) if _scalar(found, m)]
        table = Table(title=name, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2))
        table.add_column("")
        for measure in measures:
            table.add_column(measure.replace("_", " "), justify="right")
        table.add_column("steps", justify="right")
        table.add_column("replicates", justify="right")
        for group in programs(found.cells):
            row = [label(group[0])]
            for measure in measures:
                values = [float(cell.curves[measure][-1]) for cell in group if cell.curves.get(measure)]
                row.append(_spread(values))
            good = sum(cell.status == "done" for cell in group)
            steps = max((cell.steps[-1] for cell in group if cell.steps), default=0)
            table.add_row(*row, f"{steps:,}", str(good) if good == len(group) else f"{good} of {len(group)}")
        console.print(table)
        for cell in found.cells:
            if cell.status != "done":
                console.print(f"  {label(cell)}, replicate {cell.replicate}: {cell.status}: {cell.message}", style="yellow", highlight=False)
        console.print()


def _scalar(found: Results, measure: str) -> bool:
    return all(np.ndim(cell.curves[measure][-1]) == 0 for cell in found.cells if cell.curves.get(measure))


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    mean = number(float(np.mean(values)))
    return mean if len(values) == 1 else f"{mean} [{number(min(values))}, {number(max(values))}]"


def print_claims(verdicts: Sequence[Verdict], console: Console) -> None:
    """One line a claim: its verdict, its sentence, what was seen."""
    for verdict in verdicts:
        mark, colour = MARKS[verdict.verdict]
        seen = ""
        if verdict.value is not None:
            seen = f"saw {number(verdict.value)}"
            if verdict.interval is not None and verdict.interval[0] != verdict.interval[1]:
                seen += f" [{number(verdict.interval[0])}, {number(verdict.interval[1])}]"
        console.print(f"[{colour}]{mark} {verdict.verdict:<12}[/] {verdict.claim.says}", highlight=False)
        details = "; ".join(part for part in (seen, verdict.reason) if part)
        console.print(f"               [dim]{verdict.claim.text}[/]" + (f"  {details}" if details else ""), highlight=False)
