"""Which measures have a sampling error that is told: those over the means of sampled examples, and of which means it comes."""

from __future__ import annotations

from math import prod

from ..ir import terms as t
from ..ir.plan import MeasurePlan, Program
from ..tables.flops import OPERATION_WORK

MAX_ENTRIES = 64
"""Of arrays with more entries no errors are kept: they are shown, and seldom compared with a number."""
MAX_MEANS = 4
"""Of how many means a measure may be made: the error takes the covariance of each pair."""
STEPS = ("sign",)
"""Operations that jump, beside those through which no gradient passes and those that give no real number."""


def sampled_examples(program: Program, measure: MeasurePlan) -> int:
    """Over how many sampled examples a measure's expectations go.

    0 where they go over all there are, and have no sampling error: all values of an enumerated draw, or a finite training set.
    """
    complete = program.data.exact or (measure.on == "train" and program.data.train)
    return 0 if complete else program.evaluated(measure.on)


def means_of(program: Program, measure: MeasurePlan) -> tuple[t.Expectation, ...]:
    """The expectations that a measure's error comes of; none where it isn't kept.

    Kept is that of an expectation, and of a number made of several. It isn't of a rate, which follows from its value; of quantiles and
    of mean gradients, whose examples aren't told apart; where one expectation is within another; where a number jumps with one, or its
    derivative isn't that of its value.
    """
    term = measure.term
    if sampled_examples(program, measure) < 2 or term.type.kind != "real":
        return ()
    found = tuple(item for item in t.walk(term) if isinstance(item, t.Expectation))
    if any(_is_apart(item) for item in found):
        return ()
    if isinstance(term, t.Expectation):
        small = prod(term.type.shape) <= MAX_ENTRIES
        return found if small and term.body.type.kind != "bool" else ()
    numbers = not term.type.shape and all(not item.type.shape and not t.free_indices(item) for item in found)
    return found if numbers and len(found) <= MAX_MEANS and not _jumps(term, program) else ()


def _jumps(term: t.Term, program: Program) -> bool:
    """Whether a term jumps with an expectation in it, or hides how it changes with it: then there is no error to first order."""
    if isinstance(term, t.Expectation) or not any(isinstance(item, t.Expectation) for item in t.walk(term)):
        return False
    hidden = isinstance(term, t.Stop) or (isinstance(term, t.Invoke) and term.function in program.gradient)
    steps = isinstance(term, t.Operate) and (term.operation in STEPS or not OPERATION_WORK[term.operation].passes)
    return hidden or steps or term.type.kind != "real" or any(_jumps(part, program) for part in t.children(term))


def _is_apart(term: t.Expectation) -> bool:
    """Whether an expectation has no variance over examples that one pass finds."""
    nested = any(isinstance(item, t.Expectation) for item in t.walk(term.body))
    return nested or term.quantile is not None or isinstance(term.body, t.Gradient)
