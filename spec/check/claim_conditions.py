"""What to write in place of a condition of a claim that is none: `final(m, d == 2 or d == 8)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..expressions import nodes as n
from ..expressions.parser import COMPARISONS

SEVERAL = "Claim each of several values: `final(m, d == 2) < 1 and final(m, d == 8) < 1`. `d != 4` leaves one out, and `d >= 4, d <= 8` keeps a range."
"""What is written where a condition names several values."""


def in_place_of(node: n.Expr, axes: Mapping[str, Sequence[Any]]) -> str:
    """The remedy for an expression that stands where a condition does."""
    if isinstance(node, n.Name) and (
        axis := next((axis for axis, values in axes.items() if node.name in values), None)
    ):
        return f"Say of which axis it is: `{axis} == {node.name}`."
    if isinstance(node, n.Array) or (isinstance(node, n.Binary) and node.operator == "or"):
        return SEVERAL
    if isinstance(node, n.Binary) and node.operator == "and":
        return "Conditions hold together with commas: `d >= 4, d <= 10`."
    if isinstance(node, n.Unary) and node.operator == "not":
        return "Turn the comparison round: `variant != forward_only`, `d > 10`."
    if (
        isinstance(node, n.Binary)
        and node.operator in COMPARISONS
        and isinstance(node.right, n.Name)
        and node.right.name in axes
    ):
        return "The axis comes first: `d >= 4`, not `4 <= d`."
    return "`variant == forward_only`, `d <= 10`; several hold together with commas: `d >= 4, d <= 10`."
