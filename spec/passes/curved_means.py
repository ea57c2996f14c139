"""Which measures are curved in the means of sampled examples, as `norm(E(x))` is: such a measure is biased, in all replicates alike.

A measure that is linear in its means is right on average, however few the examples are. Of a convex function the mean lies above the
function of the mean (Jensen 1906), of a concave one below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from itertools import combinations
from typing import NamedTuple

from ..ir import terms as t
from ..ir.plan import EstimatePlan, MeasurePlan, Program
from ..ir.term_pass import TermPass
from ..tables.operations import OPERATIONS, Operation
from .sampled_means import is_of_chosen, sampled_examples, sampled_streams, shown_estimate, stream_of


class How(IntEnum):
    """How a term moves with means: it is chosen by them (`argmin(E(v))`, and what is made of that alone), linear in them, or curved."""

    CHOSEN = 0
    LINEAR = 1
    CURVED = 2


class Moves(NamedTuple):
    """The sampled streams over which the means are that a term moves with, and how it does; none, where it stands still."""

    streams: frozenset[str] = frozenset()
    how: How = How.CHOSEN


STILL = Moves()


def curved(program: Program, measure: MeasurePlan) -> bool:
    """Whether a measure is a real number, or an array, that is curved in means of sampled examples, and is made of nothing else that errs."""
    term = measure.term
    if term.type.kind != "real" or not t.has(term, t.Expectation) or isinstance(measure, EstimatePlan):
        return False
    if t.has(term, t.GradientStatistic, t.SamplingFloor) or shown_estimate(program, measure) is not None:
        return False
    return bool(sampled_examples(program, measure)) and _Means(program, measure).of(term).how is How.CURVED


class _Means:
    """How the terms of a measure move with its means; `arguments` are the parameters in scope, by their keys."""

    def __init__(self, program: Program, measure: MeasurePlan, arguments: Mapping[str, Moves] | None = None) -> None:
        self.program = program
        self.measure = measure
        self.arguments = arguments or {}
        self.sampled = frozenset(sampled_streams(program, measure))
        self._known: dict[int, Moves] = {}

    def of(self, term: t.Term) -> Moves:
        """How a term moves."""
        if not t.has(term, t.Expectation) and not (self.arguments and t.has(term, t.Parameter)):
            return STILL
        if id(term) not in self._known:
            self._known[id(term)] = _MOVES.of(term)(term, self)
        return self._known[id(term)]

    def mean(self, term: t.Expectation) -> Moves:
        """A mean by itself: it moves if its stream is sampled. Test streams are the same examples, said in several ways."""
        name = stream_of(self.measure, term)
        examples = "test" if name in self.program.streams else name
        return Moves(frozenset([examples]), How.LINEAR) if name in self.sampled else STILL

    def within(self, parameters: Iterable[str], arguments: Iterable[Moves]) -> _Means:
        """The same in the body of a function."""
        bound = {**self.arguments, **dict(zip(parameters, arguments, strict=True))}
        return _Means(self.program, self.measure, {key: moves for key, moves in bound.items() if moves != STILL})


def together(moves: Iterable[Moves]) -> Moves:
    """How a sum of terms moves.

    >>> together([Moves(frozenset(["test"]), How.LINEAR), STILL])
    Moves(streams=frozenset({'test'}), how=<How.LINEAR: 1>)
    """
    streams, how = frozenset[str](), How.CHOSEN
    for one in moves:
        streams, how = streams | one.streams, max(how, one.how)
    return Moves(streams, how)


def times(*moves: Moves) -> Moves:
    """How a product of terms moves: it is curved in a mean that moves several of them, unless it only chooses."""
    found = together(moves)
    shared = any(a.streams & b.streams for a, b in combinations(moves, 2))
    return Moves(found.streams, How.CURVED) if shared and found.how is not How.CHOSEN else found


def bent(*moves: Moves) -> Moves:
    """How a curved function of terms moves."""
    found = together(moves)
    return found if found.how is How.CHOSEN else Moves(found.streams, How.CURVED)


def applied(row: Operation, kind: str, moves: Iterable[Moves]) -> Moves:
    """How an operation that gives a kind moves with its arguments. Ints and bools choose: on examples of their own they are no bias.

    >>> test, train = (Moves(frozenset([name]), How.LINEAR) for name in ("test", "train"))
    >>> [applied(OPERATIONS["multiply"], "real", pair).how.name for pair in ((test, train), (test, test), (test, STILL))]
    ['LINEAR', 'CURVED', 'LINEAR']
    """
    given = list(moves)
    if kind != "real":
        return Moves(together(given).streams)
    named = zip(row.values_given(len(given)), given, strict=True)
    groups = {name: place for place, group in enumerate(row.linear) for name in group.split()}
    of_group: dict[int, list[Moves]] = {}
    for place, (argument, one) in enumerate(named, len(groups)):
        if one.how is How.LINEAR and argument.name not in groups:
            return bent(*given)
        of_group.setdefault(groups.get(argument.name, place), []).append(one)
    return times(*map(together, of_group.values()))


_MOVES: TermPass[[_Means], Moves] = TermPass("how it moves with means")


@_MOVES.case(t.Parameter)
def _parameter(term: t.Parameter, means: _Means) -> Moves:
    return means.arguments.get(term.key, STILL)


@_MOVES.case(t.Operate)
def _operate(term: t.Operate, means: _Means) -> Moves:
    if is_of_chosen(term):
        return means.of(term.arguments[0])  # the mean of those that are chosen, however many they are
    return applied(OPERATIONS[term.operation], term.type.kind, map(means.of, term.arguments))


@_MOVES.case(t.Expectation)
def _mean(term: t.Expectation, means: _Means) -> Moves:
    chosen = STILL if term.where is None else bent(means.of(term.where))
    return times(means.mean(term), together((means.of(term.body), chosen)))


@_MOVES.case(t.Invoke)
def _invoke(term: t.Invoke, means: _Means) -> Moves:
    return means.within(term.parameters, map(means.of, term.arguments)).of(term.body)


@_MOVES.case(t.Scan)
def _scan(term: t.Scan, means: _Means) -> Moves:
    items = () if term.items is None else (means.of(term.items),)
    state, before = means.of(term.start), None
    while state != before:
        before = state
        state = together([state, means.within(term.parameters, (state, *items)).of(term.body)])
    return state


@_MOVES.case(t.Comprehend)
def _comprehend(term: t.Comprehend, means: _Means) -> Moves:
    return means.of(term.body)


@_MOVES.case(t.Gather)
def _gather(term: t.Gather, means: _Means) -> Moves:
    return times(means.of(term.array), means.of(term.index))


@_MOVES.case(t.Cut)
def _cut(term: t.Cut, means: _Means) -> Moves:
    return means.of(term.array)


@_MOVES.case(t.Stack)
def _stack(term: t.Stack, means: _Means) -> Moves:
    return together(map(means.of, term.items))


@_MOVES.case(t.Stop, t.Recalled)
def _operand(term: t.Stop | t.Recalled, means: _Means) -> Moves:
    return means.of(term.operand)


@_MOVES.case(t.WithWeights)
def _with_weights(term: t.WithWeights, means: _Means) -> Moves:
    return times(means.of(term.operand), bent(means.of(term.weights)))


@_MOVES.case(t.Sample, t.NetworkOutput, t.Gradient, *t.DERIVED)
def _through(term: t.Term, means: _Means) -> Moves:
    return bent(*map(means.of, t.children(term)))


_MOVES.exclude(
    "no mean and no argument stands in it",
    t.Literal, t.SweptConstant, t.Reference, t.IndexVariable, t.Weight, t.AllWeights, t.StepNumber, t.FileValue, t.LeftOut,
)  # fmt: skip
_MOVES.exclude("no measure that has one is looked at", t.GradientStatistic, t.SamplingFloor)
