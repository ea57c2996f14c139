"""The sampling error of a measure over test examples: a margin below it says nothing, however the replicates agree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan
from dlspec.spec.passes.few_values import Rate
from dlspec.spec.tables.judges import ERROR

from ..results.number_text import pair
from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, OPEN, SEEN, Decision
from .grid import Array, Entry
from .undecided import where
from .values import sampling_errors, value, with_measure

DEVIATIONS = NormalDist().inv_cdf(1 - ERROR / 2)
LOWERED = {HOLDS: SEEN, FAILS: OPEN}
COMPARISONS = (*c.BY_SIZE, "within")
ERRING = ("final", "at", "mean_over", *c.BEST)
"""The reductions whose value has the error of one evaluation, or of a mean of several."""
PLACES = 1025
"""At how many values within the error a condition is looked at."""
HALVINGS = 40
"""How often the stretch in which a condition turns is halved: to twelve digits."""
ROUNDING = 1e-9
"""A margin of so little of its error is none."""


@dataclass(frozen=True)
class _Near:
    """What a condition is at the mean of a measure, at one place, and where within the sampling error it turns, if it does.

    `margin` is the way to where it turns.
    """

    place: Entry
    holds: bool
    margin: float | None = None
    error: float = 0.0
    variance: float = 0.0


def by_sampling_error(claim: ClaimPlan, decision: Decision, results: Results) -> Decision:
    """The same, lowered where a condition on one measure turns within the sampling error of the test examples.

    Each replicate has examples of its own. Variants are compared on the same ones, and nothing is said of them: how much of the error
    they share is not kept, and what they don't share is part of what differs between replicates. What fails for certain by another
    condition, or at another place, fails still.
    """
    close: tuple[c.Measured, _Near] | None = None
    for condition in _joined(claim.tree):
        measure = _measure(condition, results)
        if measure is None:
            if decision.verdict == FAILS and (value(condition, results).low == 0).any():
                return decision
            continue
        if results.examples[measure.measure] == 1 and not {measure.measure} & {*results.rates, *results.exact}:
            return decision.lowered(
                decision.verdict, f"one {_stream(measure, results)} example has no known sampling error"
            )
        for near in _looked_at(condition, measure, results):
            if decision.verdict == FAILS and not near.holds and near.margin is None:
                return decision
            if close is None and near.margin is not None:
                close = measure, near
    if close is None:
        return decision
    return decision.lowered(LOWERED.get(decision.verdict, decision.verdict), _words(*close, results))


def _joined(tree: Any) -> Iterator[Any]:
    """The conditions that a claim asks for together."""
    if isinstance(tree, c.Apply) and tree.operation == "logical_and":
        for argument in tree.arguments:
            yield from _joined(argument)
    else:
        yield tree


def _measure(condition: Any, results: Results) -> c.Measured | None:
    """The measure over sampled examples that a comparison with numbers is of: of its last value, one at a step, or its best."""
    if not isinstance(condition, c.Apply) or condition.operation not in COMPARISONS:
        return None
    leaves = [part for part in c.parts(condition) if not isinstance(part, c.Apply | c.Number | c.Coordinate)]
    if len(set(leaves)) != 1 or not isinstance(leaves[0], c.Measured):
        return None
    measure = leaves[0]
    return measure if measure.reduction in ERRING and measure.measure in results.examples else None


def _looked_at(condition: Any, measure: c.Measured, results: Results) -> Iterator[_Near]:
    """What a condition is within the error of its measure, at each place where it is known."""
    last, examples = len(results.dimensions), results.examples[measure.measure]
    grids = [value(measure, results), sampling_errors(measure, results)]
    if measure.reduction in c.BEST:  # the best of many lies above a plateau by chance: the error is about either
        grids.append(value(measure, results.without_selection))
    values, errors, *fair = ({_key(place): row for place, row in grid.along(last)} for grid in grids)
    rate = results.rates.get(measure.measure)
    for place, _ in value(condition, results).along(last):
        own = _key({dimension: at for dimension, at in place.items() if dimension in grids[0].places})
        known = np.isfinite(values[own])
        if not known.any():
            continue
        means = [float(each[own][known].mean()) for each in (values, *fair)]
        truth = partial(_truth, condition, measure, place, results)
        begin = truth(means[0])
        holds = bool(begin == 1)

        def turned(inputs: Any, truth: Any = truth, begin: Array = begin) -> Array:
            found = truth(inputs)
            return np.asarray((found != begin) & ~np.isnan(found))

        if rate is not None:
            yield _of_rate(_Near(place, holds), turned, means, values[own][known], rate, examples)
            continue
        told = (errors[own][known] ** 2)[np.isfinite(errors[own][known])]  # replicates of versions before have none
        if not len(told):
            yield _Near(place, holds)
            continue
        variance = float(told.mean()) / int(known.sum())
        error = DEVIATIONS * math.sqrt(variance)
        turn = _turn(turned, means, min(means) - error, max(means) + error)
        yield _Near(place, holds, _margin(turn, means, error), error, variance)


def _truth(condition: Any, measure: c.Measured, place: Entry, results: Results, inputs: Any) -> Array:
    return with_measure(condition, measure, inputs, place, results)


def _of_rate(near: _Near, turned: Any, means: list[float], values: Array, rate: Rate, examples: int) -> _Near:
    """The same of rates over so many examples, by the variance if the true one is where the condition turns.

    20 of 20 say little about 0.99. Where it turns at a rate that leaves no other, the variance is that of the rates that were found.
    """
    offset, scale = rate
    turn = _turn(turned, means, *sorted((offset, offset + scale)))
    if turn is None:
        return near
    at = (turn - offset) / scale
    rates = np.full_like(values, at) if ROUNDING < at < 1 - ROUNDING else (values - offset) / scale
    variance = scale**2 * float((rates * (1 - rates) / examples).mean()) / len(values)
    error = DEVIATIONS * math.sqrt(variance)
    inside = min(means) - error < turn < max(means) + error
    return _Near(near.place, near.holds, _margin(turn if inside else None, means, error), error, variance)


def _margin(turn: float | None, means: list[float], error: float) -> float | None:
    """The way from the nearest mean to where a condition turns; nothing where it does not, or by what chance adds to the best alone."""
    if turn is None or (len(means) > 1 and min(means) <= turn <= max(means)):
        return None
    margin = min(abs(turn - mean) for mean in means)
    return margin if margin > ROUNDING * error else 0.0


def _turn(turned: Any, means: list[float], low: float, high: float) -> float | None:
    """Where in a stretch, nearest to the first mean, a condition turns; None where it does not."""
    inputs = np.linspace(low, high, PLACES)
    other = inputs[np.broadcast_to(turned(inputs), inputs.shape)]
    if not len(other):
        return None
    begin, end = means[0], float(other[np.argmin(np.abs(other - means[0]))])
    for _ in range(HALVINGS):
        middle = (begin + end) / 2
        begin, end = (begin, middle) if turned(middle) else (middle, end)
    return end


def _words(measure: c.Measured, near: _Near, results: Results) -> str:
    at, examples = where(near.place, results), results.examples[measure.measure]
    assert near.margin is not None
    enough = math.ceil(examples * near.variance * (DEVIATIONS / near.margin) ** 2) if near.margin else None
    needed = f"about {_rounded(enough):,} would be enough" if enough else "no number of them would be enough"
    margin, error = pair(near.margin, near.error)
    return (
        f"the margin {margin}{f' at {at}' if at else ''} is within the sampling error of {examples:,} "
        f"{_stream(measure, results)} examples, ± {error}: {needed}"
    )


def _stream(measure: c.Measured, results: Results) -> str:
    return "training" if measure.measure in results.trained else "test"


def _key(place: Entry) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(place.items()))


def _rounded(count: int) -> int:
    """A count in two digits, upwards.

    >>> _rounded(12345)
    13000
    """
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
