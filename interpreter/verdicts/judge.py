"""Claims judged on results: a claim must be true throughout, in every replicate or on average; what is undefined decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan

from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, OPEN, Seen, Verdict
from .evidence import seen
from .grid import Grid
from .student_t import student
from .undecided import never, undecided
from .values import Undecidable, value


def judge(claim: ClaimPlan, results: Results) -> Verdict:
    """The verdict on one claim."""
    if not results.replicates:
        return Verdict(claim, OPEN, None, None, "nothing was run")
    mean = claim.judge == "mean"
    try:
        truth = value(claim.tree, results)
        told = seen(claim.tree, results, mean)
        missed = never(claim.tree, results)
        verdict, reason = _by_mean(claim.tree, truth, results) if mean else _throughout(claim.tree, truth, results)
    except Undecidable as undecidable:
        return Verdict(claim, OPEN, None, None, str(undecidable))
    reason = "; ".join(part for part in (reason, missed) if part)
    return Verdict(claim, verdict, *_value(told), reason, told)


def _value(conditions: Sequence[Seen]) -> tuple[float | None, tuple[float, float] | None]:
    if len(conditions) != 1 or not conditions[0].points:
        return None, None
    point = conditions[0].points[conditions[0].nearest]
    if point.mean is None or point.low is None or point.high is None:
        return None, None
    return point.mean, (point.low, point.high)


def _open(tree: Any, truth: Grid, results: Results) -> str:
    """Why some entries are not decided; empty where all are."""
    places = np.argwhere(np.isnan(truth.low)).tolist()
    if not places:
        return ""
    reason = undecided(tree, truth.entry(places[0]), results)
    return reason + (f"; and so at {len(places) - 1:,} more" if len(places) > 1 else "")


def _throughout(tree: Any, truth: Grid, results: Results) -> tuple[str, str]:
    """Each replicate by itself: the claim must be true at all places."""
    if reason := _open(tree, truth, results):
        return OPEN, reason
    if not truth.low.size:
        return OPEN, "no replicate was run of all that it speaks of"
    axes = tuple(place for place, dimension in enumerate(truth.places) if dimension != len(results.dimensions))
    each = np.asarray((truth.low != 0).all(axis=axes))
    if each.all():
        return HOLDS, ""
    return (OPEN, f"{int(each.sum())} of {each.size} replicates agree") if each.any() else (FAILS, "")


def _by_mean(tree: Any, truth: Grid, results: Results) -> tuple[str, str]:
    """A paired t interval of the difference of both sides, over replicates, at 95 %; three replicates or more."""
    assert isinstance(tree, c.Apply) and tree.operation in c.BY_SIZE
    sign = 1 if tree.operation.startswith("greater") else -1
    gap = value(c.Apply("subtract", tree.arguments), results)
    if reason := _open(tree, gap, results) if not gap.ranges else "":
        return OPEN, reason
    count = len(gap.places.get(len(results.dimensions), ()))
    if count < 3:
        return OPEN, "a t interval needs three replicates or more"
    if gap.ranges and (gap.low < gap.high).any():
        return OPEN, "a mean over what never came is not known"
    axis = list(gap.places).index(len(results.dimensions))
    mean = sign * gap.low.mean(axis=axis)
    half = gap.low.std(axis=axis, ddof=1) / math.sqrt(count) * student(count - 1)
    low, most = float((mean - half).min()), float((mean + half).min())
    strict = not tree.operation.endswith("equal")
    holds, fails = (low > 0, most <= 0) if strict else (low >= 0, most < 0)
    told = f"95 % interval of the margin: {low:.3g} to {float((mean + half).max()):.3g}"
    return (HOLDS if holds else FAILS if fails else OPEN), told
