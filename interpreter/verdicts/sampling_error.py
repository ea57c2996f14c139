"""The sampling error of a rate over test examples: a margin below it says nothing, however the replicates agree."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan
from dlspec.spec.tables.judges import ERROR

from ..results.number_text import number
from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, OPEN, SEEN, Decision
from .undecided import where
from .values import value

DEVIATIONS = NormalDist().inv_cdf(1 - ERROR / 2)
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
    examples = results.rates[rates[0].measure]
    for place, values in value(rates[0], results).along(len(results.dimensions)):
        own = values[np.isfinite(values)]
        if not own.size:
            continue
        margin = abs(float(own.mean()) - numbers[0])
        variance = float((own * (1 - own)).mean()) / own.size
        error = DEVIATIONS * math.sqrt(variance / examples)
        if margin < error:
            at = where(place, results)
            enough = math.ceil(variance * (DEVIATIONS / margin) ** 2) if margin else None
            told = f"about {_rounded(enough):,} would tell" if enough else "no number of them would tell"
            words = (
                f"the margin {number(margin)}{f' at {at}' if at else ''} is within the sampling error of {examples:,} test "
                f"examples, ± {number(error)}: {told}"
            )
            return decision.lowered(LOWERED.get(decision.verdict, decision.verdict), words)
    return decision


def _rounded(count: int) -> int:
    """A count in two digits, upwards.

    >>> _rounded(12345)
    13000
    """
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
