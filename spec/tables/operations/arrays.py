"""Arrays: made, joined, sorted, looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ...ir.types import ShapeProblem, Type, join, shape_text
from .reductions import normal_axis
from .table import Operation, table


def _concat(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    if len(types) < 2:
        hint = "Give them one by one, `concat(a, b)`; `[a, b]` is an array of arrays."
        raise ShapeProblem(f"concat joins two or more arrays, but got only {types[0]}", hint)
    ranks = {len(given.shape) for given in types}
    if ranks == {0} or len(ranks) > 1:
        texts = ", ".join(str(given) for given in types)
        raise ShapeProblem(
            f"concat joins arrays of the same number of axes, not {texts}", "`[a, b]` makes an array of numbers."
        )
    rest = {given.shape[1:] for given in types}
    if len(rest) > 1:
        raise ShapeProblem(
            "concat joins along the first axis; the others differ: " + " and ".join(map(shape_text, sorted(rest)))
        )
    length = sum(given.shape[0] for given in types)
    return Type(join(given.kind for given in types), (length, *rest.pop())), {"rank": ranks.pop()}


def _need_axis(types: Sequence[Type], least: int = 1) -> None:
    if len(types[0].shape) < 1 or types[0].shape[0] < least:
        raise ShapeProblem(f"needs an array of at least {least} along its first axis, but got {types[0]}")


def _first_axis(change: int, least: int = 1) -> Any:
    """The type rule of what keeps the shape but for the length of the first axis."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        _need_axis(types, least)
        given = types[0]
        kind = "int" if given.kind == "bool" else given.kind
        return Type(kind, (given.shape[0] + change, *given.shape[1:])), {"axis": -len(given.shape)}

    return rule


def _last_axis(kind: str | None) -> Any:
    """The type rule of what works along the last axis and keeps the shape."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        _need_axis(types)
        return Type(kind or types[0].kind, types[0].shape), {}

    return rule


def _top(kind: str | None) -> Any:
    """The type rule of the k first along the last axis."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        _need_axis(types)
        size, k = types[0].shape[-1], static["k"]
        if k > size:
            raise ShapeProblem(f"there are no {k} largest of {size}", "k is at most the length of the last axis.")
        own = "int" if types[0].kind == "bool" else types[0].kind
        return Type(kind or own, (*types[0].shape[:-1], k)), {"k": k}

    return rule


def _argtop_k(x: Any, k: int) -> Any:
    x = np.asarray(x)
    undefined = np.isnan(x) if x.dtype.kind == "f" else np.zeros(x.shape, bool)
    return np.lexsort((-np.where(undefined, 0, x), ~undefined), axis=-1)[..., :k]


def _fourier(x: Any) -> Any:
    x = np.asarray(x, float)
    finite = np.isfinite(x).all(axis=-1, keepdims=True)
    return np.where(finite, np.fft.fft(np.where(finite, x, 0.0), axis=-1), complex(np.nan, np.nan))


