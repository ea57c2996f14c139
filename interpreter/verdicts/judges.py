"""The judges: each decides a claim from its truth, or its margins, in every cell and replicate. Rows of `spec.tables.judges`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan
from dlspec.spec.passes.print_claim import claim_text
from dlspec.spec.tables.judges import ERROR, HOLDS_FROM

from ..registry import Registry
from ..results.number_text import number, percent
from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, OPEN, SEEN, Decision
from .grid import Array, Grid
from .means import Margins, decide_by_means
from .randomness import differs, exactly
from .rates import chance_of_count, least_count, share_bounds
from .undecided import undecided, where
from .values import value

Decide = Callable[[ClaimPlan, Grid, Results], Decision]


DECISIONS: Registry[Decide] = Registry("judge", "decision")
"""How each row of the table of judges decides."""


# -- each replicate by itself ------------------------------------------------------------------------------------------


def _each(truth: Grid, results: Results) -> Array:
    """Whether each replicate meets a claim at all places: 1, 0, or NaN where it is not decided. A single number without replicates."""
    axes = tuple(place for place, dimension in enumerate(truth.places) if dimension != len(results.dimensions))
    false = (truth.low == 0).any(axis=axes)
    return np.asarray(np.where(false, 0.0, np.where(np.isnan(truth.low).any(axis=axes), np.nan, 1.0)))


def _open(tree: Any, truth: Grid, results: Results) -> str:
    """Why some entries are not decided; empty where all are."""
    places = np.argwhere(np.isnan(truth.low)).tolist()
    if not places:
        return ""
    reason = undecided(tree, truth.entry(places[0]), results)
    return reason + (f"; and so at {len(places) - 1:,} more" if len(places) > 1 else "")


@DECISIONS("replicates")
def _every_replicate(claim: ClaimPlan, truth: Grid, results: Results) -> Decision:
    """All replicates must agree."""
    if reason := _open(claim.tree, truth, results):
        return Decision(OPEN, reason, undefined=int(np.isnan(_each(truth, results)).sum()))
    if not truth.low.size:
        return Decision(OPEN, "none of the replicates that it speaks of was run")
    each = _each(truth, results)
    met, count = int(each.sum()), each.size
    if not differs(claim.tree, results) and met in (0, count):
        return exactly(met > 0, count)
    found = Decision(
        OPEN, interval=share_bounds(met, count), chance=chance_of_count(met, count), counted=count, error=0.5**count
    )
    if met == count:
        strength = f"{_strength(met, count)}; by chance {_odds(count)}"
        if count >= HOLDS_FROM:
            return replace(found, verdict=HOLDS, strength=strength)
        return replace(found, verdict=SEEN, strength=strength, needed=HOLDS_FROM)
    if met == 0:
        return replace(found, verdict=FAILS, strength=_strength(met, count))
    return replace(found, reason=f"{met} of {count} replicates agree", strength=_strength(met, count))


def _strength(met: int, count: int, unknown: int = 0, *wanted: float) -> str:
    """A count of replicates as what it says of seeds, in digits that show how that lies to the share that is asked for."""
    low, high = share_bounds(met, count, unknown)
    lead = f"{met} of {count} replicate{'s' if count > 1 else ''}"
    if unknown:
        lead += f", {unknown} undefined"
    if met == count:
        return f"{lead}: at least {percent(low, *wanted)} of seeds (95 %)"
    if met + unknown == 0:
        return f"{lead}: at most {percent(high, *wanted)} of seeds (95 %)"
    return f"{lead}: {percent(low, *wanted)} to {percent(high, *wanted)} of seeds (95 % either way)"


def _odds(count: int) -> str:
    """How often all of so many coins fall alike on a given side."""
    return f"1 in {2**count:,}" if count <= 20 else "less than 1 in a million"


@DECISIONS("share")
def _share_of_seeds(claim: ClaimPlan, truth: Grid, results: Results) -> Decision:
    """A share of seeds meets the claim, by exact bounds; what is undefined may or may not."""
    if not truth.low.size:
        return Decision(OPEN, "none of the replicates that it speaks of was run")
    each, share = _each(truth, results), claim.judge.value or 0.0
    met, unknown, count = int((each == 1).sum()), int(np.isnan(each).sum()), each.size
    reason = _open(claim.tree, truth, results) if unknown else ""
    if not differs(claim.tree, results) and met in (0, count) and not unknown:
        return exactly(met > 0, count)
    low, high = share_bounds(met, count, unknown)
    verdict = HOLDS if low >= share else FAILS if high < share else OPEN
    if verdict == HOLDS and count < HOLDS_FROM:
        verdict = SEEN
    return Decision(
        verdict,
        reason,
        f"{_strength(met, count, unknown, share)}, asked for {number(100 * share, 12)} %",
        chance_of_count(met, count, share),
        (low, high),
        error=ERROR,
        counted=count - unknown,
        undefined=unknown,
        needed=_enough_for(share, met, count, unknown) if verdict in (OPEN, SEEN) else None,
    )


def _enough_for(share: float, met: int, count: int, unknown: int) -> int | None:
    """How many replicates would settle a share, if as many of them met the claim, or were unknown, as did."""

    def settles(tried: int) -> bool:
        open_ones = round(unknown / count * tried)
        low, high = share_bounds(min(round(met / count * tried), tried - open_ones), tried, open_ones)
        return low >= share or high < share

    return least_count(settles, count + 1)


# -- means over replicates ----------------------------------------------------------------------------------------------


@DECISIONS("mean")
def _mean_margin(claim: ClaimPlan, truth: Grid, results: Results) -> Decision:
    """The mean margin of a comparison by size."""
    return decide_by_means(claim, [_gap(claim.tree, claim.tree.arguments, results)], results)


@DECISIONS("geometric_mean")
def _mean_ratio(claim: ClaimPlan, truth: Grid, results: Results) -> Decision:
    """The mean margin of the logarithms of both sides."""
    for side in claim.tree.arguments:
        grid = value(side, results)
        if (grid.low <= 0).any():
            at = grid.entry([int(place) for place in np.argwhere(grid.low <= 0)[0]])
            at_place = f" at {place}" if (place := where(at, results)) else ""
            return Decision(OPEN, f"a geometric mean is of positive numbers, and `{claim_text(side)}` is ≤ 0{at_place}")
    sides = tuple(c.Apply("log", (side,)) for side in claim.tree.arguments)
    margins = replace(_gap(claim.tree, sides, results), ratio=True, symmetric=True)
    return decide_by_means(claim, [margins], results)


@DECISIONS("equivalent")
def _between_bounds(claim: ClaimPlan, truth: Grid, results: Results) -> Decision:
    """Two one-sided tests: the mean lies above the lower and below the upper bound."""
    x, low, high = claim.tree.arguments
    sides = [Margins(value(c.Apply("subtract", pair), results), strict=False) for pair in ((x, low), (high, x))]
    return decide_by_means(claim, sides, results, tail=ERROR)


def _gap(tree: c.Apply, sides: tuple[Any, ...], results: Results) -> Margins:
    """By how much a comparison by size holds: below 0 where it does not."""
    larger, smaller = sides if tree.operation.startswith("greater") else sides[::-1]
    return Margins(value(c.Apply("subtract", (larger, smaller)), results), not tree.operation.endswith("equal"))
