"""Which measures have a sampling error that is told: those over the means of sampled examples, and of which means it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import TypeGuard

from ..ir import terms as t
from ..ir.bodies import free_indices
from ..ir.plan import EstimatePlan, MeasurePlan, Program
from ..tables.flops import FLAT

MAX_ENTRIES = 64
"""Of arrays with more entries no errors are kept: they are shown, and seldom compared with a number."""
MAX_MEANS = 4
"""Of how many means a measure may be made: the error takes the covariance of each pair."""
MAX_NESTED = 10
"""The same where means stand within means, as in a correlation: the error takes another pass over the examples."""


def sampled_examples(program: Program, measure: MeasurePlan) -> int:
    """Over how many sampled examples a measure's expectations go.

    0 where they go over all there are, and have no sampling error: all values of an enumerated draw, or a finite training set; and in
    training mode, where none is kept. A measure that is made of an estimate goes over what that is taken of.
    """
    if measure.in_training:
        return 0
    if isinstance(measure, EstimatePlan):
        whole = program.data.exact or measure.examples == program.data.train
        return 0 if whole else measure.examples
    if (estimate := shown_estimate(program, measure)) is not None:
        return sampled_examples(program, estimate)
    streams = sampled_streams(program, measure)
    complete = program.data.exact or program.data.all_tested or not streams
    return 0 if complete else min(map(program.evaluated, streams))


def sampled_stream(program: Program, measure: MeasurePlan) -> str:
    """The stream whose sampled examples a measure's expectations go over, that of what is trained on only where there is no other."""
    if shown_estimate(program, measure) is not None:
        return "train"
    return "train" if set(sampled_streams(program, measure)) == {"train"} else "test"


def shown_estimate(program: Program, measure: MeasurePlan) -> EstimatePlan | None:
    """The estimate that a measure shows: it is made of that alone, as it is, or of one that is a number; and of no examples."""
    if isinstance(measure, EstimatePlan) or not program.estimates:
        return None
    items = list(t.walk(measure.term))
    names = {item.name for item in items if _is_estimate(item)}
    if len(names) != 1 or any(isinstance(item, t.Expectation | t.GradientStatistic) for item in items):
        return None
    plan = next(plan for plan in program.estimates if plan.name in names)
    if _is_estimate(measure.term):
        return plan
    numbers = not measure.term.type.shape and not plan.term.type.shape
    return None if not numbers or _jumps(measure.term, program, _carrying(measure.term)) else plan


def erring_estimates(program: Program) -> tuple[EstimatePlan, ...]:
    """The estimates whose standard error is kept: those that some measure shows."""
    shown = {id(plan) for measure in program.measures if (plan := shown_estimate(program, measure)) is not None}
    return tuple(plan for plan in program.estimates if id(plan) in shown and means_of(program, plan))


def share_left(program: Program, measure: MeasurePlan) -> float:
    """The share of a variance that is left where the examples are drawn from so many without replacement; 1 of an endless stream."""
    if isinstance(measure, EstimatePlan) and program.data.train:
        return 1 - measure.examples / program.data.train
    return 1.0


def _is_estimate(item: t.Term) -> TypeGuard[t.Reference]:
    return isinstance(item, t.Reference) and item.stage == "estimates"


def sampled_streams(program: Program, measure: MeasurePlan) -> list[str]:
    """The streams of a measure that are samples: not a finite training set, which is all there is, unless an estimate is taken of a part.

    A part of rows in the file's order is no sample of the others, and of what is weighed no error is kept.
    """
    if isinstance(measure, EstimatePlan):
        ordered = program.data.tabled and not program.data.split_at_random
        return [] if ordered or program.data.density is not None else ["train"]
    over = {stream_of(measure, item) for item in t.walk(measure.term) if isinstance(item, t.Expectation)}
    streams = [stream for stream in measure.streams if stream in over] if over else measure.streams
    return [stream for stream in streams if not (stream == "train" and program.data.train)]


def stream_of(measure: MeasurePlan, term: t.Expectation) -> str:
    """The stream whose examples an expectation of a measure is over."""
    return term.on or measure.on


