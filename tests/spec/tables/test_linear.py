"""In which arguments operations are linear: the rows' word, against their own values on random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from dlspec.spec.ir.types import Type
from dlspec.spec.tables.operations import OPERATIONS
from dlspec.spec.tables.operations.table import Argument, Operation, result_type

NUMBERS = ("real", "number")
POINTS = 24
STATIC: Mapping[str, Any] = {"size": 3, "k": 3, "times": 2, "shape": (9,), "by": 1, "axis": None}
"""What stands for static arguments."""
SHAPED = {
    "cross_entropy": {"score": (3,), "label": ()},
    "lstsq": {"a": (4, 3), "b": (4,)},
    "line_image": {"theta": (), "length": ()},
}
"""Where the sizes of a signature's arguments hang together otherwise than by their names."""


def shape(row: Operation, argument: Argument) -> tuple[int, ...]:
    """A shape that an argument may have."""
    if argument.name in SHAPED.get(row.name, {}):
        return SHAPED[row.name][argument.name]
    given = []
    for part in argument.shape or ():
        given += (
            [3, 3]
            if part.startswith("*")
            else [3]
            if part != "..." and not part.isdigit()
            else [int(part)]
            if part.isdigit()
            else []
        )
    return tuple(given)


def drawn(row: Operation, random: np.random.Generator, wide: bool) -> list[Any]:
    """A value for each argument: reals below 1, where most operations are defined, or wide ones, which go round corners."""
    values = []
    for argument in (*row.values, *(row.values if any(one.variadic for one in row.values) else ())):
        size = shape(row, argument)
        if argument.kind in NUMBERS:
            reals = random.normal(scale=2, size=size) if wide else random.uniform(0.2, 0.8, size)
            values.append(reals + (np.eye(3) if size == (3, 3) else 0))
        else:
            values.append(random.integers(0, 2, size) if argument.kind == "int" else random.uniform(size=size) < 0.5)
    return values


def applied(row: Operation, values: list[Any]) -> Any:
    types = [Type("real" if np.asarray(value).dtype.kind == "f" else "int", np.shape(value)) for value in values]
    static = {argument.name: STATIC[argument.name] for argument in row.arguments if argument.static}
    _, static = result_type(row, types, static)
    with np.errstate(all="ignore"):
        return np.asarray(row.numpy(*values, **static), float)


def is_linear(row: Operation, moving: set[str]) -> bool:
    """Whether the value half-way between two points is the mean of theirs, where some arguments move and the others stay."""
    random, known = np.random.default_rng(1), 0
    for point in range(POINTS):
        first, second = (drawn(row, random, bool(point % 2)) for _ in range(2))
        names = [argument.name for argument in row.values_given(len(first))]
        pairs = list(zip(names, first, second, strict=True))
        ends = (first, [b if name in moving else a for name, a, b in pairs])
        one, other = (applied(row, values) for values in ends)
        half = applied(row, [(a + b) / 2 if name in moving else a for name, a, b in pairs])
        if all(np.isfinite(value).all() for value in (one, other, half)):
            known += 1
            if not np.allclose((one + other) / 2, half, rtol=1e-9, atol=1e-12):
                return False
    assert known >= POINTS // 4
    return True


MOVED = [
    row for row in OPERATIONS.values()
    if not row.constant and row.result.kind in NUMBERS and any(argument.kind in NUMBERS for argument in row.values)
]  # fmt: skip


@pytest.mark.parametrize("row", MOVED, ids=lambda row: row.name)
def test_a_row_says_in_what_it_is_linear(row: Operation) -> None:
    groups = [set(group.split()) for group in row.linear]
    named = set().union(*groups)
    assert named <= {argument.name for argument in row.values if argument.kind in NUMBERS}
    for group in groups:
        assert is_linear(row, group), group
    for argument in row.values:
        if argument.kind in NUMBERS:
            assert is_linear(row, {argument.name}) == (argument.name in named), argument.name
    if len(groups) > 1:
        assert not is_linear(row, named), "they are linear together"


def test_others_are_linear_in_nothing() -> None:
    assert not [row.name for row in OPERATIONS.values() if row not in MOVED and row.linear]
