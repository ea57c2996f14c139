"""Constant folding: what is known before anything runs is computed while it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..diagnostics.problems import Span, StudyError, problem_at
from ..ir import terms as t
from ..ir.types import MAX_BYTES, Shape, Type
from ..passes import integer_ranges as intervals
from ..passes.evaluate import apply, as_kind, evaluate
from ..tables.operations import Operation
from ..tables.operations.intervals import GROWING, INT64
from ..tables.operations.table import match_shape
from . import all_points
from . import constant_limits as bounds
from .namespace import MEANING

MAX_SIZE = 2**31 - 1
"""How long anything may be."""
MAX_AXES = 16
"""Axes of one value: replicates, examples and indices come before them, and arrays have few more altogether."""
MIN_CACHED_ENTRIES = 4096
"""From how many entries on the value of an operation of linear algebra is kept: profiles and cells ask for it again."""
WRITTEN_OUT = 10**15
"""Below this a whole number is told in all digits."""
_kept: dict[Any, np.ndarray[Any, Any]] = {}


def known(term: t.Term, what: str) -> np.ndarray[Any, Any]:
    """The value of a constant term; the error says what made it none."""
    if isinstance(term, t.Literal):
        return term.value
    blame = next(
        (x for x in t.walk(term) if isinstance(x, t.Reference | t.NetworkOutput | t.Sample | t.Parameter)), term
    )
    if isinstance(blame, t.Reference):
        cause = f"'{blame.name}' is {MEANING[blame.stage]}"
    elif isinstance(blame, t.NetworkOutput):
        cause = f"'{blame.network}' is a network's output"
    elif isinstance(blame, t.Sample):
        cause = f"`{blame.distribution}` draws a new value each time"
    else:
        cause = "this changes while the experiment runs"
    hint = "Only `constants`, `len(x)` and what is computed from them are known before anything runs."
    raise problem_at(term.span, f"{what} has to be a constant, and {cause}", hint)


def integer(term: t.Term, what: str) -> Any:
    """A constant whole number."""
    value = known(term, what)
    if value.shape or value.dtype.kind not in "iu":
        if value.dtype.kind == "f" and not value.shape and float(value).is_integer():
            return np.asarray(int(value))
        raise problem_at(
            term.span,
            f"{what} has to be a whole number, and is {_shown(term, value)}",
            "Write a whole number; `a // b` of whole numbers is one.",
        )
    return value


def number(term: t.Term, what: str) -> Any:
    """A constant finite number."""
    value = known(term, what)
    if value.shape or value.dtype.kind == "b":
        raise problem_at(
            term.span,
            f"{what} has to be a number, and is {_shown(term, value)}",
            "Write one number, or take an entry of the array: `a[0]`.",
        )
    return value


def real_number(term: t.Term, what: str) -> Any:
    """The same as a float; at all sweep points at once what stands for it."""
    value = number(term, what)
    return value if all_points.varies(value) else float(value)


def size(term: t.Term, what: str, most: int = MAX_SIZE) -> int:
    """A constant positive whole number."""
    whole = integer(term, what)
    if all_points.varies(whole):
        size: int = all_points.sizes(whole, most)[0]
        return size
    value = int(whole)
    if value < 1:
        raise problem_at(term.span, f"{what} has to be at least 1, and is {value}", "Write a whole number from 1 on.")
    if value > most:
        text = f"{value:,}" if value < WRITTEN_OUT else f"{value:.3g}"
        raise problem_at(term.span, f"{what} has to be at most {most:,}, and is {text}", "Choose a smaller one.")
    return value


def shape(term: t.Term, what: str) -> Shape:
    """A constant array of sizes; one size stands for an array of one."""
    value: Any = known(term, what)
    if all_points.varies(value):
        return all_points.sizes(value, INT64[1])
    if value.ndim > 1 or (value.dtype.kind not in "iu" and not np.all(np.mod(value, 1) == 0)) or not (value >= 1).all():
        message = f"{what} has to be an array of sizes such as [3, 2], and is {_shown(term, value)}"
        raise problem_at(term.span, message, "Write whole numbers from 1 on, as in `[3, 2]`.")
    if (value > INT64[1]).any():
        message = f"{what} has the size {float(value.max()):.3g}, more than any array holds"
        raise problem_at(term.span, message, "Choose a smaller one.")
    return tuple(int(size) for size in np.atleast_1d(value))


def counts(term: t.Term, what: str) -> Any:
    """Constant whole numbers from 0 on: one, or nested lists of them."""
    value = known(term, what)
    if value.dtype.kind not in "iuf" or (np.mod(value, 1) != 0).any() or not (value >= 0).all():
        message = f"{what} has to be at least 0 and whole, and is {_shown(term, value)}"
        raise problem_at(term.span, message, "Write whole numbers from 0 on.")
    return value.astype(int).tolist()


def real(term: t.Term) -> t.Term:
    """A constant that stands where a real number is asked for, as one; any other term as it is."""
    if not isinstance(term, t.Literal) or term.type.kind == "real":
        return term
    value: Any = term.value
    if all_points.varies(value):
        return all_points.holding(value.values, "real", term)
    return replace(term, value=as_kind(value, "real"), type=Type("real", term.type.shape))


def sized(type_: Type, span: Span) -> Type:
    """The type, if one value of it fits in memory with its batch, and its axes into arrays."""
    if len(type_.shape) > MAX_AXES:
        message = f"an array of {len(type_.shape)} axes; the limit is {MAX_AXES}"
        raise problem_at(span, message, "Join some of its axes: `reshape(x, shape)` does.")
    if type_.bytes > MAX_BYTES:
        size = f"{type_.bytes / 2**20:,.0f} MiB"
        message = f"one value of {type_} needs {size}; the limit is {MAX_BYTES // 2**20} MiB"
        raise problem_at(span, message, "A batch holds many of them: choose smaller sizes.")
    return type_


def compute(row: Operation, terms: list[t.Term], static: dict[str, Any], span: Span) -> t.Term:
    """An operation whose shape depends on values: its arguments have the ranks that its signature says, and its result is finite."""
    values = [known(term, f"what `{row.name}` is given") for term in terms]
    for argument, term in zip(row.values, terms, strict=False):
        match_shape(argument, term.type.shape, {})
    if row.name == "range":
        first, last, step = [float(value) for value in values] + [np.nan] * (3 - len(values))
        if step == 0:
            raise problem_at(
                terms[-1].span or span,
                "the step of this range is 0: it would never end",
                "Leave the step out, or choose another.",
            )
        count = (first if np.isnan(last) else last - first) / (1 if np.isnan(step) else step or np.nan)
        if not count >= 1:
            raise problem_at(span, "this range is empty", "`range(first, last, step)` goes up to and without `last`.")
        sized(Type("int", (bounds.count(count, span),)), span)
    if "shape" in static or "size" in static:
        sizes = static.get("shape", (static.get("size", 1),))
        sized(Type("real", tuple(sizes) * (2 if row.name == "eye" else 1)), span)
    array = np.asarray(apply(row.name, list(values), static))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        hint = "A constant has to be a finite number: the steps from the first to the last overflow."
        raise problem_at(span, f"`{row.name}` of these constants is not finite", hint)
    kind = {"b": "bool", "i": "int", "u": "int"}.get(array.dtype.kind, "real")
    result = sized(Type(kind, array.shape), span)
    return t.Literal(as_kind(array, kind), type=result, span=span)


def must_be_finite(row: Operation, array: np.ndarray[Any, Any], span: Span) -> None:
    """Refuses what an operation makes of constants where it is infinite or undefined. Raises StudyError."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        hint = "A constant has to be a finite number."
        if row.corner.startswith("undefined"):
            hint += f"  This one is {row.corner}."
        raise problem_at(span, f"`{row.operator or row.name}` of these constants is not finite", hint)


