"""What is taken over examples: measures, estimates at the ends of phases, statistics of the training set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from . import terms as t


@dataclass(frozen=True, eq=False)
class MeasurePlan:
    """A measure: a term over expectations (or constants). A `ratio` to noise may have no finite value, and training goes on."""

    name: str
    term: t.Term
    on: str = "test"
    ratio: bool = False

    @cached_property
    def streams(self) -> tuple[str, ...]:
        """The streams whose examples it is over: its own, and those that expectations in it say."""
        said = (item.on for item in t.within(self.term, t.Expectation))
        return tuple(dict.fromkeys([self.on, *(stream for stream in said if stream is not None)]))

    @cached_property
    def in_training(self) -> tuple[t.Expectation, ...]:
        """Its expectations for which layers compute as in an update."""
        return tuple(i for i in t.within(self.term, t.Expectation) if i.mode == "training")


def each_term_once(measures: Iterable[MeasurePlan]) -> tuple[MeasurePlan, ...]:
    """Some measures without those that differ from another in their names alone: for what looks at terms."""
    found: dict[tuple[int, str], MeasurePlan] = {}
    for measure in measures:
        found.setdefault((id(measure.term), measure.on), measure)
    return tuple(found.values())


@dataclass(frozen=True, eq=False)
class EstimatePlan(MeasurePlan):
    """What is taken once, at the end of each pass of a phase, over so many training examples: a constant from then on."""

    phase: str = ""
    examples: int = 0


@dataclass(frozen=True, eq=False)
class StatisticPlan(MeasurePlan):
    """What is taken once per replicate over its training set, before step 0: a constant from then on.

    Those of one `level` are made of those of the levels before it alone.
    """

    level: int = 0
