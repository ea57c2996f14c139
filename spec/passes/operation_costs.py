"""What one application of an operation takes, forwards and backwards: for `cost`, which walks the terms around it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ..ir import terms as t
from ..ir.axes import EXAMPLE
from ..tables.flops import DOT_OF_ALL_EXAMPLES, KERNELS, OPERATION_WORK, POWER_OF_A_VALUE, Work
from ..tables.operations import OPERATIONS
from .counted_work import Provenance


def operation_work(term: t.Operate, arguments: Sequence[Provenance], real: str) -> tuple[float, float]:
    """Operations of its value, and of the gradients of all arguments that hold anything trained, of numbers that are not whole.

    `arguments` says what is known of each, `real` how real numbers are stored.
    """
    row = _row(term, arguments, real)
    shapes, result, shared = [item.type.shape for item in term.arguments], term.type.shape, _shared(arguments)
    entries = row.entries(shapes, result)
    backward = 0.0
    for place, (argument, shape) in enumerate(zip(arguments, shapes, strict=True)):
        if argument.requires_grad:
            backward += row.backwards(place) * entries
            if not OPERATIONS[term.operation].elementwise:
                backward += row.beside(shapes, result, place, shared)
            elif shape != result or shared[place]:
                backward += prod(result)  # summed over what it was spread along
    whole = term.type.kind == "int" and all(item.type.kind != "real" for item in term.arguments)
    return row.forward * entries * (not whole), backward


def kernel_work(
    term: t.Operate, arguments: Sequence[Provenance], sizes: Sequence[int], copied: bool, evaluated: bool
) -> float:
    """The bytes of one example that an operation has in memory whole while it runs, beside the values that are kept; `sizes` are those of arguments and
    result. Where a gradient goes through it, each example has a copy of what all of them share, or of its gradient; in an evaluation nothing else is kept.
    """
    if term.operation not in KERNELS:
        return 0
    shared = _shared(arguments)
    copies = max((size for size, one in zip(sizes, shared, strict=False) if one), default=0) if copied else 0
    own = sum(size for size, one in zip(sizes, [*shared, False], strict=True) if not one) if evaluated else 0
    return max(copies, own)


def _shared(arguments: Sequence[Provenance]) -> list[bool]:
    """Of which arguments there is one for all of what others vary along."""
    axes = frozenset[str]().union(*(argument.axes for argument in arguments))
    return [argument.axes != axes for argument in arguments]


def _row(term: t.Operate, arguments: Sequence[Provenance], real: str) -> Work:
    """The row of an operation, or that of what it is here."""
    if term.operation == "power":
        exponent = term.arguments[1]
        if not isinstance(exponent, t.Literal):
            return POWER_OF_A_VALUE
        twice = exponent.value.size == 1 and bool(exponent.value.item() == 2)
        return OPERATION_WORK["square" if twice else "power"]  # the derivative of a square needs no power
    shared_by_all = {argument.axes for argument in arguments} == {frozenset(), frozenset({EXAMPLE})}
    if term.operation == "dot" and real == "float32" and shared_by_all:
        return DOT_OF_ALL_EXAMPLES
    return OPERATION_WORK[term.operation]
