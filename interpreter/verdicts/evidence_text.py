"""The evidence for a claim, as text from the data of `claims.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.spec.tables.judges import ERROR, HOLDS_FROM

from ..results.number_text import number, percent, ranged
from ..results.verdicts import SEEN

WORTH_SAYING = 0.055
"""From which chance on, that of a single claim at 5 %, several claims are worth a word."""
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


def chance_text(claims: Sequence[Mapping[str, Any]]) -> str:
    """What several claims judged each by itself come to by chance alone; empty where that is little or they are one."""
    random = [claim for claim in claims if claim.get("error")]
    families = {claim["family"] for claim in claims if claim.get("family") and claim.get("chance") is not None}
    chance = 1 - math.prod(1 - error for error in [*(claim["error"] for claim in random), *(ERROR for _ in families)])
    if len(random) < 2 or chance < WORTH_SAYING:
        return ""
    return (
        f"{len(random)} claims, each judged by itself: if none were true, chance alone would let one or more hold or be seen in up to "
        f"{percent(chance)} of such runs. Claims of one `family` are judged together."
    )


def needed(claim: Mapping[str, Any]) -> str:
    """How many replicates would settle a claim that is not settled; empty where nothing tells."""
    count = claim.get("needed")
    if not count:
        return ""
    if count == HOLDS_FROM and (claim["verdict"] == SEEN or claim.get("interval") is None):  # no spread was seen
        return f"it can hold with {count} replicates or more"
    return f"about {count:,} replicates would settle it, from what was seen"


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
        met = condition.get("met", condition["holds"])
        lead = "closest" if met else "undecided" if met is None else "farthest off"
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
    mean, low, high, digits = point["mean"], point["low"], point["high"], point.get("digits", 3)
    return (
        lead
        + (ranged(mean, low, high, digits) if low != high else number(mean, digits))
        + (f" ({', '.join(beside)})" if beside else "")
    )
