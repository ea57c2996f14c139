"""Bounds of ints, against brute force: no true value lies outside, and what is usual is not refused."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from dlspec.spec.ir.types import ShapeProblem, Type
from dlspec.spec.passes.evaluate import apply
from dlspec.spec.tables.distributions import DISTRIBUTIONS
from dlspec.spec.tables.operations import OPERATIONS, result_type
from dlspec.spec.tables.operations.intervals import BOUNDS, GROWING, INT32, MAX_MAGNITUDE, bounds_of
from hypothesis import given, settings
from hypothesis import strategies as st

CONSTANT = {name for name, row in OPERATIONS.items() if row.constant}
STATIC: dict[str, dict[str, Any]] = {
    "roll": {"by": 1},
    "repeat": {"times": 2},
    "scatter": {"size": 3},
    "reshape": {"shape": (2, 2)},
    "top_k": {"k": 2},
    "argtop_k": {"k": 2},
}
MATRIX = ("transpose", "trace", "diagonal", "matmul", "reshape")


def shapes(name: str) -> list[tuple[int, ...]]:
    """The shapes of the arguments that a rule is tried on."""
    row = OPERATIONS[name]
    if name in MATRIX:
        return [(2, 2)] * len(row.arguments[:2] if name == "matmul" else [0])
    count = len([argument for argument in row.arguments if not argument.static]) + (name == "concat")
    return [()] * count if row.elementwise else [(3,)] * count


def typed(name: str) -> tuple[Type, dict[str, Any]]:
    kinds = [argument.kind for argument in OPERATIONS[name].arguments if not argument.static]
    kinds += [kinds[-1]] * (len(shapes(name)) - len(kinds))
    types = [Type("bool" if kind == "bool" else "int", shape) for kind, shape in zip(kinds, shapes(name), strict=True)]
    result, static = result_type(OPERATIONS[name], types, STATIC.get(name, {}))
    return result, dict(static)


def test_every_operation_that_can_give_an_int_has_a_rule() -> None:
    able = set()
    for name in OPERATIONS.keys() - CONSTANT:
        try:
            result, _ = typed(name)
        except (ShapeProblem, KeyError):
            continue
        if result.kind == "int":
            able.add(name)
    assert able == set(BOUNDS) and set(GROWING) <= set(BOUNDS)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[int, int]:
    low = draw(st.integers(-3, 3))
    return low, low + draw(st.integers(0, 2))


@pytest.mark.parametrize("name", BOUNDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_true_value_lies_outside(name: str, data: st.DataObject) -> None:
    given_shapes = shapes(name)
    result, static = typed(name)
    bounds = [data.draw(intervals()) for _ in given_shapes]
    if name == "power":
        bounds[1] = (max(bounds[1][0], 0), max(bounds[1][1], 0))
    if name == "scatter":
        bounds[0] = (0, 2)
    if name == "select":
        bounds[0] = (0, 1)
    kinds = [argument.kind for argument in OPERATIONS[name].arguments if not argument.static]
    types = [
        Type("bool" if name == "select" and place == 0 else "int", shape) for place, shape in enumerate(given_shapes)
    ]
    low, high = bounds_of(name, bounds, types, static, result)
    generator = np.random.default_rng(0)
    sizes = [int(np.prod(shape, dtype=int)) for shape in given_shapes]
    every = [range(a, b + 1) for (a, b), size in zip(bounds, sizes, strict=True) for _ in range(size)]
    total = int(np.prod([len(values) for values in every], dtype=float))
    cases = list(product(*every)) if total <= 300 else [[generator.choice(v) for v in every] for _ in range(200)]
    cases += [[(v[0], v[-1])[generator.integers(2)] for v in every] for _ in range(60)]
    for case in cases:
        parts, start = [], 0
        for shape, size, kind in zip(given_shapes, sizes, (kinds + kinds[-1:] * 9), strict=False):
            array = np.reshape(np.array(case[start : start + size], dtype=np.int64), shape)
            parts.append(array.astype(bool) if kind == "bool" else array)
            start += size
        if name == "clip" and parts[1] > parts[2]:
            continue
        value = apply(name, parts, static)
        assert low <= value.min() and value.max() <= high, (name, bounds, case, value)


@pytest.mark.parametrize(
    ("name", "bounds", "size", "expected"),
    [
        ("prod", [(-1, 1)], 1000, (-1, 1)),
        ("cumprod", [(-1, 1)], 1000, (-1, 1)),
        ("prod", [(-2, 1)], 3, (-8, 4)),
        ("prod", [(0, 10)], 400, (0, MAX_MAGNITUDE)),
        ("sum", [(0, 1)], 1000, (0, 1000)),
        ("dot", [(-1, 1), (-1, 1)], 784, (-784, 784)),
    ],
)
def test_what_is_usual_stays_small(
    name: str, bounds: list[tuple[int, int]], size: int, expected: tuple[int, int]
) -> None:
    types = [Type("int", (size,))] * len(bounds)
    result, static = result_type(OPERATIONS[name], types, {})
    assert bounds_of(name, bounds, types, static, result) == expected


def test_small_bounds_are_tight() -> None:
    def of(name: str, *bounds: tuple[int, int]) -> tuple[int, int]:
        return bounds_of(name, bounds, [Type("int")] * len(bounds), {}, Type("int"))

    assert of("modulo", (-100, 100), (7, 7)) == (0, 6)
    assert of("modulo", (0, 3), (7, 9)) == (0, 3)
    assert of("modulo", (-5, 5), (-3, -2)) == (-2, 0)
    assert of("floor_divide", (0, 99), (10, 10)) == (0, 9)
    assert of("floor_divide", (-(2**31), 0), (-1, 3)) == (-(2**31), 2**31), "the one quotient of ints that is too large"
    assert of("clip", (-100, 100), (0, 0), (2, 2)) == (0, 2)
    assert of("maximum", (-5, 5), (1, 1)) == (1, 5)
    assert of("square", (-3, 2)) == (0, 9)
    assert of("power", (-3, 3), (3, 3)) == (-27, 27)
    assert of("power", (10, 10), (10**9, 10**9)) == (MAX_MAGNITUDE, MAX_MAGNITUDE), "without the number itself"
    assert of("abs", INT32) == (0, 2**31)


def test_every_distribution_of_ints_has_bounds_that_its_oracle_keeps() -> None:
    words = np.concatenate([np.zeros(5), np.full(5, 2**32 - 1), np.random.default_rng(1).integers(0, 2**32, 90)])
    words = words.astype(np.uint32).reshape(20, 5)
    given: dict[str, dict[str, Any]] = {
        "bernoulli": {"p": 0.5}, "rademacher": {"count": 160}, "integer": {"n": 7}, "categorical": {"p": np.array([1, 2, 1.0])},
        "permutation": {"n": 5}, "subset": {"n": 5, "k": 2}, "poisson": {"rate": 100.0},
    }  # fmt: skip
    ints = {name for name, row in DISTRIBUTIONS.items() if row.kind == "int"}
    assert ints == set(given) == {name for name, row in DISTRIBUTIONS.items() if row.between}
    for name, arguments in given.items():
        row = DISTRIBUTIONS[name]
        assert row.between is not None
        low, high = row.between({"p": 3, **{k: v for k, v in arguments.items() if isinstance(v, int)}})
        values = row.numpy(words, **arguments)
        if name == "poisson":  # of the largest rate; of the least, the least
            assert row.numpy(words, rate=0.0).max() == low < values.min() and 160 < values.max() <= high
            continue
        assert (values.min(), values.max()) == (low, high)
    edge = DISTRIBUTIONS["integer"].numpy(np.array([2**32 - 1], np.uint32), n=2**31)
    assert edge == 2**31 - 1 == INT32[1]
