"""Measures that say no `E`: `sqrt(mean((f - y)^2))` is the mean of each example's root, and no root of a mean over examples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import MeasurePlan
from ..tables.operations import OPERATIONS

LINEAR = {"add": (0, 1), "subtract": (0, 1), "negative": (0,), "multiply": (0, 1), "divide": (0,), "sum": (0,), "mean": (0,), "select": (1, 2)}  # fmt: skip
"""The operations that a mean over examples passes, by the places of the arguments in which it does."""


def order_of_means(measure: MeasurePlan) -> Iterator[Problem]:
    """A warning where a measure takes something else than a sum of what would be a mean over examples, had it an `E`."""
    whole = measure.term
    if not (isinstance(whole, t.Expectation) and whole.quantile is None and whole.span == whole.body.span):
        return  # an `E` says what it is the mean of
    stack = [whole.body]
    while stack:
        item = stack.pop()
        if isinstance(item, t.Invoke):
            stack.append(item.body)
        elif isinstance(item, t.Operate):
            passed = LINEAR.get(item.operation, ())
            stack += [item.arguments[place] for place in passed]
            for place, argument in enumerate(item.arguments):
                if place not in passed and (inner := _averaged(argument)) is not None:
                    yield _told(item, inner)
                    return


def _averaged(term: t.Term) -> t.Term | None:
    """What stands for a mean over a batch elsewhere: a mean of something of the example, or a gradient by weights."""
    means = (
        item
        for item in t.within(term, t.Operate)
        if item.operation == "mean" and not item.type.shape and _of_an_example(item)
    )
    return next(chain(t.within(term, t.Gradient), means), None)


def _of_an_example(term: t.Term) -> bool:
    named = any(item.stage in ("example", "outputs") for item in t.within(term, t.Reference))
    return named or t.has(term, t.Parameter, t.NetworkOutput)


def _told(outer: t.Operate, inner: t.Term) -> Problem:
    row = OPERATIONS[outer.operation]
    named = f"`{row.operator or row.name}`"
    what, text = ("gradient", "gradient(…)") if isinstance(inner, t.Gradient) else ("`mean`", "mean(…)")
    message = (
        f"{named} is taken of each example's {what}, and the mean over examples comes last: this measure says no `E`"
    )
    form = f"… {row.operator} …" if row.operator else f"{row.name}(E({text}))"
    hint = f"Write `E({text})` where the mean comes first{f', `{form}`' if not row.operator else ''}, and `E(…)` around the whole where this is meant."
    return Problem(message, outer.span, hint, "warning")
