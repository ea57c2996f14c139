"""The sampling error of a rate over test examples: a margin below it says nothing, however the replicates agree."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan
from dlspec.spec.tables.judges import ERROR
from scipy import special

from ..results.number_text import number
from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, OPEN, SEEN, Decision
from .undecided import where
from .values import value

DEVIATIONS = float(special.ndtri(1 - ERROR / 2))
LOWERED = {HOLDS: SEEN, FAILS: OPEN}


def by_sampling_error(claim: ClaimPlan, decision: Decision, results: Results) -> Decision:
    """The same, lowered where the margin is within the sampling error of the test examples.

    It is told of a rate (`E` of a condition) compared with a number: its variance is p (1 - p) / n over n test examples, and each
    replicate has examples of its own. Of other measures the error is part of what differs between replicates.
    """
    sides = claim.tree.arguments if isinstance(claim.tree, c.Apply) and claim.tree.operation in c.BY_SIZE else ()
    rates = [side for side in sides if isinstance(side, c.Measured) and side.measure in results.rates]
    numbers = [side.value for side in sides if isinstance(side, c.Number)]
    if len(rates) != 1 or len(numbers) != 1 or rates[0].reduction not in ("final", "at"):
        return decision
    grid, examples = value(rates[0], results), results.rates[rates[0].measure]
    last = len(results.dimensions)
    if last not in grid.places or not grid.low.size:
        return decision
    values = np.moveaxis(grid.low, list(grid.places).index(last), -1)
    places = [dimension for dimension in grid.places if dimension != last]
    for index in np.ndindex(*values.shape[:-1]):
        own = values[index][np.isfinite(values[index])]
        if not own.size:
            continue
        margin = abs(float(own.mean()) - numbers[0])
        variance = float((own * (1 - own)).mean()) / own.size
        error = DEVIATIONS * math.sqrt(variance / examples)
        if margin < error:
            at = where({d: grid.places[d][place] for d, place in zip(places, index, strict=True)}, results)
            enough = math.ceil(variance * (DEVIATIONS / margin) ** 2) if margin else None
            told = f"about {_rounded(enough):,} would tell" if enough else "no number of them would tell"
            words = (
                f"the margin {number(margin)}{f' at {at}' if at else ''} is within the sampling error of {examples:,} test "
                f"examples, ± {number(error)}: {told}"
            )
            reason = "; ".join(filter(None, (decision.reason, words)))
            return replace(decision, verdict=LOWERED.get(decision.verdict, decision.verdict), reason=reason)
    return decision


def _rounded(count: int) -> int:
    """A count in two digits, upwards.

    >>> _rounded(12345)
    13000
    """
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
