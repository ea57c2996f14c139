"""Gradients as values: `gradient(x, weights)`."""

from __future__ import annotations

from ..diagnostics.problems import Span, problem_at
from ..ir import terms as t
from ..ir.types import Type


def gradient(of: t.Term, weights: t.Term, span: Span) -> t.Term:
    """The gradient of one example's value. Raises SpecError."""
    must_be_one_number(of)
    return t.Gradient(of, weights_of(weights), type=Type("real", weights.type.shape), span=span)


def must_be_one_number(of: t.Term) -> None:
    """Refuses what has no gradient, or several: a gradient is taken of one number per example. Raises SpecError."""
    if of.type.shape or of.type.kind == "bool":
        hint = (
            "`sum(…)` or `mean(…)` makes one number of an array." if of.type.shape else "A comparison has no gradient."
        )
        raise problem_at(of.span, f"a gradient is taken of one number per example, and this is {of.type}", hint)
    if t.free_indices(of):
        hint = "Write one `gradient` for each entry, or the sum of them."
        raise problem_at(of.span, "a gradient depends on no index of index notation around it", hint)
    if any(isinstance(item, t.Expectation | t.Gradient) for item in t.walk(of)):
        hint = "The gradient of an average is the average of gradients: `E(gradient(x, w))`."
        raise problem_at(
            of.span, "a gradient is taken of one example's value, and here is an average or a gradient", hint
        )


def weights_of(term: t.Term) -> t.Weight | t.AllWeights:
    """The weights that a term stands for. Raises SpecError."""
    if isinstance(term, t.Weight | t.AllWeights):
        return term
    hint = "Write `f.weights` for all of a network's, or `f.dense_1.kernel` for one."
    raise problem_at(term.span, "a gradient is taken with respect to weights", hint)
