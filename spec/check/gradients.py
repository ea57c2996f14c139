"""Gradients as values: `gradient(x, weights)`, `gradient(x, name)`."""

from __future__ import annotations

from ..diagnostics.problems import Span, problem_at
from ..ir import terms as t
from ..ir.types import Type
from .namespace import LATE_STAGES


def gradient(of: t.Term, by: t.Term, stage: str, span: Span) -> t.Term:
    """The gradient of one example's value with respect to weights, or to a name. Raises StudyError."""
    if stage not in LATE_STAGES:
        raise problem_at(span, "a gradient has no value here", "It may stand in outputs, losses and measures.")
    must_be_one_number(of)
    if isinstance(by, t.Reference):
        return _by_name(of, by, span)
    weights = weights_of(by)
    if stage != "measures":
        hint = "The loss is what is differentiated. With respect to a name it may stand here: `gradient(f, x)`."
        raise problem_at(span, "gradients with respect to weights stand only in measures", hint)
    return t.Gradient(of, weights, type=Type("real", weights.type.shape), span=span)


def _by_name(of: t.Term, by: t.Reference, span: Span) -> t.Term:
    """The gradient with respect to a name."""
    if by.stage not in ("example", "outputs"):
        hint = "Name a value that is made for each example, or an output."
        raise problem_at(
            by.span, f"'{by.name}' is drawn once per replicate: no gradient is taken with respect to it", hint
        )
    if by.type.kind != "real":
        hint = f"A gradient is taken with respect to real numbers: `1.0 * {by.name}` under a name of its own is one."
        raise problem_at(by.span, f"'{by.name}' is {by.type}, and has no gradient", hint)
    return t.ValueGradient(of, by, type=by.type, span=span)


def must_be_one_number(of: t.Term) -> None:
    """Refuses what has no gradient, or several: a gradient is taken of one number per example. Raises StudyError."""
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
    """The weights that a term stands for. Raises StudyError."""
    if isinstance(term, t.Weight | t.AllWeights):
        return term
    hint = "Write a name of the example or an output, `f.weights` for all of a network's weights, or `f.dense_1.kernel` for one."
    raise problem_at(term.span, "a gradient is taken with respect to a name, or to weights", hint)
