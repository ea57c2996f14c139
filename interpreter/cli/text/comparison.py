"""Two runs side by side on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...results.number_text import SPREAD, number, ranged, spread
from ...results.verdicts import MARKS, Verdict
from ...verdicts.run_comparison import Comparison, Done, Final
from .results import COLOURS


def show(comparison: Comparison, console: Console) -> None:
    """Prints finals and verdicts side by side."""
    first, second = comparison.runs
    console.print(Text.assemble(("A ", "bold"), first.name, f"  {first.finished:%Y-%m-%d %H:%M} UTC"))
    console.print(Text.assemble(("B ", "bold"), second.name, f"  {second.finished:%Y-%m-%d %H:%M} UTC"))
    for experiment in dict.fromkeys(final.experiment for final in comparison.finals):
        console.print()
        table = _table(experiment, "", "measure", "A", "B", "B - A")
        before = ""
        for final in (final for final in comparison.finals if final.experiment == experiment):
            difference = "same cells" if final.same else _difference(final)
            name = final.program if final.program != before else ""
            before = final.program
            table.add_row(
                *map(
                    Text,
                    (
                        name,
                        final.measure.replace("_", " "),
                        _spread(final.first, final.done[0]),
                        _spread(final.second, final.done[1]),
                        difference,
                    ),
                )
            )
        console.print(table)
    if comparison.finals:
        caption = f"A, B: {SPREAD}; B - A: mean ± half of its 95 % t interval, over pairs of replicates, three or more."
        console.print()
        console.print(Text(caption, "dim"))
    if comparison.claims:
        console.print()
        table = _table("claims", "", "A", "saw", "B", "saw")
        for name, one, other in comparison.claims:
            changed = one is not None and other is not None and one.verdict != other.verdict
            table.add_row(
                Text(name, "bold" if changed else ""), _mark(one), Text(_seen(one)), _mark(other), Text(_seen(other))
            )
        console.print(table)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    table.box, table.pad_edge, table.padding = None, False, (0, 3, 0, 0)
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right", no_wrap=True)
    return table


def _spread(values: dict[int, float], done: Done) -> str:
    """The mean and the range, and how many replicates that is of, where it is not all."""
    some = f" ({done[0]} of {done[1]})" if done[0] < done[1] else ""
    if not values:
        return f"–{some}"
    return spread(values.values()) + some


def _difference(final: Final) -> str:
    difference = final.difference()
    if difference is None:
        return "–"
    if difference.mean is None:
        return f"– ({difference.undefined} of {difference.pairs} not finite)"
    if difference.same:
        return f"{number(difference.mean)} in all {difference.pairs}"
    return number(difference.mean) + (f" ± {number(difference.half)}" if difference.half is not None else "")


def _mark(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("–")
    return Text(f"{MARKS[verdict.verdict]} {verdict.verdict}", COLOURS[verdict.verdict])


def _seen(verdict: Verdict | None) -> str:
    if verdict is None or verdict.value is None:
        return "–"
    if verdict.range is None or verdict.range[0] == verdict.range[1]:
        return number(verdict.value)
    return ranged(verdict.value, *verdict.range)
