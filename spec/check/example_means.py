"""Means and quantiles over examples: `E(x)`, `E(x, where=n > 10)`, `quantile(x, 0.9, on=long)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..diagnostics.problems import Span, did_you_mean, problem_at
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.types import Type
from ..tables.operations import FORMS, OPERATIONS
from ..tables.special_forms import Form
from . import constant_folding as folding
from .context import Context, Elaborator
from .expectations import enclosed
from .expression_text import Text
from .weighed_examples import mean, must_be_alike, weighed

OVER_EXAMPLES: Mapping[str, int] = {"E": 1, "quantile": 2}
"""The special forms that range over examples, and how many arguments each takes by position."""
IN_ITS_PLACE: Mapping[tuple[str, str], str] = {
    (
        "E",
        "loss",
    ): "A term is one number per example, and its mean over the batch is what is minimised: leave `E` out.  Within a term `B(x)` is that mean.",
    (
        "E",
        "example",
    ): "`mean` is the mean of an array.  What is taken over all training examples, as for standardised inputs, goes under `task.statistics`.",
}
"""By form and stage, what is written instead of one that ranges over examples."""
CHOICES = ("where", "on")
"""What they take by name: which of the examples, and which examples."""


def must_be_in_a_measure(row: Form, context: Context, span: Span) -> None:
    """Refuses what ranges over examples elsewhere than in measures."""
    if row.stage == "measures" and context.stage not in ("measures", "statistics", "any"):
        message = f"`{row.name}` ranges over evaluation examples, and is allowed only in measures"
        raise problem_at(span, message, IN_ITS_PLACE.get((row.name, context.stage), "`mean` is the mean of an array."))


def _by_name(node: n.Call, text: Text) -> dict[str, n.Expr]:
    """What a mean is given by name. Raises StudyError."""
    given: dict[str, n.Expr] = {}
    for name, expression in node.keywords:
        if name not in CHOICES or name in given:
            row = FORMS[node.function]
            message = f"'{name}' is given twice" if name in given else f"`{row.name}` has no argument '{name}'"
            hint = did_you_mean(name, CHOICES) if name not in CHOICES else ""
            raise problem_at(text.keyword(name, expression), message, hint or f"It is `{row.name}{row.signature}`.")
        given[name] = expression
    return given


def over_stream(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """A mean or a quantile, whose arguments by position are as many as it takes.

    With `where` a mean is the sum over the examples where it holds, by their number. What is not chosen enters nowhere, finite or not.
    """
    must_be_in_a_measure(FORMS[node.function], context, span)
    given = _by_name(node, text)
    inner = replace(context, on=_stream(checker, given["on"], text, context)) if "on" in given else context
    operand = checker.term(node.arguments[0], text, inner)
    condition = _condition(checker, given["where"], text, inner, span) if "where" in given else None
    share = None
    if node.function == "quantile":
        share = checker.term(node.arguments[1], text, context)
    operand = enclosed(operand, context.bound)
    if "on" in given:
        _must_reach(checker, [operand, condition], inner.on, text.keyword("on", given["on"]))
    on = inner.on or None
    if share is not None:
        must_be_alike(checker, "`quantile`", span)
        return _quantile(operand, _fraction(share), condition, on, span)
    if condition is None:
        return mean(checker, folding.real(operand), span, on)
    counted = t.Expectation(weighed(checker, condition, span), on=on, type=Type("real"), span=span)
    operand = weighed(checker, operand, span)
    if operand.type.kind == "bool":
        picked = checker.operate(OPERATIONS["logical_and"], [condition, operand], {}, span)
    else:
        zero = t.Literal(np.asarray(0.0), type=Type("real"), span=span)
        picked = checker.operate(OPERATIONS["select"], [condition, operand, zero], {}, span)
    total = t.Expectation(picked, where=condition, on=on, type=Type("real", picked.type.shape), span=span)
    return checker.operate(OPERATIONS["divide"], [total, counted], {}, span)


def _stream(checker: Elaborator, node: n.Expr, text: Text, context: Context) -> str:
    """The stream that `on` says. Raises StudyError."""
    span = text.span(node)
    if context.path[:1] != ("measures",):
        message = "`on` says which examples a measure is over, and this is not a measure"
        raise problem_at(span, message, "Leave it out: estimates and statistics are over training examples.")
    if not isinstance(node, n.Name):
        raise problem_at(span, "`on` takes the name of a stream", "Write it as it is: `on=train`.")
    return checker.names.measure_names.stream(node.name, span)


def _condition(checker: Elaborator, node: n.Expr, text: Text, context: Context, span: Span) -> t.Term:
    """What `where` says: one condition an example. Raises StudyError."""
    condition = checker.term(node, text, context)
    if condition.type.kind != "bool" or condition.type.shape:
        message = f"`where` takes a condition, one for each example, and this is {condition.type}"
        raise problem_at(condition.span or span, message, "Compare something: `where=n > 10`.")
    return enclosed(condition, context.bound)


def _must_reach(checker: Elaborator, parts: list[t.Term | None], stream: str, span: Span) -> None:
    """Refuses `on` where all that ranges over examples says its own."""
    for part in parts:
        if part is None:
            continue
        if checker.names.dependencies.per_example(part) is not None:
            return
        if any(isinstance(item, t.Expectation) and item.on == stream for item in t.walk(part)):
            return
    message = f"nothing in this is over the examples '{stream}'"
    raise problem_at(span, message, "Leave `on` out: its parts name their own examples, or are the same for all.")


def _fraction(share: t.Term) -> float:
    quantile = float(folding.number(share, "the quantile"))
    if not 0 <= quantile <= 1:
        message = f"a quantile lies between 0 and 1, and this is {quantile:g}"
        raise problem_at(share.span, message, "The median is 0.5.")
    return quantile


def _quantile(operand: t.Term, share: float, condition: t.Term | None, on: str | None, span: Span) -> t.Term:
    operand = folding.real(operand)
    return t.Expectation(operand, share, condition, on, type=Type("real", operand.type.shape), span=span)
