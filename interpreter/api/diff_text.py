"""A difference between studies on the terminal, wrapped at its width; in a pipe each fact stays in its line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from dlspec.spec.diff.changes import Edit, StudyDiff
from dlspec.spec.diff.costs import MAX_GROUPS, cost_groups, more_groups
from dlspec.spec.diff.marks import marked
from dlspec.spec.diff.sections import Line, PastResults, consequences, sections, warned
from rich.console import Console
from rich.text import Text

from .terminal import Columns, console_of, print_table, print_text

STYLES = {"same": "", "removed": "red strike", "added": "green"}
INDENT = "  "
MAX_PATH_WIDTH = 44
"""The text of a change begins behind its path, or in a line of its own where paths are longer."""


def print_diffs(diffs: Sequence[tuple[str, StudyDiff]], past: PastResults, stream: TextIO) -> None:
    """The differences of some studies, under their names where there are several."""
    console = console_of(stream)
    for place, (name, item) in enumerate(diffs):
        if place:
            console.print()
        print_diff(name if len(diffs) > 1 else "", item, console, past)


def print_diff(name: str, diff: StudyDiff, console: Console, past: PastResults | None = None) -> None:
    """One study's difference: the headline, warnings, changes by class, and what becomes of the cells."""
    if name:
        console.print(Text(name, "bold underline"))
    print_text(console, Text(diff.headline, "bold"), INDENT)
    for text in warned(diff):
        print_text(console, Text(f"⚠ {text}", "yellow"), INDENT)
    for title, lines in sections(diff):
        console.print()
        console.print(Text(title, "bold cyan"))
        width = min(MAX_PATH_WIDTH, max(len(line.path) for line in lines))
        for line in lines:
            _print_change(line, width, console)
    if diff.cells or diff.profiles:
        console.print()
        console.print(Text("results and costs", "bold cyan"))
        for sentence in consequences(diff):
            print_text(console, Text(INDENT + sentence), INDENT * 2)
        _print_costs(diff, console)
    if past is not None:
        _past_results(past, console)


def _print_change(line: Line, width: int, console: Console) -> None:
    """A change: its path, what was removed and added, and beside it what has to be known."""
    path = Text(INDENT + line.path.ljust(width) + INDENT, "" if line.note or line.edits else "dim")
    text = _edits(line.edits, console.no_color or not console.is_terminal)
    if line.note:
        text.append(f"{INDENT if line.edits else ''}({line.note})", "dim")
    hanging = " " * path.cell_len
    if len(line.path) > width:
        console.print(Text(INDENT + line.path))
        hanging = INDENT * 3
        path = Text(hanging)
    print_text(console, path.append_text(text), hanging)


def _edits(edits: Sequence[Edit], plain: bool) -> Text:
    """The stretches of a change; where colours do not show, marks say what was removed and added."""
    alone = len(edits) == 1 or (len(edits) == 3 and edits[1].text == " → ")
    if plain and len(edits) == 1 and edits[0].text not in ("added", "removed"):
        return Text(f"{edits[0].kind}: {edits[0].text}")
    if plain and not alone:
        return Text(marked(edits))
    styles = {kind: style.replace(" strike", "") if alone else style for kind, style in STYLES.items()}
    return Text.assemble(*((edit.text, styles[edit.kind]) for edit in edits))


def _print_costs(diff: StudyDiff, console: Console) -> None:
    groups = cost_groups(diff)
    for group in groups[:MAX_GROUPS]:
        text = Text(f"{INDENT}{group.name}: ").append("; ".join(cost.text for cost in group.costs), "dim")
        print_text(console, text, INDENT * 2)
    if more := more_groups(groups):
        console.print(Text(INDENT + more))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    console.print()
    indented = [(INDENT + row[0], *row[1:]) for row in rows]
    print_table(console, "", Columns((INDENT + heads[0], *heads[1:]), indented, left=2))


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
