"""Claims decided by the mean margin over replicates, in each cell: t intervals, wider ones for skewed results, corrected over cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from dlspec.spec.ir.plan import ClaimPlan
from dlspec.spec.tables.judges import ERROR, HOLDS_FROM, JUDGES

from ..results.number_text import apart, number
from ..results.replicates import Results
from ..results.verdicts import FAILS, HOLDS, OPEN, SEEN, Decision
from .grid import Array, Entry, Grid
from .randomness import differs, exactly
from .rates import chance_of_statistic, least_count, skewed, student
from .undecided import undecided, where

ROUNDING = 1e-12
"""By how much of their size margins differ that are the same but for rounding."""
MOST_EXPONENT = 709.0
"""The largest whole number of which the exponential is finite."""


@dataclass(frozen=True)
class Margins:
    """By how much a condition holds at each place: below 0 where it does not, and at 0 unless it is `strict`.

    `ratio` says that they are logarithms of ratios, which are shown as ratios; `symmetric` that they need no allowance for skewness.
    """

    grid: Grid
    strict: bool
    ratio: bool = False
    symmetric: bool = False


@dataclass(frozen=True)
class Cell:
    """The margins of one cell's replicates, those that are finite, and how many are not; `infinite` of these are no NaN.

    `tail` is each bound's error.
    """

    place: Entry
    margins: Array
    undefined: int
    of: Margins
    tail: float
    infinite: int = 0

    @property
    def count(self) -> int:
        """How many replicates are counted."""
        return len(self.margins)

    @cached_property
    def mean(self) -> float:
        """The mean margin."""
        return float((self.margins / self._size).mean()) * self._size

    @cached_property
    def error(self) -> float:
        """The standard error of the mean."""
        return float((self.margins / self._size).std(ddof=1)) * (self._size / math.sqrt(self.count))

    @cached_property
    def _size(self) -> float:
        """A power of two near the largest margin: sums and squares of numbers near 1 stay within the range of float64."""
        return 2.0 ** max(math.frexp(float(np.abs(self.margins).max()))[1] - 1, -1022)

    @property
    def same(self) -> bool:
        """Whether all replicates have the same margin, to rounding: then there is no spread to judge by."""
        return bool(np.ptp(self.margins / self._size) <= ROUNDING)

    def interval(self, cells: int = 1) -> tuple[float, float]:
        """Student's interval of the mean, corrected for so many cells (Bonferroni)."""
        half = student(self.count - 1, self.tail / cells) * self.error
        return self.mean - half, self.mean + half

    def met(self) -> str:
        """Whether the margin is above 0 for certain: *holds*, *seen*, or nothing."""
        if self.same:
            return SEEN if self.mean > 0 or (self.mean == 0 and not self.of.strict) else ""
        if self.mean - self._safe() * self.error > 0:
            return HOLDS
        return SEEN if self.interval()[0] > 0 else ""

    def missed(self, cells: int) -> bool:
        """Whether the margin is below 0 for certain, by an interval corrected for so many cells."""
        return self.mean < 0 if self.same else self.mean + self._safe(cells) * self.error < 0

    def _safe(self, cells: int = 1) -> float:
        """How many standard errors the mean is off by in 5 % of studies at most, those of skewed results too."""
        return self._width(self.count, cells)

    def _width(self, count: int, cells: int) -> float:
        """The same of so many replicates."""
        if self.of.symmetric:
            return student(count - 1, self.tail / cells)
        return skewed(count, ERROR / 2 / cells)

    def chance(self) -> float:
        """How often chance alone gives a mean margin as far above 0 as this, with the allowance for skewed results."""
        if self.same:
            return 0.5**self.count if self.met() else 1.0
        if self.mean <= 0:
            return 1.0
        wider = self._safe() / student(self.count - 1, ERROR / 2)
        return chance_of_statistic(self.mean / self.error / wider, self.count - 1)

    def enough(self, cells: int) -> int | None:
        """How many replicates would tell the mean margin from 0, from the spread seen; below 0 by an interval for so many cells."""
        if self.same:  # no spread was seen, and without one it is never more than seen
            return None
        cells = cells if self.mean < 0 else 1
        spread = self.error * math.sqrt(self.count)

        def tells(count: int) -> bool:
            return abs(self.mean) > self._width(count, cells) * spread / math.sqrt(count)

        return least_count(tells, self.count) if self.mean else None


