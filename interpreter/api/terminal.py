"""What a terminal is shown, laid out for its width: nothing breaks inside a word or a number."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

FILE_WIDTH = 160
"""How wide a table in a file or a pipe may be, where the environment's COLUMNS does not say."""
GAP = 3
"""Between columns."""
INDENT = "  "
MIN_WIDTH = 20
"""No text is wrapped into less."""

Cell = str | Text


def console_of(stream: TextIO | None = None) -> Console:
    """A console on a stream, standard output where none is given, as wide as the terminal or a file."""
    console = Console(file=stream or sys.stdout, soft_wrap=True, highlight=False, emoji=False)
    if not wraps(console):
        console.width = FILE_WIDTH
    return console


def wraps(console: Console) -> bool:
    """Whether a console has a width of its own: in a pipe each fact stays in its line."""
    return console.is_terminal or "COLUMNS" in os.environ


def print_text(console: Console, text: Text, hanging: str = "") -> None:
    """Prints lines; where they are too long for the width they go on between words, and further lines begin with `hanging`."""
    for line in text.split("\n", allow_blank=True):
        if not wraps(console) or line.cell_len <= console.width:
            console.print(line)
            continue
        for place, part in enumerate(_wrapped(console, line, hanging)):
            console.print(Text(hanging).append_text(part) if place else part)


def _wrapped(console: Console, line: Text, hanging: str) -> Iterator[Text]:
    """The parts of a line, each as many whole words as fit; rich's own wrapping would cut a word that is longer than a line."""
    width = max(console.width, MIN_WIDTH)
    offsets: list[int] = []
    start, limit = 0, width
    for word in re.finditer(r"\S+\s*", line.plain):
        if cell_len(line.plain[start : word.end()].rstrip()) > limit and line.plain[start : word.start()].strip():
            start, limit = word.start(), max(width - len(hanging), MIN_WIDTH)
            offsets.append(start)
    for part in line.divide(offsets):
        part.rstrip()
        yield part


@dataclass(frozen=True)
class Columns:
    """A table by columns: what each is called, whether it is set to the right, and its cells, as many as there are rows."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    left: int = 1
    """So many columns are set to the left; the others, numbers, to the right."""

    def widths(self) -> list[int]:
        """The width of each column, gap included."""
        cells = zip(self.heads, *self.rows, strict=True)
        return [max(map(_width, column)) + GAP for column in cells]

    def without_gaps(self, places: Iterable[int]) -> int:
        """The width of some columns beside each other."""
        widths = self.widths()
        return sum(widths[place] for place in places) - GAP

    def transposed(self) -> Columns:
        """A row a column: what names the rows becomes the heads."""
        first, *others = zip(self.heads, *self.rows, strict=True)
        heads = [_plain(cell) for cell in first]
        return Columns(heads, others)


def print_table(console: Console, title: str, columns: Columns) -> None:
    """Prints a table with its title in the layout that takes fewest lines: as it is, in several with fewer columns each, transposed, or
    row after row with a value a line."""
    if not columns.rows:
        return
    places = list(range(len(columns.heads)))
    if columns.without_gaps(places) <= console.width:
        _print(console, title, columns, places)
        return
    sideways = columns.transposed()
    parts = _parts(columns, console.width)
    lines = {
        "parts": len(parts) * (len(columns.rows) + 2) if parts else None,
        "transposed": len(sideways.rows) + 1
        if sideways.without_gaps(range(len(sideways.heads))) <= console.width
        else None,
        "stacked": len(columns.rows) * len(columns.heads),
    }
    layout = min((name for name, count in lines.items() if count is not None), key=lambda name: lines[name] or 0)
    if layout == "parts":
        for place, part in enumerate(parts):
            if place:
                console.print()
            _print(console, "" if place else title, columns, part)
    elif layout == "transposed":
        _print(console, title, sideways, list(range(len(sideways.heads))))
    else:
        _stack(console, title, columns)


def _parts(columns: Columns, width: int) -> list[list[int]]:
    """The columns in as many tables as the width asks for, the first in each; none where one does not fit beside the first."""
    widths = columns.widths()
    parts: list[list[int]] = []
    for place in range(1, len(widths)):
        if columns.without_gaps([0, place]) > width:
            return []
        if parts and columns.without_gaps([*parts[-1], place]) <= width:
            parts[-1].append(place)
        else:
            parts.append([0, place])
    return parts


def _print(console: Console, title: str, columns: Columns, places: Sequence[int]) -> None:
    if title:
        console.print(Text(title, "bold"))
    widths = columns.widths()
    for number, row in enumerate([[Text(head, "dim") for head in columns.heads], *columns.rows]):
        line = Text()
        for place in places:
            cell = _text(row[place])
            free = " " * (widths[place] - GAP - cell.cell_len)
            line.append_text(cell).append(free) if place < columns.left else line.append(free).append_text(cell)
            line.append(" " * GAP)
        line.rstrip()
        if number or line.plain:
            console.print(line)


def _stack(console: Console, title: str, columns: Columns) -> None:
    """Row after row: what names it, then a value a line."""
    if title:
        console.print(Text(title, "bold"))
    names = [head for head in columns.heads[1:]]
    wide = max(map(cell_len, names), default=0)
    for row in columns.rows:
        print_text(console, _text(row[0]), INDENT)
        for name, cell in zip(names, row[1:], strict=True):
            value = _text(cell)
            if not value.plain:
                continue
            line = Text(f"{INDENT}{name}", "dim").append(" " * (wide - cell_len(name) + len(INDENT)))
            if line.cell_len + value.cell_len > console.width:
                console.print(Text(f"{INDENT}{name}", "dim"))
                line = Text(INDENT * 2)
            print_text(console, line.append_text(value), INDENT * 3)


def _width(cell: Cell) -> int:
    return cell_len(_plain(cell))


def _plain(cell: Cell) -> str:
    return cell.plain if isinstance(cell, Text) else cell


def _text(cell: Cell) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text(cell)
