"""The free axes of a value: which named axes lead its array, and how two values are brought to agree.

A value of a term has the term's shape for one example. What it varies along besides (replicates, examples, the
indices of index notation) leads its array as named axes, in one order throughout. An operation sees arrays whose
leading axes agree, so one implementation serves constants, draws and batches alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Axes = tuple[str, ...]

CELL, REPLICATE, EXAMPLE = "cell", "replicate", "example"
_ENTRIES = "entries "


def entries_axis(depth: int) -> str:
    """The axis of the copies that the entries of a Jacobian are made of, at a depth of so many around it."""
    return f"{_ENTRIES}{depth}"


def is_of_entries(axis: str) -> bool:
    """Whether an axis is one of copies."""
    return axis.startswith(_ENTRIES)


def rank_of(axis: str) -> tuple[int, int]:
    """Where an axis comes in the order: cells, replicates, examples, copies of them, then indices from the outermost inwards."""
    if axis == CELL:
        return (-1, 0)
    if axis == REPLICATE:
        return (0, 0)
    if axis == EXAMPLE:
        return (1, 0)
    if is_of_entries(axis):
        return (2, int(axis.removeprefix(_ENTRIES)))
    return (3, int(axis.rpartition("#")[2]))


def union(many: Iterable[Axes]) -> Axes:
    """All the axes of some values, in order.

    >>> union([("replicate",), ("replicate", "example"), ("i#1",)])
    ('replicate', 'example', 'i#1')
    """
    return tuple(sorted({axis for axes in many for axis in axes}, key=rank_of))


def expanded_shape(axes: Axes, target: Axes, shape: Sequence[int], event: int, pad: int = 0) -> list[int]:
    """The shape that gives an array the target's axes, each that it lacks with size 1.

    `event` is the number of axes after the named ones, `pad` how many of size 1 to put before those.

    >>> expanded_shape(("example",), ("replicate", "example"), [8, 3], event=1)
    [1, 8, 3]
    """
    sizes = dict(zip(axes, shape, strict=False))
    lead = [sizes.get(axis, 1) for axis in target]
    return [*lead, *[1] * pad, *shape[len(shape) - event :]]