def decide_by_means(claim: ClaimPlan, sides: Sequence[Margins], results: Results, tail: float = ERROR / 2) -> Decision:
    """Whether the mean margins of all sides are above 0 in all cells; each bound of an interval errs with the probability `tail`."""
    if any(side.grid.ranges and (side.grid.low < side.grid.high).any() for side in sides):
        return Decision(OPEN, "a mean over an event that never came is not known")
    cells = [
        _cell(side, place, values, tail) for side in sides for place, values in side.grid.along(len(results.dimensions))
    ]
    if not cells:
        return Decision(OPEN, "none of the replicates that it speaks of was run")
    if infinite := next((cell for cell in cells if cell.infinite), None):
        reason = f"{infinite.infinite} of {infinite.count + infinite.undefined} margins are infinite{_at(infinite, results)}, and have no mean"
        return Decision(OPEN, reason, counted=infinite.count, undefined=infinite.undefined)
    if not differs(claim.tree, results) and all(cell.count and cell.same and not cell.undefined for cell in cells):
        good = all(cell.mean > 0 or (cell.mean == 0 and not cell.of.strict) for cell in cells)
        return exactly(good, cells[0].count)
    few = min(cells, key=lambda cell: cell.count)
    if few.count < (fewest := JUDGES[claim.judge.name].fewest):
        reason = f"a t interval needs {fewest} replicates or more{_at(few, results)}, but {few.count} can be judged"
        needed = None if few.undefined else HOLDS_FROM  # others may be undefined, too
        reason += _uncounted(few) + _why_undefined(claim, few, results)
        return Decision(OPEN, reason, counted=few.count, undefined=few.undefined, needed=needed)
    met, many = [cell.met() for cell in cells], len(cells) // len(sides)
    missed = [cell for cell in cells if cell.missed(many)]
    if missed:
        return _decision(FAILS, min(missed, key=lambda cell: cell.mean + cell.error), many, results)
    worst = min(cells, key=lambda cell: cell.mean if cell.same else cell.interval()[0])
    if all(met):
        worst = max(cells, key=lambda cell: cell.chance())
        holds = all(one == HOLDS for one in met) and few.count >= HOLDS_FROM
        return _decision(HOLDS if holds else SEEN, worst, many, results)
    return _decision(OPEN, worst, many, results)


def _cell(side: Margins, place: Entry, values: Array, tail: float) -> Cell:
    finite = np.isfinite(values)
    return Cell(place, values[finite], int((~finite).sum()), side, tail, int(np.isinf(values).sum()))


def _decision(verdict: str, cell: Cell, cells: int, results: Results) -> Decision:
    """A verdict in the words of the cell, of so many, that decided."""
    corrected = 1 if verdict in (HOLDS, SEEN) else cells
    needed = None if verdict in (HOLDS, FAILS) else cell.enough(cells)
    interval = (cell.mean, cell.mean) if cell.same else cell.interval(corrected)
    return Decision(
        verdict,
        _why(verdict, cell, interval),
        _strength(cell, interval, corrected, cells, results),
        cell.chance(),
        interval,
        tuple(float(margin) for margin in cell.margins),
        where(cell.place, results),
        ERROR,
        cell.count,
        cell.undefined,
        needed,
    )


def _why(verdict: str, cell: Cell, interval: tuple[float, float]) -> str:
    if verdict == OPEN and interval[1] < 0:
        return "the t interval contradicts the claim, but skewed results could do so by chance"
    if cell.same and verdict == OPEN:
        return "both sides are the same in every replicate, but the claim asks for a difference"
    if cell.same and verdict == SEEN:
        return (
            "the margin is the same in every replicate: there is no spread to judge by; `judge: replicates` counts them"
        )
    if verdict == SEEN and cell.count >= HOLDS_FROM:
        advice = "" if cell.of.symmetric else "; `judge: geometric_mean` allows for skewed positive results"
        return f"the t interval agrees, but skewed results could do so by chance{advice}"
    return ""


def _strength(cell: Cell, interval: tuple[float, float], corrected: int, cells: int, results: Results) -> str:
    """The mean margin with its interval, and of how many replicates."""
    level = 100 * (1 - 2 * cell.tail)
    shown, low, high = cell.mean, *interval
    what = "mean margin"
    if cell.of.ratio:
        shown, low, high = (math.exp(min(end, MOST_EXPONENT)) for end in (shown, low, high))
        what = "mean ratio"
    over = (
        f", corrected over {corrected} cells"
        if corrected > 1
        else f", in the worst of {cells} cells"
        if cells > 1
        else ""
    )
    none = 1.0 if cell.of.ratio else 0.0
    words = [number(end, apart(end, none)) for end in (shown, low, high)]
    text = f"{what} {words[0]}, {level:.0f} % interval {words[1]} to {words[2]}{over}"
    return f"{text}, {cell.count} replicate{'s' if cell.count > 1 else ''}{_at(cell, results)}{_uncounted(cell)}"


def _uncounted(cell: Cell) -> str:
    return f"; {cell.undefined} undefined, not counted" if cell.undefined else ""


def _why_undefined(claim: ClaimPlan, cell: Cell, results: Results) -> str:
    """What is wrong with the first replicate of a cell that is not counted; empty where all are."""
    entries = ({**cell.place, len(results.dimensions): replicate} for replicate in range(results.count))
    return next((f"; {why}" for entry in entries if (why := undecided(claim.tree, entry, results))), "")


def _at(cell: Cell, results: Results) -> str:
    return f" at {place}" if (place := where(cell.place, results)) else ""
