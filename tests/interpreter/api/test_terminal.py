"""What a terminal is shown breaks inside no word and no number, whatever its width."""

from __future__ import annotations

import io
import re

import pytest
from dlspec.interpreter.api.terminal import Columns, print_table, print_text
from rich.console import Console
from rich.text import Text

CELLS = ("d = 2", "d = 16", "a long name of a variant, d = 16")
MEASURES = ("accuracy", "error", "norm of w", "gradient variance", "margin")


def console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True, soft_wrap=True, highlight=False)


def printed(stream: Console) -> str:
    assert isinstance(stream.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.file.getvalue())


def table(cells: tuple[str, ...], measures: tuple[str, ...]) -> Columns:
    rows = [
        (cell, *(f"0.{place}{n}3 (0.{place}{n}1 … 0.{place}{n}9)" for n in range(len(measures))))
        for place, cell in enumerate(cells)
    ]
    return Columns(("", *measures), rows)


def fits(text: str, width: int) -> bool:
    return all(len(line) <= width for line in text.splitlines())


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("cells", [CELLS[:1], CELLS[:2], CELLS])
def test_every_cell_of_a_table_is_there_whole_within_the_width(width: int, cells: tuple[str, ...]) -> None:
    columns = table(cells, MEASURES)
    shown = console(width)
    print_table(shown, "experiment", columns)
    text = printed(shown)
    assert fits(text, width), text
    assert all(value in text for _, *values in columns.rows for value in values)
    assert all(word in text for word in (*cells, *MEASURES, "experiment"))


def test_the_layout_takes_fewest_lines() -> None:
    wide, sideways, stacked, parts = (console(width) for width in (200, 80, 30, 80))
    print_table(wide, "", table(CELLS[:2], MEASURES))
    assert len(printed(wide).splitlines()) == 3, "as it is"
    print_table(sideways, "", table(CELLS[:2], MEASURES))
    assert [line.split("  ")[0] for line in printed(sideways).splitlines()][1:] == list(MEASURES), "a measure a row"
    print_table(stacked, "", table(CELLS, MEASURES))
    assert printed(stacked).splitlines()[0] == "d = 2", "a cell, then a measure a line"
    print_table(parts, "", table(tuple(f"d = {n}" for n in range(9)), MEASURES))
    assert printed(parts).count("d = 3 ") == 2, "two tables, all with the cells"


def test_text_goes_on_between_words() -> None:
    shown = console(30)
    print_text(shown, Text("the number 0.1234567890123 and a/path/that/is/longer/than/the/whole/width ends here"), "  ")
    lines = printed(shown).splitlines()
    assert lines == ["the number 0.1234567890123 and", "  a/path/that/is/longer/than/the/whole/width", "  ends here"]


def test_in_a_pipe_each_fact_stays_in_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    shown = Console(file=io.StringIO(), width=30, soft_wrap=True)
    print_text(shown, Text("word " * 20))
    assert len(printed(shown).splitlines()) == 1
