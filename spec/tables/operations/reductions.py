"""Reductions: over all axes of an array, or over one (`axis=0` is the first, -1 the last)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...ir.types import ShapeProblem, Type
from .table import Operation, Rule, table


def normal_axis(axis: int, rank: int) -> int:
    """An axis counted from the end (-1 the last), as lowering needs it. Raises ShapeProblem."""
    if not -rank <= axis < rank:
        raise ShapeProblem(
            f"there is no axis {axis}: the array has {rank}", "Axes count from 0, or from -1 at the end."
        )
    return axis - rank if axis >= 0 else axis


def reduction(kind: str | None) -> Rule:
    """The type rule of a reduction; `kind` is the result's, None for the argument's own (a bool counts as int)."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        given = types[0]
        own = kind or ("int" if given.kind == "bool" else given.kind)
        axis = static.get("axis")
        if axis is None:
            return Type(own, ()), {"axis": tuple(range(-len(given.shape), 0))}
        place = normal_axis(axis, len(given.shape))
        shape = list(given.shape)
        del shape[place]
        return Type(own, tuple(shape)), {"axis": (place,)}

    return rule


def spread(over_examples: str) -> Rule:
    """The type rule of a spread: one number has none, and what is meant of it is taken over examples."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        if not types[0].shape:
            hint = f"Give it an array. Over examples it is `{over_examples}`, in measures."
            raise ShapeProblem("a single number has no spread: expressions speak of one example", hint)
        return reduction("real")(types, static)

    return rule


def along(kind: str | None) -> Rule:
    """The type rule of a reduction over one axis, the last unless said."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        if not types[0].shape:
            raise ShapeProblem("a single number has no axis", "Give it an array.")
        axis = static.get("axis")
        result, given = reduction(kind)(types, {"axis": -1 if axis is None else axis})
        return result, {"axis": given["axis"][0]}

    return rule


def _shifted(x: Any, axis: Any) -> Any:
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.log(np.sum(np.exp(x - top), axis=axis)) + np.squeeze(top, axis=axis)


def _row(
    name: str,
    meaning: str,
    numpy: Any,
    example: tuple[str, str],
    kind: str | None,
    argument: str = "number",
    corner: str = "",
    rule: Rule | None = None,
    **facts: Any,
) -> Operation:
    signature = f"(x: {argument}[*s], axis: axis = none) -> {kind or 'number'}[]"
    return Operation(
        name, signature, meaning, numpy, example=example, rule=rule or reduction(kind), corner=corner, **facts
    )


REDUCTIONS = table(
    "reductions",
    [
        _row("sum", "the sum", lambda x, axis: np.sum(x, axis=axis), ("sum([1, 2, 3])", "6"), None, linear=("x",)),
        _row("mean", "the mean", lambda x, axis: np.mean(x, axis=axis), ("mean([1, 2])", "1.5"), "real", "real", linear=("x",)),
        _row("prod", "the product", lambda x, axis: np.prod(x, axis=axis), ("prod([2, 3])", "6"), None, corner="the gradient is exact where a factor is 0"),
        _row(
            "min", "the smallest", lambda x, axis: np.min(x, axis=axis), ("min([2, 1])", "1"), None,
            corner="at a tie the gradient is shared equally, but is 0 if one of the tied is a constant",
            splits_ties=True, of_two="`minimum(a, b)` is the smaller of two.", instead="quantile(x, 0)",
        ),
        _row(
            "max", "the largest", lambda x, axis: np.max(x, axis=axis), ("max([2, 1])", "2"), None,
            corner="at a tie the gradient is shared equally, but is 0 if one of the tied is a constant: max([f, 0]) is flat at 0, as relu(f)",
            splits_ties=True, of_two="`maximum(a, b)` is the larger of two.", instead="quantile(x, 1)",
        ),
        _row("any", "whether any holds", lambda x, axis: np.any(x, axis=axis), ("any([true, false])", "true"), "bool", "bool"),
        _row("all", "whether all hold", lambda x, axis: np.all(x, axis=axis), ("all([true, false])", "false"), "bool", "bool"),
        _row(
            "variance", "the mean squared distance from the mean (divided by n)",
            lambda x, axis: np.var(x, axis=axis), ("variance([1, 3])", "1.0"), "real", "real", rule=spread("E((x - E(x))^2)"),
        ),
        _row(
            "std", "the root mean squared distance from the mean (divided by n)",
            lambda x, axis: np.std(x, axis=axis), ("std([1, 3])", "1.0"), "real", "real", corner="gradient 0 where it is 0",
            rule=spread("sqrt(E((x - E(x))^2))"),
        ),
        _row(
            "norm", "the Euclidean length", lambda x, axis: np.sqrt(np.sum(np.square(x), axis=axis)), ("norm([3, 4])", "5.0"), "real", "real",
            corner="gradient 0 at 0", of_two="The p-norm of a vector is `sum(abs(x)^p)^(1 / p)`.",
        ),
        _row(
            "squared_norm", "the sum of squares",
            lambda x, axis: np.sum(np.square(x), axis=axis), ("squared_norm([3, 4])", "25.0"), "real", "real",
        ),
        _row("logsumexp", "log(sum(exp(x))), without overflow", _shifted, ("logsumexp([0, 0])", "0.6931471805599453"), "real", "real"),
        Operation(
            "argmax", "(x: number[*s], axis: axis = none) -> int[]", "the index of the largest (the first of equals), along the last axis",
            lambda x, axis: np.argmax(x, axis=axis), example=("argmax([1, 3, 2])", "1"), rule=along("int"),
            corner="where something is undefined, the first of it",
        ),
        Operation(
            "argmin", "(x: number[*s], axis: axis = none) -> int[]", "the index of the smallest (the first of equals), along the last axis",
            lambda x, axis: np.argmin(x, axis=axis), example=("argmin([3, 1, 2])", "1"), rule=along("int"),
            corner="where something is undefined, the first of it",
        ),
    ],
)  # fmt: skip
