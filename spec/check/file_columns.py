"""Columns of data files by name, and what is said of those that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..data_files.described import called
from ..data_files.survey import Column
from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..ir.data import NamedFile


def column_of(files: Sequence[NamedFile], file: str, name: str, span: Span, read: bool = False) -> Column:
    """A column of a file; as its values make it where it is to be `read`. Raises StudyError where there is none of the name, or it cannot be used."""
    survey = next(item for item in files if item.name == file).survey
    columns: Mapping[str, Column] = survey.columns
    if name not in columns:
        if not name:
            hint = f"`{file}.{next(iter(columns))}` is one of them: {listing(columns)}."
            raise problem_at(span, f"'{file}' is a file of {len(columns)} columns, not a value", hint)
        hint = did_you_mean(name, columns) or (
            f"It is one array: `{file}`." if list(columns) == [""] else f"Its columns are {listing(columns)}."
        )
        raise problem_at(span, f"'{file}' has no column '{name}'", hint)
    column: Column = survey.read(name) if read else columns[name]
    if column.problem:
        hint = "`dlspec data FILE` describes all columns. Save it another way, or leave it out."
        raise problem_at(span, f"'{called(file, name)}' cannot be used: {column.problem}", hint)
    return column


def gap(name: str, column: Column) -> str:
    """What is said of a column with missing values."""
    return f"'{name}' has no finite value in {column.missing:,} rows, the first of them row {column.first_missing}"


def gap_hint(column: Column) -> str:
    """How it is mended."""
    return f"`missing: [{column.name}]` leaves these rows out." if column.name else "Leave these rows out of the file."
