"""Two runs side by side on the terminal."""

from __future__ import annotations

from typing import TextIO

from dlspec.spec.diff import StudyDiff
from rich.console import Console
from rich.text import Text

from ..results.verdicts import MARKS, Verdict
from ..verdicts.run_comparison import CAPTION, difference_text, seen, spread_text
from ..verdicts.run_comparison import Comparison as Numbers
from .diff_text import print_diff
from .terminal import Columns, console_of, print_table, print_text
from .verdict_colours import COLOURS


def print_comparison(numbers: Numbers, diff: StudyDiff | None, stream: TextIO | None = None) -> None:
    """Prints what differs in what was run, finals and verdicts side by side; on standard output where no other stream is given."""
    console = console_of(stream)
    for letter, run in zip("AB", numbers.runs, strict=True):
        print_text(
            console, Text.assemble((f"{letter} ", "bold"), run.name, f"  {run.finished:%Y-%m-%d %H:%M} UTC"), "  "
        )
    for words in numbers.warnings:
        print_text(console, Text(words, "yellow"), "  ")
    if diff is not None:
        console.print()
        console.print(Text("from A to B", "bold"))
        print_diff("", diff, console)
    print_numbers(numbers, console)


def print_numbers(numbers: Numbers, console: Console) -> None:
    """Prints finals and verdicts side by side."""
    for experiment in dict.fromkeys(final.experiment for final in numbers.finals):
        console.print()
        rows: list[tuple[str, ...]] = []
        before = ""
        for final in (final for final in numbers.finals if final.experiment == experiment):
            name = final.program if final.program != before else ""
            before = final.program
            pair = spread_text(final.first, final.done[0]), spread_text(final.second, final.done[1])
            rows.append((name, final.measure.replace("_", " "), *pair, difference_text(final)))
        print_table(console, experiment, Columns(("", "measure", "A", "B", "B - A"), rows, left=2))
    if numbers.finals:
        console.print()
        print_text(console, Text(CAPTION, "dim"))
    _claims(numbers, console)


def _claims(numbers: Numbers, console: Console) -> None:
    if not numbers.claims:
        return
    rows = []
    for name, one, other in numbers.claims:
        changed = one is not None and other is not None and one.verdict != other.verdict
        rows.append((Text(name, "bold" if changed else ""), _mark(one), seen(one), _mark(other), seen(other)))
    console.print()
    print_table(console, "claims", Columns(("", "A", "A saw", "B", "B saw"), rows))


def _mark(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("–")
    return Text(f"{MARKS[verdict.verdict]} {verdict.verdict}", COLOURS[verdict.verdict])
