"""Means over the examples that fulfil a condition: `E(x, where=n > 10)`."""

from __future__ import annotations

import numpy as np

from ..diagnostics.problems import Span, problem_at
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.types import Type
from ..tables.operations import FORMS, OPERATIONS
from ..tables.special_forms import Form
from .context import Context, Elaborator
from .expectations import enclosed
from .expression_text import Text


def must_be_in_a_measure(row: Form, context: Context, span: Span) -> None:
    """Refuses what ranges over examples elsewhere than in measures."""
    if row.stage == "measures" and context.stage not in ("measures", "any"):
        message = f"`{row.name}` ranges over evaluation examples, and stands only in measures"
        raise problem_at(span, message, "`mean` is the mean of an array.")


def conditional_mean(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """`E(x, where=g)`: the sum of x over the examples where g holds, by their number. What is not chosen enters nowhere, finite or not."""
    must_be_in_a_measure(FORMS["E"], context, span)
    ((_, chosen),) = node.keywords
    operand, condition = (checker.term(part, text, context) for part in (node.arguments[0], chosen))
    if condition.type.kind != "bool" or condition.type.shape:
        message = f"`where` takes a condition, one for each example, and this is {condition.type}"
        raise problem_at(condition.span or span, message, "Compare something: `where=n > 10`.")
    operand, condition = (enclosed(part, context.bound) for part in (operand, condition))
    counted = t.Expectation(condition, type=Type("real"), span=span)
    if operand.type.kind == "bool":
        picked = checker.operate(OPERATIONS["logical_and"], [condition, operand], {}, span)
    else:
        zero = t.Literal(np.asarray(0.0), type=Type("real"), span=span)
        picked = checker.operate(OPERATIONS["select"], [condition, operand, zero], {}, span)
    total = t.Expectation(picked, where=condition, type=Type("real", picked.type.shape), span=span)
    return checker.operate(OPERATIONS["divide"], [total, counted], {}, span)
