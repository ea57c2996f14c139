"""Constants of checks: what is made of numbers alone is the number that it comes to."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from ..ir import claims as c
from ..passes.print_claim import value_text
from ..tables.operations import OPERATIONS

DIGITS = 6
"""So many digits of a number are shown, where two differ in these."""


def folded(tree: Any) -> Any:
    """A check with its constant parts as numbers.

    >>> folded(c.Apply("multiply", (c.Number(-0.5), c.Apply("log", (c.Number(1.0),)))))
    Number(value=-0.0)
    """
    if isinstance(tree, tuple):
        return tuple(folded(item) for item in tree)
    if not is_dataclass(tree) or isinstance(tree, type | c.Number | c.Selection):
        return tree
    check = replace(tree, **{item.name: folded(getattr(tree, item.name)) for item in fields(tree)})
    if not isinstance(check, c.Apply) or not all(isinstance(item, c.Number) for item in check.arguments):
        return check
    with np.errstate(all="ignore"):
        value = np.asarray(OPERATIONS[check.operation].numpy(*(item.value for item in check.arguments)))
    known = value.dtype.kind == "f" and not value.shape and bool(np.isfinite(value))
    return c.Number(float(value)) if known else check


def above_zero(tree: Any) -> bool:
    """Whether all numbers of a check are above 0."""
    return all(part.value > 0 for part in c.parts(folded(tree)) if isinstance(part, c.Number))


def moved_text(before: float, after: float) -> str:
    """A threshold before and after, in a phrase."""
    texts = [value_text(value) for value in (before, after)]
    short = [
        text if len(text) <= DIGITS + 2 else f"{value:.{DIGITS}g}"
        for text, value in zip(texts, (before, after), strict=True)
    ]
    was, now = short if short[0] != short[1] else texts
    return f"the threshold moved from {was} to {now}"
