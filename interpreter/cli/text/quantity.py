"""What an expression is worth in a run: a table with a row a place on the axes, and the same as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from ...api.quantities import Number, Quantity
from ...api.terminal import Columns, print_table, print_text
from ...results.number_text import SPREAD

NOTHING = "–"


def print_quantity(worth: Quantity, console: Console) -> None:
    """A row a place: over the replicates, and in each; then why something is undefined."""
    replicates = list(dict.fromkeys(number.replicate for number in worth.numbers if number.replicate is not None))
    heads = ["", "true in" if worth.condition and replicates else "value", *(f"replicate {one}" for one in replicates)]
    rows = []
    for place, numbers in worth.places:
        by_replicate = {number.replicate: number for number in numbers}
        each = [_one(by_replicate[one], worth.condition) if one in by_replicate else "" for one in replicates]
        over = _true_in(numbers) if worth.condition and replicates else _over(numbers, worth.condition)
        rows.append([_label(place) or worth.experiment, over, *each])
    print_table(console, worth.expression, Columns(heads, rows, left=0))
    if len(replicates) > 1 and not worth.condition:
        print_text(console, Text(f"Value: {SPREAD}.", "dim"))
    for reason in worth.reasons:
        print_text(console, Text(reason, "yellow"), "  ")


def quantity_data(worth: Quantity, run: str) -> dict[str, Any]:
    """The same as data: `value` is null where it is undefined, or known by its range alone, whose `high` is null where it has no end."""
    places = []
    for place, numbers in worth.places:
        each = [
            {"replicate": number.replicate, "value": _data(number.value, worth.condition), "low": _data(number.low), "high": _data(number.high)}
            for number in numbers
        ]  # fmt: skip
        known = [number.value for number in numbers]
        mean, least, largest = (sum(known) / len(known), min(known), max(known)) if _all_known(numbers) else (None,) * 3
        places.append({"at": dict(place), "mean": mean, "least": least, "largest": largest, "replicates": each})
    return {
        "format_version": 1, "run": run, "experiment": worth.experiment, "expression": worth.expression, "condition": worth.condition,
        "places": places, "reasons": worth.reasons,
    }  # fmt: skip


def _all_known(numbers: Sequence[Number]) -> bool:
    return all(math.isfinite(number.value) for number in numbers)


def _data(value: float, condition: bool = False) -> float | bool | None:
    if not math.isfinite(value):
        return None
    return bool(value) if condition else value


def _label(place: Mapping[str, Any]) -> str:
    return ", ".join(str(at) if axis == "variant" else f"{axis} = {at}" for axis, at in place.items())


def _digits(value: float) -> str:
    return f"{value:.6g}"


def _one(number: Number, condition: bool) -> str:
    """
    >>> [_one(Number({}, 0, *ends), False) for ends in ((12400, 12400), (31, math.inf), (2, 3), (math.nan, math.nan))]
    ['12400', '≥ 31', '2 … 3', '–']
    >>> _one(Number({}, 0, 1, 1), True)
    'true'
    """
    if math.isnan(number.low):
        return "undecided" if condition else NOTHING
    if condition:
        return "true" if number.low else "false"
    if not number.is_beyond:
        return _digits(number.low)
    return f"≥ {_digits(number.low)}" if math.isinf(number.high) else f"{_digits(number.low)} … {_digits(number.high)}"


def _true_in(numbers: Sequence[Number]) -> str:
    undecided = sum(math.isnan(number.low) for number in numbers)
    rest = f" ({undecided} undecided)" if undecided else ""
    return f"{sum(number.low == 1 for number in numbers)} of {len(numbers)}{rest}"


def _over(numbers: Sequence[Number], condition: bool) -> str:
    """The mean with the least and the largest; none where one is undefined or known by its range alone.

    >>> _over([Number({}, 0, 1.0, 1.0), Number({}, 1, 2.0, 2.0)], False), _over([Number({}, 0, 1.0, 1.0), Number({}, 1, 3.0, math.inf)], False)
    ('1.5 (1 … 2)', '– (1 of 2 never)')
    """
    if len(numbers) == 1:
        return _one(numbers[0], condition)
    undefined, beyond = (
        sum(math.isnan(number.low) for number in numbers),
        sum(number.is_beyond for number in numbers),
    )
    parts = [
        f"{count} of {len(numbers)} {word}" for count, word in ((undefined, "undefined"), (beyond, "never")) if count
    ]
    if parts:
        return f"{NOTHING} ({', '.join(parts)})"
    values = [number.low for number in numbers]
    return f"{_digits(sum(values) / len(values))} ({_digits(min(values))} … {_digits(max(values))})"
