"""Arguments within their bounds: one check for what layers, optimisers, initialisers, distributions and modes are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from ..diagnostics.problems import Span, problem_at
from ..source.several import AllValues
from ..tables.bounds import Bounds
from ..tables.dtypes import DTYPES

LARGEST = {"float32": float(np.finfo(np.float32).max), "float64": float(np.finfo(np.float64).max)}


def explained(meaning: str) -> str:
    """What a row says of an argument, as a hint."""
    return f"{meaning[:1].upper()}{meaning[1:]}."


class Bounded(Protocol):
    """A row of a table of parameters."""

    @property
    def name(self) -> str: ...
    @property
    def under(self) -> str: ...


def at_all_points(value: Any) -> Any:
    """The values of a number that varies along sweep points, where all of these are checked at once; any other as it is."""
    return value.values if isinstance(value, AllValues) else value


def within(what: str, bounds: Bounds, value: Any, span: Span | None, hint: str = "") -> None:
    """Refuses a value that is not within bounds: its error names them. Raises StudyError."""
    value = at_all_points(value)
    if bounds.hold(value):
        return
    entries = np.ravel(np.asarray(value, float))
    worst = next(entry for entry in entries if not bounds.hold(entry))
    text = bounds.text_outside(worst)
    shown = text if entries.size == 1 else f"has the entry {text}"
    raise problem_at(span, f"{what} has to be {bounds}, and {'is ' if entries.size == 1 else ''}{shown}", hint)


def representable(what: str, value: Any, dtype: str, span: Span | None) -> None:
    """Refuses a real number that is too large for the experiment's own. Raises StudyError."""
    real = DTYPES[dtype].real
    largest = LARGEST[real]
    if not bool((np.abs(np.asarray(at_all_points(value), float)) <= largest).all()):
        hint = "`dtype: float64` holds numbers up to 1.8e308." if real == "float32" else ""
        raise problem_at(span, f"{what} is too large for a {real}, which is at most {largest:.3g}", hint)


def in_order(
    rows: Iterable[Bounded], values: Mapping[str, Any], span: Callable[[str], Span | None], called: str = ""
) -> None:
    """Refuses an argument that is above the one that it has to be under. Raises StudyError."""
    for row in rows:
        low, high = values.get(row.name), values.get(row.under) if row.under else None
        if low is None or high is None or not bool(np.any(np.asarray(low) > np.asarray(high))):
            continue
        of = f" of `{called}`" if called else ""
        numbers = f", {low:g} and {high:g}" if np.ndim(low) == np.ndim(high) == 0 else ""
        hint = f"'{row.under}' is the upper end: exchange the two, or change one."
        raise problem_at(span(row.name), f"'{row.name}'{of} is above '{row.under}'{numbers}", hint)
