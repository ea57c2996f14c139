"""`int(x)`: what is known to be whole before anything runs, as ints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..diagnostics.problems import Span, StudyError, problem_at
from ..ir import terms as t
from ..ir.data import DataSource, Rows
from ..ir.types import Type
from ..passes.print_term import bare
from ..tables.operations import OPERATIONS
from ..tables.operations.intervals import INT32
from . import all_points
from .constant_folding import CONSTANT
from .context import Elaborator


def turned(checker: Elaborator, operand: t.Term, span: Span) -> t.Term:
    """A term as ints, exactly. Raises StudyError where it is not known to be whole, and OnePointNeeded (see `all_points.py`)."""
    if operand.type.kind == "int":
        return operand
    if operand.type.kind == "bool":
        one = t.Literal(np.asarray(1), type=Type("int"), span=span)
        return checker.operate(OPERATIONS["multiply"], [operand, one], {}, span)
    if isinstance(operand, t.Literal):
        return _constant(operand, span)
    if isinstance(operand, t.FileValue):
        return _column(checker.names.source(), operand, span)
    message = "`int` takes what is known to be whole before anything runs, and this is computed as a real number"
    hint = "It converts constants, and columns of files where they are named: `label: int(d.label)`. Comparisons, `argmax` and indices are ints."
    if t.has_only(operand, *CONSTANT) and any(isinstance(item, t.IndexVariable) for item in t.walk(operand)):
        hint = f"For constants and indices, write it around the index notation: `int([{bare(operand)} for …])`."
    raise problem_at(operand.span or span, message, hint)


def not_whole(place: t.Term, span: Span) -> StudyError:
    """What to raise where an int is asked for and this is real: it names the part that is."""
    hint = "`a // b` of ints is an int."
    for part in t.walk(place):
        if isinstance(part, t.Operate) and part.operation == "power" and all(map(_whole, part.arguments)):
            hint = f"`{bare(part)}` is real, as its exponent is no constant: a table of constants gives ints, `int([2^i for i < 8])[k]`."
            break
        if isinstance(part, t.Gather) and part.type.kind == "real" and _whole(part.array):
            hint = "`int(v)` makes ints of constants that are whole: `int(v)[k]`."
            break
    return problem_at(place.span or span, f"an index has to be an int, and this is {place.type}", hint)


def _whole(term: t.Term) -> bool:
    """Whether a term is an int, or a constant that stands for whole numbers alone."""
    if not isinstance(term, t.Literal) or term.type.kind != "real":
        return term.type.kind != "real"
    return not all_points.varies(term.value) and bool((np.floor(term.value) == term.value).all())


def _constant(operand: t.Literal, span: Span) -> t.Term:
    value = operand.value
    if all_points.varies(value):
        raise all_points.OnePointNeeded
    apart = np.flatnonzero((np.floor(value) != value).ravel())
    if apart.size or not np.isfinite(value).all():
        first = value.ravel()[apart[0]] if apart.size else value.ravel()[~np.isfinite(value.ravel())][0]
        message = f"{first:g} is not a whole number, and `int` converts only whole numbers"
        raise problem_at(operand.span or span, message, "`floor`, `round` or `a // b` say which whole number is meant.")
    if value.size and not INT32[0] <= value.min() <= value.max() <= INT32[1]:
        message = f"{value.ravel()[np.argmax(np.abs(value))]:g} is too large for an int: ints have 32 bits"
        raise problem_at(operand.span or span, message, "Leave it real.")
    return t.Literal(value.astype(np.int64), type=Type("int", operand.type.shape), span=span)


def _column(source: DataSource | None, term: t.FileValue, span: Span) -> t.FileValue:
    """Columns of a file that hold whole numbers alone, as ints. Raises StudyError that names the first row of another."""
    from .file_columns import column_of  # of studies with files alone

    assert isinstance(source, Rows)
    bounds: list[int] = []
    for name in term.columns:
        shown = f"{term.file}.{name}" if name else term.file
        column = column_of(source.files, term.file, name, span, read=True)
        if column.first_fraction is not None:
            message = f"'{shown}' holds numbers that are not whole, the first in row {column.first_fraction}"
            hint = "`int` converts only whole numbers: save the column rounded, or leave it real."
            raise problem_at(span, message, hint)
        ends = [int(end) for end in (column.low, column.high) if end is not None]
        if ends and not INT32[0] <= min(ends) <= max(ends) <= INT32[1]:
            message = f"'{shown}' holds {max(ends, key=abs)}, and ints have 32 bits"
            raise problem_at(span, message, "Leave it real, or count from a smaller number.")
        bounds += ends
    return replace(
        term, type=Type("int", term.type.shape), low=min(bounds, default=0), high=max(bounds, default=1), turned=True
    )
