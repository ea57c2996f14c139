"""What was seen of a claim, from data (`claims.json`) to words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..results.number_text import number, ranged

MAX_PLACES = 6
"""How many places are put into words."""


def lines(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a condition; where there are several each is named, with how it came out."""
    if len(conditions) == 1:
        return [line] if (line := words(conditions[0])) else []
    ends = {True: "true", False: "false", None: "undecided"}
    return [
        f"`{part['text']}` is {ends[part['holds']]}" + (f"; {line}" if (line := words(part)) else "")
        for part in conditions
    ]


def words(condition: Mapping[str, Any]) -> str:
    """One condition as data (`claims.json`) in a phrase: what was seen by axis, and the entry that decided."""
    points = condition["points"]
    parts = []
    if points and condition["of"] <= MAX_PLACES:
        parts.append("saw " + "; ".join(_placed(point) for point in points))
    elif points:
        known = [point for point in points if point["mean"] is not None]
        ends = [min(known, key=lambda p: p["mean"]), max(known, key=lambda p: p["mean"])] if known else points[:1]
        parts.append(f"saw {condition['of']:,} places, from {' to '.join(_placed(point) for point in ends)}")
    if condition["entry"]:
        lead = "closest" if condition["holds"] else "undecided" if condition["holds"] is None else "farthest off"
        parts.append(f"{lead}: {condition['entry']}" + (f": {condition['decided']}" if condition["decided"] else ""))
    elif condition["decided"] and " " in condition["decided"]:
        parts.append(condition["decided"])
    return "; ".join(parts)


def _placed(point: Mapping[str, Any]) -> str:
    lead = f"{point['where']}: " if point["where"] else ""
    beside = [f"{point['never']} never"] if point["never"] else []
    beside += [f"{point['undefined']} undefined"] if point["undefined"] else []
    if point["mean"] is None:
        return lead + (", ".join(beside) or "nothing")
    mean, low, high = point["mean"], point["low"], point["high"]
    return (
        lead
        + (ranged(mean, low, high) if low != high else number(mean))
        + (f" ({', '.join(beside)})" if beside else "")
    )
