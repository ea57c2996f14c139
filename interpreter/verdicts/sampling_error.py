"""The sampling error of a measure over test examples: a margin below it says nothing, however the replicates agree."""

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
from .grid import Array
from .undecided import where
from .values import sampling_errors, value

DEVIATIONS = NormalDist().inv_cdf(1 - ERROR / 2)
LOWERED = {HOLDS: SEEN, FAILS: OPEN}


def by_sampling_error(claim: ClaimPlan, decision: Decision, results: Results) -> Decision:
    """The same, lowered where the margin of a measure to a number is within the sampling error of the test examples.

    Each replicate has examples of its own. Variants are compared on the same ones, and nothing is said of them: how much of the error
    they share is not kept, and what they don't share is part of what differs between replicates.
    """
    sides = claim.tree.arguments if isinstance(claim.tree, c.Apply) and claim.tree.operation in c.BY_SIZE else ()
    measured = [side for side in sides if isinstance(side, c.Measured) and side.measure in results.examples]
    numbers = [side.value for side in sides if isinstance(side, c.Number)]
    if len(measured) != 1 or len(numbers) != 1 or measured[0].reduction not in ("final", "at"):
        return decision
    (measure,), (threshold,), examples = measured, numbers, results.examples[measured[0].measure]
    if examples == 1 and not {measure.measure} & {*results.rates, *results.exact}:
        return decision.lowered(decision.verdict, "one test example has no sampling error that could be told")
    last = len(results.dimensions)
    found = value(measure, results).along(last)
    for (place, values), (_, errors) in zip(found, sampling_errors(measure, results).along(last), strict=True):
        known = np.isfinite(values)
        variances = _of_rates(values, threshold, examples) if measure.measure in results.rates else errors**2
        told = variances[known & np.isfinite(variances)]  # replicates of versions before have none
        if not len(told):
            continue
        margin = abs(float(values[known].mean()) - threshold)
        variance = float(told.mean()) / int(known.sum())
        error = DEVIATIONS * math.sqrt(variance)
        if margin < error:
            at = where(place, results)
            enough = math.ceil(examples * variance * (DEVIATIONS / margin) ** 2) if margin else None
            needed = f"about {_rounded(enough):,} would tell" if enough else "no number of them would tell"
            words = (
                f"the margin {number(margin)}{f' at {at}' if at else ''} is within the sampling error of {examples:,} test "
                f"examples, ± {number(error)}: {needed}"
            )
            return decision.lowered(LOWERED.get(decision.verdict, decision.verdict), words)
    return decision


def _of_rates(values: Array, threshold: float, examples: int) -> Array:
    """The variance of rates over so many examples, if the true one is the threshold: 20 of 20 say little about 0.99.

    Beside a threshold that no rate can have, or that leaves no other, it is that of the rates that were found.
    """
    rate = np.full_like(values, threshold) if 0 < threshold < 1 else values
    return np.asarray(rate * (1 - rate) / examples)


def _rounded(count: int) -> int:
    """A count in two digits, upwards.

    >>> _rounded(12345)
    13000
    """
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
