"""Claims judged on results: a claim must be true throughout, by its own judge; what is undefined decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan
from dlspec.spec.tables.judges import JUDGES

from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, OPEN, SEEN, Decision, Evidence, Verdict
from .evidence import evidence
from .judges import DECISIONS
from .randomness import differs
from .sampling_bias import by_sampling_bias
from .sampling_error import by_sampling_error
from .undecided import never
from .values import Undecidable, value


def judge(claim: ClaimPlan, results: Results) -> Verdict:
    """The verdict on one claim."""
    if not results.replicates:
        return Verdict(claim, Decision(OPEN, "nothing was run"))
    try:
        truth = value(claim.tree, results)
        conditions = evidence(claim.tree, results, JUDGES[claim.judge.name].averages)
        missed = never(claim.tree, results)
        decision = DECISIONS[claim.judge.name](claim, truth, results)
        decision = by_sampling_error(claim, _without_selection(claim, decision, results), results)
        decision = by_sampling_bias(claim, decision, results)
        decision = _of_all_variants(claim, decision, results)
    except Undecidable as undecidable:
        return Verdict(claim, Decision(OPEN, str(undecidable)))
    return Verdict(claim, decision.lowered(decision.verdict, missed), *_value(conditions), conditions)


SELECTING = (*c.BEST, "first_step")
"""The reductions that take the best of many evaluations."""


def _without_selection(claim: ClaimPlan, decision: Decision, results: Results) -> Decision:
    """The same, no more than *seen* where it is so only by what chance adds to the best of many evaluations."""
    selects = any(isinstance(part, c.Measured) and part.reduction in SELECTING for part in c.parts(claim.tree))
    if decision.verdict not in (HOLDS, SEEN) or not selects or not differs(claim.tree, results):
        return decision
    fair = results.without_selection
    without = DECISIONS[claim.judge.name](claim, value(claim.tree, fair), fair)
    if without.verdict in (HOLDS, SEEN):
        return decision
    reason = "without what chance adds to the best of many evaluations the claim would not be met: use `final(…)`"
    return decision.lowered(SEEN, reason)


def _of_all_variants(claim: ClaimPlan, decision: Decision, results: Results) -> Decision:
    """The same, open where it speaks of variants that were not run, which could change it.

    A claim must be true throughout: where it is false already it fails, unless something is taken over the variants.
    """
    tree = list(c.parts(claim.tree))
    over = any(isinstance(part, c.Over) and part.axis == "variant" for part in tree)
    if decision.verdict == OPEN or (decision.verdict == FAILS and not over):
        return decision
    unseen = {
        variant
        for part in tree
        if isinstance(part, c.Measured | c.Diverged)
        for variant in results.left_out
        if c.looked_at(part.selections, {"variant": variant})
    }
    if not unseen:
        return decision
    names = listing([f"'{name}'" for name in results.left_out if name in unseen])
    return decision.lowered(OPEN, f"`--only` left out {names}, of which it speaks as well")


def _value(conditions: Sequence[Evidence]) -> tuple[float | None, tuple[float, float] | None]:
    """The mean and the range at the place that decided, where a claim is one condition."""
    if len(conditions) != 1 or not conditions[0].points:
        return None, None
    point = conditions[0].points[conditions[0].nearest]
    if point.mean is None or point.low is None or point.high is None:
        return None, None
    return point.mean, (point.low, point.high)