def _reshape(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    given, shape = types[0], static["shape"]
    if prod(given.shape) != prod(shape):
        raise ShapeProblem(
            f"{shape_text(given.shape)} holds {prod(given.shape)} values, but {shape_text(shape)} holds {prod(shape)}"
        )
    return Type(given.kind, shape), {"shape": shape, "rank": len(given.shape)}


def _steps(kind: str) -> Any:
    """The type rule of a look-up of numbers of any shape in sorted steps [n]."""

    def rule(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
        numbers, steps = types
        if len(steps.shape) != 1:
            raise ShapeProblem(f"the steps must be one array [n], not {steps}")
        return Type(kind, numbers.shape), {"rank": len(numbers.shape)}

    return rule


def _one_hot(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    return Type("real", (*types[0].shape, static["size"])), static


def step_index(x: Any, steps: Any, rank: int) -> Any:
    """The index of the last step ≤ x (0 below the first). x [..., *shape of that rank], steps [..., n], sorted."""
    table = np.reshape(steps, (*np.shape(steps)[:-1], *(1,) * rank, np.shape(steps)[-1]))
    return np.maximum(np.sum(table <= np.asarray(x)[..., None], axis=-1) - 1, 0)


def _floor_to(x: Any, steps: Any, rank: int) -> Any:
    table = np.reshape(steps, (*np.shape(steps)[:-1], *(1,) * rank, np.shape(steps)[-1]))
    index = step_index(x, steps, rank)
    table = np.broadcast_to(table, (*index.shape, table.shape[-1]))
    found = np.take_along_axis(table, index[..., None], axis=-1)[..., 0]
    return np.where(np.isnan(np.asarray(x, float)), np.nan, found)


def _scatter(index: Any, values: Any, size: int) -> Any:
    hit = np.asarray(index)[..., :, None] == np.arange(size)
    return np.sum(np.where(hit, np.asarray(values)[..., :, None], 0), axis=-2)


def _range(first: Any, last: Any = None, step: Any = None) -> Any:
    stop, start = (first, 0) if last is None else (last, first)
    values = np.arange(start, stop, 1 if step is None else step)
    return values


def _reshape_numpy(x: Any, shape: tuple[int, ...], rank: int) -> Any:
    x = np.asarray(x)
    return np.reshape(x, x.shape[: x.ndim - rank] + shape)


def _reverse(x: Any, axis: int) -> Any:
    return np.flip(x, axis=axis)


def _tile(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    size = static["times"]
    return Type(types[0].kind, (size, *types[0].shape)), {"times": size, "rank": len(types[0].shape)}


def _tile_numpy(x: Any, times: int, rank: int) -> Any:
    x = np.expand_dims(np.asarray(x), axis=-rank - 1)
    return np.repeat(x, times, axis=-rank - 1)


def _roll(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    _need_axis(types)
    return types[0], {"by": static["by"] % types[0].shape[0], "axis": normal_axis(0, len(types[0].shape))}


ARRAYS = table(
    "arrays",
    [
        Operation(
            "range", "(first: real[], last: real[] = none, step: real[] = none) -> real[n]",
            "the numbers from 0 up to, but not including, the first argument, or from `first` to `last` in steps",
            _range, example=("range(1, 7, 2)", "[1, 3, 5]"), constant=True,
        ),
        Operation(
            "linspace", "(first: real[], last: real[], size: size) -> real[size]", "numbers evenly spaced, including both ends",
            lambda first, last, size: np.linspace(first, last, size), example=("linspace(0, 1, 3)", "[0.0, 0.5, 1.0]"), constant=True,
        ),
        Operation(
            "unique", "(x: number[n]) -> number[m]", "the sorted values, each once", np.unique,
            example=("unique([3, 1, 3])", "[1, 3]"), constant=True,
        ),
        Operation(
            "zeros", "(shape: shape) -> real[]", "zeros of a shape", lambda shape: np.zeros(shape),
            example=("zeros([2])", "[0.0, 0.0]"), constant=True,
        ),
        Operation(
            "ones", "(shape: shape) -> real[]", "ones of a shape", lambda shape: np.ones(shape),
            example=("ones([2])", "[1.0, 1.0]"), constant=True,
        ),
        Operation(
            "eye", "(size: size) -> real[size, size]", "the identity matrix", lambda size: np.eye(size),
            example=("eye(2)", "[[1.0, 0.0], [0.0, 1.0]]"), constant=True,
        ),
        Operation(
            "concat", "(*arrays: number[*s]) -> number[n]", "arrays joined along their first axis",
            lambda *arrays, rank: np.concatenate(_level(arrays, rank), axis=-rank), example=("concat([1], [2, 3])", "[1, 2, 3]"), rule=_concat, linear=("arrays",),
        ),
        Operation(
            "sort", "(x: number[*s]) -> number[*s]", "sorted upwards, along the last axis",
            lambda x: np.sort(x, axis=-1), example=("sort([3, 1, 2])", "[1, 2, 3]"), rule=_last_axis(None),
            corner="what is undefined comes last; the gradient goes to where each value came from, equals in their order",
        ),
        Operation(
            "argsort", "(x: number[*s]) -> int[*s]", "the indices that sort, along the last axis (equals in their order)",
            lambda x: np.argsort(x, axis=-1, kind="stable"), example=("argsort([3, 1, 2])", "[1, 2, 0]"), rule=_last_axis("int"),
            corner="what is undefined comes last; -0 equals 0",
        ),
        Operation(
            "top_k", "(x: number[*s], k: size) -> number[*t]", "the k largest along the last axis, the largest first",
            lambda x, k: np.flip(np.sort(x, axis=-1), axis=-1)[..., :k], example=("top_k([3, 1, 2], 2)", "[3, 2]"), rule=_top(None),
            corner="what is undefined comes first; the gradient goes to where each value came from",
        ),
        Operation(
            "argtop_k", "(x: number[*s], k: size) -> int[*t]", "the indices of the k largest along the last axis (equals in their order)",
            _argtop_k, example=("argtop_k([3, 1, 2], 2)", "[0, 2]"), rule=_top("int"),
            corner="what is undefined comes first",
        ),
        Operation(
            "fft_real", "(x: real[*s]) -> real[*s]", "the real part of the discrete Fourier transform along the last axis",
            lambda x: _fourier(x).real, example=("fft_real([1, 1])", "[2.0, 0.0]"), rule=_last_axis("real"), linear=("x",),
            corner="undefined throughout where an entry of the axis is not finite",
        ),
        Operation(
            "fft_imag", "(x: real[*s]) -> real[*s]", "the imaginary part of the discrete Fourier transform along the last axis",
            lambda x: _fourier(x).imag, example=("fft_imag([0, 1, 0, 0])", "[0.0, -1.0, 0.0, 1.0]"), rule=_last_axis("real"), linear=("x",),
            corner="undefined throughout where an entry of the axis is not finite",
        ),
        Operation(
            "reverse", "(x: number[*s]) -> number[*s]", "the first axis backwards", _reverse,
            example=("reverse([1, 2])", "[2, 1]"), rule=_first_axis(0), linear=("x",),
        ),
        Operation(
            "roll", "(x: number[*s], by: integer) -> number[*s]", "the first axis moved round by a number of places",
            lambda x, by, axis: np.roll(x, by, axis=axis), example=("roll([1, 2, 3], 1)", "[3, 1, 2]"), rule=_roll, linear=("x",),
        ),
        Operation(
            "diff", "(x: number[*s]) -> number[*s]", "x[i + 1] - x[i] along the first axis, one shorter",
            lambda x, axis: np.diff(x, axis=axis), example=("diff([1, 4, 9])", "[3, 5]"), rule=_first_axis(-1, 2), linear=("x",),
        ),
        Operation(
            "cumsum", "(x: number[*s]) -> number[*s]", "running sums along the first axis",
            lambda x, axis: np.cumsum(x, axis=axis), example=("cumsum([1, 2, 3])", "[1, 3, 6]"), rule=_first_axis(0), linear=("x",),
        ),
        Operation(
            "cumprod", "(x: number[*s]) -> number[*s]", "running products along the first axis",
            lambda x, axis: np.cumprod(x, axis=axis), example=("cumprod([1, 2, 3])", "[1, 2, 6]"), rule=_first_axis(0),
            corner="the gradient is exact where a factor is 0",
        ),
        Operation(
            "reshape", "(x: number[*s], shape: shape) -> number[*t]", "the same values in another shape, the last axis running fastest",
            _reshape_numpy, example=("reshape([1, 2, 3, 4], [2, 2])", "[[1, 2], [3, 4]]"), rule=_reshape, linear=("x",),
        ),
        Operation(
            "repeat", "(x: number[*s], times: size) -> number[times, *s]", "copies of x along a new first axis",
            _tile_numpy, example=("repeat([1, 2], 2)", "[[1, 2], [1, 2]]"), rule=_tile, linear=("x",),
        ),
        Operation(
            "one_hot", "(index: int[*s], size: size) -> real[*s, size]", "1 at the index, 0 elsewhere, along a new last axis",
            lambda index, size: (np.asarray(index)[..., None] == np.arange(size)).astype(float),
            example=("one_hot(1, 3)", "[0.0, 1.0, 0.0]"), rule=_one_hot,
            corner="all 0 where the index is outside",
        ),
        Operation(
            "scatter", "(index: int[k], values: number[k], size: size) -> number[size]",
            "zeros of a size with values[i] added at index[i]", _scatter, example=("scatter([2, 0], [5, 7], 3)", "[7, 0, 5]"), linear=("values",),
            corner="an index outside adds nothing",
        ),
        Operation(
            "step_of", "(x: real[*s], steps: real[n]) -> int[*s]", "the index of the last of the sorted steps that is ≤ x (0 below the first)",
            step_index, example=("step_of(2.5, [0, 1, 2, 3])", "2"), rule=_steps("int"),
            corner="0 where x is undefined",
        ),
        Operation(
            "floor_to", "(x: real[*s], steps: real[n]) -> real[*s]", "the last of the sorted steps that is ≤ x (the first below it)",
            _floor_to, example=("floor_to(2.5, [0, 1, 2, 3])", "2.0"), rule=_steps("real"),
            corner="gradient 0",
        ),
    ],
)  # fmt: skip


def _level(arrays: Sequence[Any], rank: int) -> list[Any]:
    """Arrays whose leading axes are broadcast to agree, as joining needs it."""
    given = [np.asarray(array) for array in arrays]
    lead = np.broadcast_shapes(*(array.shape[: array.ndim - rank] for array in given))
    return [np.broadcast_to(array, lead + array.shape[array.ndim - rank :]) for array in given]
