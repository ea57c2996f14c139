"""The sampling bias of a measure: chance lifts `norm(E(x))` in all replicates alike, so that their agreement does not show it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan

from ..results.number_text import number
from ..results.replicates import Curve, Replicate, Results
from ..results.verdicts import FAILS, OPEN, Decision
from .judges import DECISIONS
from .values import value

REMEDY = "take more examples, or for a squared norm `dot(E(x, on=train), E(x))`, whose means are independent"


def by_sampling_bias(claim: ClaimPlan, decision: Decision, results: Results) -> Decision:
    """The same, open where it would come out otherwise without what chance may have added to the measures that it is made of."""
    biased = {part.measure: part for part in c.parts(claim.tree) if isinstance(part, c.Measured)}
    biased = {name: part for name, part in biased.items() if any(name in one.biases for one in results.replicates)}
    if decision.verdict == OPEN or not biased:
        return decision
    fair = _without(results, frozenset(biased))
    without = DECISIONS[claim.judge.name](claim, value(claim.tree, fair), fair)
    if without.verdict != OPEN and (without.verdict == FAILS) == (decision.verdict == FAILS):
        return decision
    added = listing([_words(part, results, fair) for part in biased.values()])
    return decision.lowered(OPEN, f"chance alone may have {added}, and without that the verdict would differ: {REMEDY}")


def _without(results: Results, measures: frozenset[str]) -> Results:
    """The same, with what chance may have added taken from some measures."""
    key = "without bias", measures
    if key not in results.judged:
        results.judged[key] = replace(results, replicates=[_fair(one, measures) for one in results.replicates])
    fair: Results = results.judged[key]
    return fair


def _fair(replicate: Replicate, measures: frozenset[str]) -> Replicate:
    fair = {}
    for name in measures & replicate.biases.keys() & replicate.curves.keys():
        values, biases = (np.asarray(own[name], float) for own in (replicate.curves, replicate.biases))
        with np.errstate(invalid="ignore"):  # infinite less infinite is undefined
            fair[name] = Curve(values - biases)
    return replace(replicate, curves={**replicate.curves, **fair})


def _words(part: c.Measured, results: Results, fair: Results) -> str:
    """What chance may have done to a measure, on average over replicates, where that is most; to its last value, if it is asked for a step."""
    shown = replace(part, reduction="final", threshold=None, operator="") if part.reduction == "first_step" else part
    with np.errstate(invalid="ignore"):
        apart = replace(grid := value(shown, results), low=grid.low - value(shown, fair).low)
    means = [float(own.mean()) for _, own in apart.along(len(results.dimensions))]
    of = f"'{part.measure}' over {results.examples.get(part.measure, 0):,} examples"
    if not (known := [mean for mean in means if np.isfinite(mean)]):
        return f"changed {of} by an unknown amount"
    most = max(known, key=abs)
    return f"added up to {number(most)} to {of}" if most >= 0 else f"taken up to {number(-most)} from {of}"
