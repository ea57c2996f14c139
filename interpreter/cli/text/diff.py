"""A difference between studies on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.spec.diff.changes import Edit, StudyDiff
from dlspec.spec.diff.sections import COLUMNS, Line, PastResults, consequences, cost_rows, sections, warned
from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {"same": "", "removed": "red strike", "added": "green"}
INDENT = "  "


def print_diff(name: str, diff: StudyDiff, console: Console, past: PastResults | None = None) -> None:
    """One study's difference: the headline, warnings, changes by class, and what becomes of the cells."""
    if name:
        console.print(Text(name, "bold underline"))
    console.print(Text(diff.headline, "bold"))
    for text in warned(diff):
        console.print(Text(f"⚠ {text}", "yellow"))
    for title, lines in sections(diff):
        console.print()
        console.print(Text(title, "bold cyan"))
        width = min(64, max(len(line.path) for line in lines))
        for line in lines:
            console.print(_line(line, width, console))
    if diff.cells:
        console.print()
        console.print(Text("results and costs", "bold cyan"))
        for sentence in consequences(diff):
            console.print(Text(INDENT + sentence))
        rows = cost_rows(diff)
        if rows:
            _table(COLUMNS, rows, console)
    if past is not None:
        _past_results(past, console)


def _line(line: Line, width: int, console: Console) -> Text:
    """A change in a line: its path, what was removed and added, and beside it what has to be known."""
    plain = console.no_color or not console.is_terminal
    text = Text(INDENT)
    text.append(line.path.ljust(width) + INDENT, "" if line.note or line.edits else "dim")
    for edit in line.edits:
        text.append_text(_edit(edit, line.edits, plain))
    if line.note:
        text.append(f"  ({line.note})", "dim")
    return text


def _edit(edit: Edit, every: Sequence[Edit], plain: bool) -> Text:
    """A stretch of a change; where colours do not show, brackets say what was removed and added."""
    alone = len(every) == 1 or (len(every) == 3 and every[1].text == " → ")
    if plain and not alone:
        frames = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
        return Text(frames[edit.kind].format(edit.text))
    if plain and len(every) == 1 and edit.text not in ("added", "removed"):
        return Text(f"{edit.kind}: {edit.text}")
    return Text(edit.text, STYLES[edit.kind] if not alone else STYLES[edit.kind].replace(" strike", ""))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for place, head in enumerate(heads):
        table.add_column(
            INDENT + head if not place else head, justify="left" if place < 2 else "right", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, (INDENT + row[0], *row[1:])))
    console.print(table)


def _past_results(past: PastResults, console: Console) -> None:
    if past.finals:
        console.print()
        console.print(Text.assemble(("stored results", "bold cyan"), (f"  {past.numbers}", "dim")))
        rows = [(cell, measure, *pair) for cell, own in past.finals.items() for measure, pair in own.items()]
        _table(("cell", "measure", "before", "after"), rows, console)
    if past.verdicts:
        console.print()
        console.print(Text("stored verdicts", "bold cyan"))
        _table(("claim", "before", "after"), [(claim, *pair) for claim, pair in past.verdicts.items()], console)
