"""What stands in each measure and in what it is made of, looked through once for all cells, and with which bounds of its names no int leaves its range."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property

from ..expressions.parser import COMPARISONS
from ..ir import terms as t
from ..ir.plan import MeasurePlan
from ..tables.operations import OPERATIONS
from ..tables.operations.intervals import INT32


@dataclass(frozen=True, eq=False)
class Reads:
    """What stands in a term, each looked for when it is asked for."""

    term: t.Term

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that stand in it."""
        return tuple(dict.fromkeys(item.name for item in t.within(self.term, t.Reference)))

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """The networks whose outputs stand in it."""
        return tuple(dict.fromkeys(item.network for item in t.within(self.term, t.NetworkOutput)))

    @property
    def derived(self) -> bool:
        """Whether a gradient stands in it."""
        return t.has(self.term, t.Gradient, t.ValueGradient, t.Directional, t.GradientStatistic)

    @cached_property
    def after(self) -> bool:
        """Whether weights after a phase, or estimates, stand in it."""
        recalled = any(item.moment == "after" for item in t.within(self.term, t.Recalled))
        return recalled or any(item.stage == "estimates" for item in t.within(self.term, t.Reference))

    @property
    def recalled(self) -> bool:
        """Whether the weights of any other time stand in it."""
        return t.has(self.term, t.Recalled)

    @property
    def counted(self) -> bool:
        """Whether a step's number stands in it."""
        return t.has(self.term, t.StepNumber)

    @cached_property
    def ranged(self) -> bool:
        """Whether an int or a bool stands in it that may be outside of where it belongs."""
        return any(
            item.type.kind != "real" and not (isinstance(item, t.Literal) and _held(item)) for item in t.walk(self.term)
        )

    @cached_property
    def doubtful(self) -> bool:
        """Whether an operation or an index stands in it that is to be looked at, as it may not be what is meant."""
        return any(map(_doubtful, t.within(self.term, t.Operate))) or self.indexed

    @cached_property
    def indexed(self) -> bool:
        """Whether an index stands in it that is no constant."""
        return any(not isinstance(item.index, t.Literal) for item in t.within(self.term, t.Gather))


@dataclass(frozen=True, slots=True)
class MeasureReads:
    """The measures of all cells. `sound` are those whose ints are within their ranges, each with the bounds of what it reads."""

    known: dict[int, Reads] = field(default_factory=dict)
    derived: dict[int, tuple[tuple[MeasurePlan, ...], list[MeasurePlan], bool]] = field(default_factory=dict)
    sound: set[Hashable] = field(default_factory=set)

    def of(self, term: t.Term) -> Reads:
        """What stands in a term."""
        reads = self.known.get(id(term))
        if reads is None:
            reads = self.known[id(term)] = Reads(term)
        return reads

    def together(self, measures: tuple[MeasurePlan, ...]) -> tuple[tuple[MeasurePlan, ...], list[MeasurePlan], bool]:
        """All measures of a cell, those of them in which gradients stand, and whether ints do: the same for the same tuple."""
        joint = self.derived.get(id(measures))
        if joint is None:
            derived = [measure for measure in measures if self.of(measure.term).derived]
            ranged = any(self.of(measure.term).ranged for measure in measures)
            joint = self.derived[id(measures)] = measures, derived, ranged
        return joint


def _held(term: t.Literal) -> bool:
    """Whether an int holds a constant."""
    value = term.value
    return value.dtype.kind == "b" or not value.size or (INT32[0] <= value.min() and value.max() <= INT32[1])


def _doubtful(item: t.Operate) -> bool:
    row = OPERATIONS[item.operation]
    of_one = bool(row.instead) and not item.arguments[0].type.shape
    return bool(row.applies or row.signs or row.operator in COMPARISONS) or of_one or spread_by_rank(item)


def spread_by_rank(item: t.Operate) -> bool:
    """Whether arrays of unlike ranks are spread over each other, so that the value is larger than each: `[n, 1]` and `[n]` to `[n, n]`."""
    shape = item.type.shape
    if len(shape) < 2 or not OPERATIONS[item.operation].elementwise:
        return False
    shapes = [one.type.shape for one in item.arguments if one.type.shape]
    return len({len(one) for one in shapes}) > 1 and all(shape != one for one in shapes)