def means_of(program: Program, measure: MeasurePlan) -> tuple[t.Expectation, ...]:
    """The expectations that a measure's error comes of, each before those in its body; none where it isn't kept.

    Kept is that of an expectation, and of a number made of several, within each other, too. It isn't of a rate, which follows from its
    value, but for estimates, whose measures are none; of quantiles, of statistics of gradients, and of mean gradients, whose examples
    aren't told apart; of means over several test streams, which are one example said in several ways, or in training mode, where examples
    of a batch may have to do with each other; where a number jumps with an expectation or an estimate, or its derivative isn't that of its
    value; of arrays and gradients with an expectation within another.
    """
    term = measure.term
    if sampled_examples(program, measure) < 2 or term.type.kind != "real":
        return ()
    found = tuple(item for item in t.walk(term) if isinstance(item, t.Expectation))
    if any(isinstance(item, t.GradientStatistic) for item in t.walk(term)):
        return ()
    over = {stream_of(measure, item) for item in found}
    sampled = over.intersection(sampled_streams(program, measure))
    if not sampled or len([stream for stream in sampled if stream == "test" or stream in program.streams]) > 1:
        return ()
    if len(over) > 1 and any(means_within(item) for item in found):
        return ()
    if any(item.quantile is not None or isinstance(item.body, t.Gradient) for item in found):
        return ()
    nested = any(means_within(item) for item in found)
    if isinstance(term, t.Expectation) and not nested:
        small = prod(term.type.shape) <= MAX_ENTRIES
        rate = term.body.type.kind == "bool" and not isinstance(measure, EstimatePlan)
        return found if small and not rate else ()
    numbers = not term.type.shape and all(not item.type.shape and not free_indices(item) for item in found)
    if not numbers or len(found) > (MAX_NESTED if nested else MAX_MEANS):
        return ()
    if nested and any(isinstance(item, t.Gradient) for item in t.walk(term)):
        return ()
    if any(_jumps(part, program, _carrying(part)) for part in (term, *(item.body for item in found))):
        return ()
    found = tuple(item for item in found if stream_of(measure, item) in sampled)
    return tuple(sorted(found, key=_depth, reverse=True)) if nested else found


def quotients(term: t.Term) -> Iterator[t.Term]:
    """The expectations of means over chosen examples, `E(e, where=g)`: each is the quotient of two sums over the same examples."""
    for item in t.walk(term):
        if is_of_chosen(item):
            yield from t.children(item)


def is_of_chosen(term: t.Term) -> bool:
    """Whether a term is the mean over chosen examples, the quotient of two sums."""
    if not isinstance(term, t.Operate) or term.operation != "divide":
        return False
    total = term.arguments[0]
    return isinstance(total, t.Expectation) and total.where is not None and total.quantile is None


def counted(program: Program) -> Mapping[str, int]:
    """The measures that are a mean of conditions or of whole numbers, and over how many examples: they are a whole number by that number."""
    means = {
        m.name: (m.term, m.on) for m in program.measures if isinstance(m.term, t.Expectation) and not m.in_training
    }
    return {
        name: program.evaluated(term.on or on)
        for name, (term, on) in means.items()
        if term.quantile is None and term.body.type.kind in ("bool", "int")
    }


def means_within(term: t.Expectation) -> tuple[t.Expectation, ...]:
    """The expectations in the body of one, but for those in the bodies of these."""
    parts = {
        id(item): item
        for part in t.children(term)
        for item in t.walk(part, lambda item: () if isinstance(item, t.Expectation) else t.children(item))
    }
    return tuple(item for item in parts.values() if isinstance(item, t.Expectation))


def _depth(term: t.Expectation) -> int:
    """How many expectations stand within each other in the body of one."""
    return 1 + max(map(_depth, means_within(term)), default=-1)


def _carrying(term: t.Term) -> frozenset[str]:
    """The parameters that stand for an argument with an expectation in it."""
    keys: frozenset[str] = frozenset()
    for item in t.walk(term):  # a function comes before those that are called in its body, or its arguments
        if isinstance(item, t.Invoke | t.Scan):
            bound = zip(item.parameters, item.arguments, strict=True)
            keys |= {key for key, argument in bound if _moves(argument, keys)}
    return keys


def _moves(term: t.Term, carrying: frozenset[str]) -> bool:
    """Whether an expectation or an estimate stands in a term, itself or by a parameter."""
    return any(
        isinstance(item, t.Expectation)
        or _is_estimate(item)
        or (isinstance(item, t.Parameter) and item.key in carrying)
        for item in t.walk(term)
    )


def _jumps(term: t.Term, program: Program, carrying: frozenset[str]) -> bool:
    """Whether a term jumps with an expectation in it, or hides how it changes with it: then there is no error to first order."""
    if isinstance(term, t.Expectation) or _is_estimate(term) or not _moves(term, carrying):
        return False
    hidden = isinstance(
        term, t.Stop | t.Recalled | t.WithWeights | t.ValueGradient | t.Directional | t.NetworkOutput
    ) or (isinstance(term, t.Invoke) and any(term.function in one.gradient for one in program.under_each_mode))
    steps = isinstance(term, t.Operate) and term.operation in FLAT
    if hidden or steps or term.type.kind != "real":
        return True
    return any(_jumps(part, program, carrying) for part in t.children(term))
