"""Claims over the entries of an array: `final(m[i]) < 0.5 for i < 3` is true where it is for every i."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from itertools import product

from ..diagnostics.problems import problem_at
from ..expressions import nodes as n
from ..ir import claims as c
from .expression_text import Text

MAX_ENTRIES = 200
"""How many conditions a claim may be written out to."""

Constants = Mapping[str, float]


def quantified(
    node: n.Comprehension,
    text: Text,
    constants: Constants,
    number: Callable[[n.Expr, Constants], float],
    condition: Callable[[n.Expr, Constants], c.Claim],
) -> c.Claim:
    """A condition for all values of its indices, joined by `and`. Raises StudyError.

    `number` is a constant expression's value, `condition` what a node claims, both with the values of indices among the constants.
    """
    names = [name for name, _ in node.ranges]
    for name in names:
        if name in constants:
            hint = "Give the index another name."
            raise problem_at(text.span(node), f"'{name}' is a constant, and an index here", hint)
    extents = [_extent(extent, text, number(extent, constants)) for _, extent in node.ranges]
    total = reduce(lambda a, b: a * b, extents, 1)
    if total > MAX_ENTRIES:
        message = f"this claim expands to {total:,} conditions; the limit is {MAX_ENTRIES}"
        raise problem_at(text.span(node), message, "Make a measure of it: `max([… for i < n])`.")
    parts = [condition(node.body, {**constants, **at}) for at in _indices(names, extents)]
    return reduce(lambda a, b: c.Apply("logical_and", (a, b)), parts)


def _indices(names: list[str], extents: list[int]) -> Iterator[dict[str, float]]:
    for places in product(*map(range, extents)):
        yield dict(zip(names, map(float, places), strict=True))


def _extent(node: n.Expr, text: Text, value: float) -> int:
    if value != int(value) or value < 1:
        hint = "Write a whole number from 1 on: `for i < 3`."
        raise problem_at(text.span(node), f"an index runs over a whole number of entries, and this is {value:g}", hint)
    return int(value)