def fold(row: Operation, values: list[Any], static: Mapping[str, Any], result: Type, span: Span) -> t.Term:
    """The literal that an operation makes of literals."""
    if any(map(all_points.varies, values)):
        return _fold_all_points(row, values, static, result, span)
    bounds.operation(
        row, [Type("real" if value.dtype.kind == "f" else "int", value.shape) for value in values], result, span
    )
    if row.name == "power" and result.kind == "int" and bool((values[1] < 0).any()):
        result = Type("real", result.shape)
        values = [value.astype(float) for value in values]
    if row.name in ("floor_divide", "modulo") and bool((values[1] == 0).any()):
        raise problem_at(span, f"`{row.operator}` divides by zero here", "Choose a divisor that is not 0.")
    if row.elementwise:
        deepest = len(result.shape)
        values = [np.reshape(value, (1,) * (deepest - np.ndim(value)) + np.shape(value)) for value in values]
    try:
        array = _folded(row, values, static)
    except np.linalg.LinAlgError as error:
        raise problem_at(
            span,
            f"`{row.name}`: {str(error).lower()}",
            "The matrix has no inverse, or not the shape for it: check its rows.",
        ) from None
    if row.name in ("inverse", "solve") and not np.isfinite(array).all():
        raise problem_at(
            span,
            f"`{row.name}`: singular matrix",
            "The matrix has no inverse: its rows depend on each other, to rounding.",
        )
    must_be_finite(row, array, span)
    if row.name in GROWING and result.kind == "int":
        real = apply(row.name, [value.astype(float) for value in values], static)
        if bool((np.abs(real) >= 2.0**63).any()):
            raise problem_at(
                span,
                f"`{row.operator or row.name}` of these constants is too large for an int",
                "Make one of them real: `3.0^60`.",
            )
    return t.Literal(as_kind(array, result.kind), type=result, span=span)


