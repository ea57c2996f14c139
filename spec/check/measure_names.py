"""Measures by their names, in the expressions of other measures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from ..diagnostics.problems import Problem, Span, StudyError, problem_at
from ..ir import terms as t
from ..ir.plan import MeasurePlan
from ..tables.gradient_statistics import FLOOR
from .said_streams import said_on

MAX_DEPTH = 30
"""How many measures may be made of one another, one behind the other."""
MAX_TERMS = 20_000
"""Of how many terms a measure may be made, those of the measures in it among them."""


class MeasureNames:
    """The measures of an experiment as others use them. `make` gives the plans of a measure; it is there once measures are checked.

    A measure's name stands for what it is of, over the examples of its own stream.
    """

    def __init__(self, names: Collection[str], problems: list[Problem]) -> None:
        self.names = names
        self.problems = problems
        self.make: Callable[[str], Sequence[MeasurePlan]] | None = None
        self.stream: Callable[[str, Span], str] = lambda name, span: name
        """A stream by its name, which stands at a span; raises StudyError where there is none."""
        self.failed: set[str] = set()
        self.placed: dict[int, tuple[t.Term, t.Term]] = {}
        """What measures are of, by its identity, with expectations that say their stream: for measures over other examples."""
        self.path: list[tuple[str, str]] = []
        """The measures that are being checked, each within the one before, with their streams."""
        self.room = MAX_TERMS

    @contextmanager
    def within(self, name: str, stream: str) -> Iterator[None]:
        """While a measure's own expression is checked."""
        room, self.room = self.room, MAX_TERMS
        self.path.append((name, stream))
        try:
            yield
        finally:
            self.path.pop()
            self.room = room

    def has(self, name: str) -> bool:
        """Whether a name is a measure's, or its sampling floor's, and stands in the expression of another."""
        return bool(self.path) and (name in self.names or name.removesuffix(FLOOR) in self.names)

    def must_not_be(self, name: str, loss: Collection[str], span: Span) -> None:
        """Refuses a measure that stands elsewhere than in a measure, and a term of the loss."""
        hint = "Write it out again, or give what they share a name under `outputs`."
        if name in self.names:
            raise problem_at(span, f"'{name}' is a measure, which other measures alone can use", hint)
        if name in loss:
            raise problem_at(span, f"'{name}' is a term of the loss, which no expression can use", hint)

    def plan(self, name: str) -> MeasurePlan | None:
        """A measure; None where there is none of that name. Raises StudyError, whose problems are told already."""
        owner = name if name in self.names else name.removesuffix(FLOOR)
        if self.make is None or owner in self.failed or any(own == owner for own, _ in self.path):
            raise StudyError([])
        try:
            return next((plan for plan in self.make(owner) if plan.name == name), None)
        except StudyError as error:
            self.failed.add(owner)
            self.problems.extend(error.problems)
            raise StudyError([]) from None

    def term(self, name: str, span: Span) -> t.Term:
        """What a measure is of, in the expression of another. Raises StudyError."""
        active = [own for own, _ in self.path]
        if name in active:
            chain = " → ".join([*active[active.index(name) :], name])
            raise problem_at(span, f"the measure '{name}' is made of itself: {chain}", "Write one of them another way.")
        if len(active) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} measures are made of one another"
            raise problem_at(span, message, "Give what they share a name under `outputs`.")
        plan = self.plan(name)
        if plan is None:
            raise problem_at(span, f"the measure '{name}' has no value of its own here", "Name what it is made of.")
        self.room -= sum(1 for _ in t.walk(plan.term))
        if self.room < 0:
            message = f"the measures in this one are made of more than {MAX_TERMS:,} terms together"
            raise problem_at(span, message, "Give what they share a name under `outputs`.")
        _, stream = self.path[-1]
        if plan.on == stream:
            return plan.term
        _, placed = self.placed.setdefault(id(plan.term), (plan.term, said_on(plan.term, {None: plan.on})))
        return placed
