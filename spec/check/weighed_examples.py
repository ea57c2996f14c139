"""Examples that are not equally likely: of an enumerated draw each value counts by its probability.

What an example weighs is its probability by the mean one of all there are: a number of the example, 1 on the average. Means are over the
weighed values, and so are losses; where a part of all trains, what its examples weigh on the average is taken once per replicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, Span, listing, problem_at
from ..ir import terms as t
from ..ir.data import Combinations, DataSource, Digits
from ..ir.plan import NetworkPlan, StatisticPlan
from ..ir.types import Type
from ..tables.gradient_statistics import GRADIENT_STATISTICS, GradientStatistic
from ..tables.layers import LAYERS
from ..tables.operations import OPERATIONS
from .context import Elaborator
from .memo import Shared

TRAINED = "weight of a training example"
"""What the examples of the training set weigh on the average: a statistic, by a name that no study can give."""
ALIKE = "treats all examples as equally likely, and those of `enumerate` are not"
SAMPLE = "Leave `data` out, so that examples are sampled."


def density(checker: Elaborator, samples: Sequence[tuple[str, t.Sample]], digits: Sequence[Digits], span: Span) -> t.Term | None:  # fmt: skip
    """What an example weighs, of enumerated draws with their names; None where all are equally likely."""
    factors = [
        _factor(checker, name, sample, one, span)
        for (name, sample), one in zip(samples, digits, strict=True)
        if one.odds
    ]
    if not factors:
        return None
    product = factors[0]
    for factor in factors[1:]:
        product = _operate(checker, "multiply", [product, factor], span)
    return product


def _factor(checker: Elaborator, name: str, sample: t.Sample, digits: Digits, span: Span) -> t.Term:
    value = t.Reference(name, "example", type=sample.type, span=span)
    if sample.distribution == "categorical":
        each: t.Term = t.Gather(_real(digits.odds, span), value, 0, type=Type("real", sample.type.shape), span=span)
    else:
        p = sample.parameters["p"]
        assert isinstance(p, t.Literal)
        is_one = _operate(checker, "equal", [value, t.Literal(np.asarray(1), type=Type("int"), span=span)], span)
        each = _operate(checker, "select", [is_one, _real(2 * p.value, span), _real(2 * (1 - p.value), span)], span)
    return _operate(checker, "prod", [each], span, axis=None) if sample.type.shape else each


def weighed(checker: Elaborator, term: t.Term, span: Span) -> t.Term:
    """A value of an example times what the example weighs; itself where all weigh the same. Of a gradient that of the weighed value."""
    weight = checker.names.dependencies.weight()
    return term if weight is None else _times(checker, weight, term, span)


def _times(checker: Elaborator, weight: t.Term, term: t.Term, span: Span) -> t.Term:
    if isinstance(term, t.Gradient):
        of = _operate(checker, "multiply", [weight, term.of], span)
        return t.Gradient(of, term.weights, type=term.type, span=term.span)
    if term.type.kind == "bool":
        return _operate(checker, "select", [term, weight, _real(0.0, span)], span)
    return _operate(checker, "multiply", [weight, term], span)


def mean(checker: Elaborator, operand: t.Term, span: Span | None = None, on: str | None = None) -> t.Term:
    """The mean of a value over examples, each by what it weighs."""
    weight = checker.names.dependencies.weight()
    span = span or operand.span
    if weight is None:
        return _expectation(operand, on, span)
    span = span or weight.span
    assert span is not None
    total = _expectation(_times(checker, weight, operand, span), on, span)
    if not checker.names.dependencies.divided:
        return total
    return _operate(checker, "divide", [total, _expectation(weight, on, span)], span)


def must_be_alike(checker: Elaborator, what: str, span: Span) -> None:
    """Refuses what cannot weigh examples where they are not equally likely."""
    if checker.names.dependencies.weight() is not None:
        raise problem_at(span, f"{what} {ALIKE}", f"`E(a < t)` is the share below a number. {SAMPLE}")


def _expectation(operand: t.Term, on: str | None, span: Span | None) -> t.Expectation:
    return t.Expectation(operand, on=on, type=Type("real", operand.type.shape), span=span)


def weighed_loss(checker: Elaborator, term: t.Term, span: Span) -> t.Term:
    """One example's loss, or what a batch is a mean of, by what the example weighs within the training set."""
    return term if checker.names.dependencies.weight() is None else _times(checker, _within(checker, "train", span), term, span)  # fmt: skip


def weighed_in_a_statistic(checker: Elaborator, row: GradientStatistic, of: t.Term, on: str, span: Span) -> t.Term:
    """What a statistic of gradients is of, weighed. Raises StudyError where a statistic goes over pairs or blocks of examples."""
    if checker.names.dependencies.weight() is None:
        return of
    if not row.weighs:
        able = listing(f"`{name}`" for name, other in GRADIENT_STATISTICS.items() if other.weighs)
        hint = f"Write it with `E`, which weighs them; {able} weigh them, too. {SAMPLE}"
        raise problem_at(span, f"`{row.name}` {ALIKE}", hint)
    weight = _within(checker, on, span)
    if row.matrix == "kernel":  # the product of two gradients, each by its root
        weight = _operate(checker, "sqrt", [weight], span)
    return _times(checker, weight, of, span)


def _within(checker: Elaborator, on: str, span: Span) -> t.Term:
    """What an example weighs within a set, in which the mean is 1."""
    dependencies = checker.names.dependencies
    weight = dependencies.weight()
    assert weight is not None
    if not dependencies.divided:
        return weight
    average: t.Term = t.Reference(TRAINED, "statistics", type=Type("real"), span=span)
    if on != "train":  # all weigh 1 on the average, and these are the others
        train, test = dependencies.divided
        others = _operate(checker, "multiply", [average, _real(train, span)], span)
        average = _operate(checker, "subtract", [_real(train + test, span), others], span)
        average = _operate(checker, "divide", [average, _real(test, span)], span)
    return _operate(checker, "divide", [weight, average], span)


def average_of_training(data: DataSource | None, shared: Shared) -> list[StatisticPlan]:
    """What the examples of the training set weigh on the average, where not all train and not all weigh the same."""
    if not isinstance(data, Combinations) or data.density is None:
        return []
    term = _expectation(data.density, None, data.density.span)
    plan: StatisticPlan = shared.once(TRAINED, (data.density,), lambda: StatisticPlan(TRAINED, term, "train", True))
    return [plan]


def unweighed_layers(networks: Sequence[NetworkPlan], span: Span) -> list[Problem]:
    """What is wrong with layers that take means over examples by themselves."""
    problems = []
    for network in networks:
        for leaf in network.leaves():
            if leaf.examples or (leaf.row and LAYERS[leaf.row].mixes_examples):
                hint = f"Leave the layer out, or take one that sees each example by itself: `layer_normalization`. {SAMPLE}"
                problems.append(Problem(f"`{leaf.row or leaf.kind}` of '{network.name}' {ALIKE}", span, hint))
    return problems


def _operate(checker: Elaborator, name: str, terms: list[t.Term], span: Span, **static: Any) -> t.Term:
    return checker.operate(OPERATIONS[name], terms, static, span)


def _real(value: Any, span: Span) -> t.Literal:
    array = np.asarray(value, float)
    return t.Literal(array, type=Type("real", array.shape), span=span)
