"""What bounds alone don't know: that two operands are the same number, and what a condition says of the branch that it chooses."""

from __future__ import annotations

from ..ir import terms as t
from ..tables.operations.intervals import Bounds

TURNED = {"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal"}
"""The comparison of b with a for that of a with b."""
OTHERWISE = {"less": "greater_equal", "less_equal": "greater", "greater": "less_equal", "greater_equal": "less"}
"""What holds where a comparison does not."""


def same(a: t.Term, b: t.Term) -> bool:
    """Whether two terms are the same number: one term, or one name, parameter or index."""
    if isinstance(a, t.Reference) and isinstance(b, t.Reference):
        return a.name == b.name
    if isinstance(a, t.Parameter | t.IndexVariable) and type(a) is type(b):
        return a.key == b.key
    return a is b


def squared(bounds: Bounds) -> Bounds:
    """The bounds of a number times itself.

    >>> squared((-1, 3)), squared((-5, -2))
    ((0, 9), (4, 25))
    """
    low, high = sorted(end * end for end in bounds)
    return (0 if bounds[0] < 0 < bounds[1] else low), high


def chosen(condition: t.Term, limits: list[Bounds], branch: t.Term, bounds: Bounds, taken: bool) -> Bounds:
    """The bounds of a branch that is compared by the condition which chooses it, as in `k if k > 0 else 1`.

    `limits` are the bounds of what the condition compares; `taken` says that the branch is taken where it holds.
    """
    if not isinstance(condition, t.Operate) or condition.operation not in TURNED:
        return bounds
    operation = condition.operation if taken else OTHERWISE[condition.operation]
    first, second = condition.arguments
    if same(second, branch):
        operation, (second, first), limits = TURNED[operation], (first, second), limits[::-1]
    if not same(first, branch) or second.type.kind != "int" or second.type.shape or branch.type.shape:
        return bounds
    (low, high), (least, most) = bounds, limits[1]
    if operation.startswith("less"):
        high = min(high, most - (operation == "less"))
    else:
        low = max(low, least + (operation == "greater"))
    return (low, high) if low <= high else bounds  # never taken
