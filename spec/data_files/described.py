"""A survey as a text: a line a column."""

from __future__ import annotations

from ..diagnostics.problems import listing, shortened
from ..ir.types import shape_text
from ..source.names import KEYWORDS, file_name, is_name
from .survey import Column, Survey

MAX_LINES = 200
MAX_SHOWN_CLASSES = 12


def describe(survey: Survey) -> str:
    """The text of `dlspec data`: rows and checksum, and of each column how a study calls it and what it is."""
    columns = list(survey.columns.values())
    rows = sorted({column.rows for column in columns if not column.problem}) or [columns[0].rows]
    counted = f"{rows[0]:,} rows" if len(rows) == 1 else f"{rows[0]:,} to {rows[-1]:,} rows"
    many = f"{len(columns):,} column{'s' if len(columns) != 1 else ''}"
    stem = file_name(survey.name)
    lines = [
        (called(stem, column.name), _type(column), column.stored, _facts(column)) for column in columns[:MAX_LINES]
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(3)]
    text = [
        f"{survey.name}: {counted}, {many}",
        f"sha256 of its values: {survey.checksum}",
        "",
        *(
            "  ".join([*(part.ljust(width) for part, width in zip(line, widths, strict=False)), line[3]]).rstrip()
            for line in lines
        ),
    ]
    if len(columns) > MAX_LINES:
        text.append(f"… and {len(columns) - MAX_LINES:,} more; `--json` gives all")
    return "\n".join(text)


def called(stem: str, name: str) -> str:
    """How expressions write a column: `digits.label`; a file's only array is `digits`."""
    if not name:
        return stem
    return f"{stem}.{name}" if is_name(name) else f"{stem}: '{shortened(name)}'"


def columns_text(survey: Survey) -> dict[str, str]:
    """The columns that an expression can write by a name of their own, each with what it is."""
    columns = [column for column in survey.columns.values() if is_name(column.name)]
    return {column.name: ", ".join(filter(None, [_type(column), _facts(column)])) for column in columns[:MAX_LINES]}


def _type(column: Column) -> str:
    if column.problem:
        return "unusable"
    return column.kind + (shape_text(column.shape) if column.shape else "")


def _facts(column: Column) -> str:
    facts = [column.problem]
    if not column.problem and not (is_name(column.name) or not column.name):
        word = "is a word of the language" if column.name in KEYWORDS else "is not a name"
        facts.append(f"{word}: rename it to use it alone")
    if column.low is not None and column.kind in ("int", "real"):
        facts.append(
            f"{column.low:g} to {column.high:g}" if column.kind == "real" else f"{column.low} to {column.high}"
        )
    if column.kind == "real" and column.low is not None and column.first_fraction is None:
        facts.append("all whole")
    if column.missing:
        facts.append(f"{column.missing:,} missing, the first in row {column.first_missing}")
    if column.classes and not column.problem:
        shown = [f"{shortened(name, 20)} ({count:,})" for name, count in column.classes.items()]
        facts.append("classes " + listing(shown, MAX_SHOWN_CLASSES))
    return "; ".join(fact for fact in facts if fact)