def _fold_all_points(row: Operation, values: list[Any], static: Mapping[str, Any], result: Type, span: Span) -> t.Term:
    """The same where some of the literals hold a number for each sweep point. Raises OnePointNeeded for all but single numbers."""
    arrays = [value.values if all_points.varies(value) else value for value in values]
    if not row.elementwise or result.shape or (row.name == "power" and len(set(np.less(arrays[1], 0).flat)) > 1):
        raise all_points.OnePointNeeded
    points = max(map(np.size, arrays))
    try:
        found = fold(row, arrays, static, Type(result.kind, (points,)), span)
    except StudyError:
        raise all_points.PointsDiffer from None  # it may be that of one point
    assert isinstance(found, t.Literal)
    return all_points.holding(found.value, found.type.kind, found)


CONSTANT = (
    t.Literal, t.Operate, t.Stack, t.Cut, t.Gather, t.Stop, t.Comprehend, t.IndexVariable, t.Invoke, t.Scan, t.Parameter,
)  # fmt: skip
"""The classes of terms that are known before anything runs, where their indices and parameters are bound."""


def closed(term: t.Term) -> t.Term:
    """A literal in place of a term that depends on nothing."""
    if not t.has_only(term, *CONSTANT):
        return term
    free: set[str] = set()
    bound: set[str] = set()
    for item in t.walk(term):
        if isinstance(item, t.Comprehend):
            bound.update(index.key for index in item.indices)
        elif isinstance(item, t.Invoke | t.Scan):
            bound.update(item.parameters)
        elif isinstance(item, t.IndexVariable | t.Parameter):
            free.add(item.key)
    if free - bound:
        return term
    bounds.affordable(term)
    if found := intervals.outside(term, INT64):
        raise StudyError(found)
    value = evaluate(term)
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise problem_at(
            term.span,
            "this constant array is not finite everywhere",
            "A constant has to be finite in each entry: look for a division by 0 or an overflow.",
        )
    return t.Literal(value, type=term.type, span=term.span)


def _folded(row: Operation, values: list[Any], static: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The value of an operation on literals."""
    if row.family != "linear algebra" or max(np.size(value) for value in values) < MIN_CACHED_ENTRIES:
        return apply(row.name, values, static)
    arrays = [np.asarray(value) for value in values]
    key = (row.name, repr(dict(static)), *((array.shape, array.dtype.str, array.tobytes()) for array in arrays))
    if key not in _kept:
        if len(_kept) >= 16:
            _kept.pop(next(iter(_kept)))
        _kept[key] = apply(row.name, values, static)
    return _kept[key]


def _shown(term: t.Term, value: np.ndarray[Any, Any]) -> str:
    if value.size > 8:
        return str(term.type)
    text = f"{value}" if not value.shape else str(value.tolist())
    return text.lower() if value.dtype == bool else text
