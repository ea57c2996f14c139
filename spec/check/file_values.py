"""The terms of columns of data files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..diagnostics.problems import Span, StudyError, problem_at
from ..ir import terms as t
from ..ir.data import DataSource, Rows
from ..ir.types import KINDS, Type
from ..tables.dtypes import DTYPES
from ..tables.operations.intervals import INT32
from . import constant_folding as folding
from .file_columns import column_of, gap, gap_hint
from .named_columns import Columns

STAGE = "example"


def file_value(source: DataSource | None, named: Columns, stage: str, span: Span, dtype: str) -> t.FileValue:
    """The term of some columns of a file. Raises StudyError for what no example can have; of a file with an error without a word."""
    real = DTYPES[dtype].real
    file, columns, several = named.file, list(named.names), named.several
    if not isinstance(source, Rows):
        raise StudyError([])
    if stage != STAGE:
        hint = f"Give it a name there: `task: {{example: {{x: {file}…}}}}`."
        raise problem_at(span, f"columns of '{file}' are allowed only in `task.example`", hint)
    if several:
        columns = _between(source, file, columns, span)
    taken = [column_of(source.files, file, name, span) for name in columns]
    complete = {(item.file, item.column) for item in source.complete}
    for column in taken:
        shown = f"{file}.{column.name}" if column.name else file
        if column.kind == "text":
            hint = "Write classes as whole numbers from 0. `stratify`, `group` and `train` take texts."
            if {text.lower() for text in column.classes or ("",)} <= {"true", "false"}:
                hint = "Only `true` and `false`, in small letters, are bools: write the column so."
            raise problem_at(span, f"'{shown}' is a text, and expressions have numbers and bools", hint)
        if column.rows != source.rows:
            message = f"'{shown}' has {column.rows:,} rows, and other columns have {source.rows:,}"
            raise problem_at(span, message, "An example is one row of all of them.")
        if column.missing and (file, column.name) not in complete:
            raise problem_at(span, gap(shown, column), gap_hint(column))
        for bound in (column.low, column.high):
            if column.kind == "real" and bound is not None and abs(bound) > float(np.finfo(real).max):
                message = f"'{shown}' holds {bound:g}, which is infinite in {real}"
                raise problem_at(span, message, "`dtype: float64` holds it; or save it in a larger unit.")
            if column.kind == "int" and bound is not None and not INT32[0] <= bound <= INT32[1]:
                message = f"'{shown}' holds {bound}, and ints have 32 bits"
                raise problem_at(span, message, "Save it as float64, or count from a smaller number.")
    shapes = {column.shape for column in taken}
    if len(shapes) > 1:
        raise problem_at(span, "these columns have different shapes", "Take those of one shape.")
    kind = max((column.kind for column in taken), key=KINDS.index)
    result = Type(kind, (len(taken), *taken[0].shape) if several else taken[0].shape)
    bounds = [
        int(bound) for c in taken if kind != "real" for bound in (c.low or 0, c.high or 0 if c.kind == "int" else 1)
    ]
    return t.FileValue(
        file, tuple(columns), tuple(column.checksum for column in taken), several,
        min(bounds, default=0), max(bounds, default=1), type=folding.sized(result, span), span=span,
    )  # fmt: skip


def _between(source: Rows, file: str, ends: Sequence[str], span: Span) -> list[str]:
    """The columns from one to another, both among them."""
    first, last = ends
    names = list(source.file(file).survey.columns)
    for end in ends:
        column_of(source.files, file, end, span)
    start, stop = names.index(first), names.index(last)
    if stop < start:
        raise problem_at(span, f"'{last}' comes before '{first}' in '{file}'", f"`{file}[{last}:{first}]`")
    return names[start : stop + 1]
