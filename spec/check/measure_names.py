"""Measures by their names, in the expressions of other measures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from ..diagnostics.problems import Problem, Span, StudyError, problem_at
from ..ir import terms as t
from ..ir.plan import MeasurePlan
from ..tables.gradient_statistics import FLOOR
from .said_streams import said_mode, said_on

INFERENCE = "inference"
"""The mode of layers in a measure that says none: nothing is drawn, and batch normalisation takes its moving averages."""
MAX_DEPTH = 30
"""How many measures may be made of one another, one behind the other."""
MAX_TERMS = 20_000
"""Of how many terms a measure may be made, those of the measures in it among them."""


@dataclass(frozen=True)
class Asked:
    """A measure that is being checked: its stream, and the mode of layers in it."""

    name: str
    stream: str
    mode: str


class MeasureNames:
    """The measures of an experiment as others use them. `make` gives the plans of a measure; it is there once measures are checked.

    A measure's name stands for what it is of, over the examples of its own stream and in its own mode.
    """

    def __init__(self, names: Collection[str], problems: list[Problem]) -> None:
        self.names = names
        self.problems = problems
        self.make: Callable[[str], Sequence[MeasurePlan]] | None = None
        self.stream: Callable[[str, Span], str] = lambda name, span: name
        """A stream by its name, which stands at a span; raises StudyError where there is none."""
        self.failed: set[str] = set()
        self.placed: dict[tuple[int, str], tuple[t.Term, t.Term]] = {}
        """What measures are of, by its identity, with expectations that say their stream, or their mode: for measures with another."""
        self.path: list[Asked] = []
        """The measures that are being checked, each within the one before."""
        self.room = MAX_TERMS

    @contextmanager
    def within(self, name: str, stream: str, mode: str) -> Iterator[None]:
        """While a measure's own expression is checked."""
        room, self.room = self.room, MAX_TERMS
        self.path.append(Asked(name, stream, mode))
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
            raise problem_at(span, f"'{name}' is a measure, which only other measures can use", hint)
        if name in loss:
            raise problem_at(span, f"'{name}' is a term of the loss, which no expression can use", hint)

    def plan(self, name: str) -> MeasurePlan | None:
        """A measure; None where there is none of that name. Raises StudyError, whose problems are told already."""
        owner = name if name in self.names else name.removesuffix(FLOOR)
        if self.make is None or owner in self.failed or any(one.name == owner for one in self.path):
            raise StudyError([])
        try:
            return next((plan for plan in self.make(owner) if plan.name == name), None)
        except StudyError as error:
            self.failed.add(owner)
            self.problems.extend(error.problems)
            raise StudyError([]) from None

    def term(self, name: str, span: Span) -> t.Term:
        """What a measure is of, in the expression of another. Raises StudyError."""
        active = [one.name for one in self.path]
        if name in active:
            chain = " → ".join([*active[active.index(name) :], name])
            raise problem_at(
                span, f"the measure '{name}' is defined through itself: {chain}", "Write one of them another way."
            )
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
        inside, used = self.path[-1], plan.term
        if plan.on != inside.stream:
            used = self._placed(used, "on", partial(said_on, streams={None: plan.on}))
        if inside.mode != INFERENCE:
            used = self._placed(used, "mode", partial(said_mode, modes={None: INFERENCE}))
        return used

    def _placed(self, term: t.Term, word: str, said: Callable[[t.Term], t.Term]) -> t.Term:
        """What a measure is of, with expectations that say a word which they would take from another measure around it."""
        key = (id(term), word)
        if key not in self.placed:
            self.placed[key] = term, said(term)
        return self.placed[key][1]
