"""Windows that move over an image: their sizes along each axis, and how many places they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir.types import Shape, ShapeProblem


def sizes(value: Any, rank: int) -> tuple[int, ...]:
    """One size along each axis, from one or a list. Raises ShapeProblem."""
    along = tuple(value) if isinstance(value, list | tuple) else (value,) * rank
    if len(along) != rank:
        many = f" or {rank} of them" if rank > 1 else ""
        raise ShapeProblem(
            f"takes one size{many}, and gets {list(along)}", "Give one size, or as many as the layer has axes."
        )
    return tuple(int(size) for size in along)


def places(
    shape: Shape, size: tuple[int, ...], strides: tuple[int, ...], padding: str, dilation: tuple[int, ...]
) -> Shape:
    """How many places a window has along each axis. Raises ShapeProblem."""
    counts = []
    for length, width, step, gap in zip(shape, size, strides, dilation, strict=True):
        reach = (width - 1) * gap + 1
        if padding in ("same", "causal"):
            counts.append(-(-length // step))
        elif reach > length:
            hint = "Choose a smaller one, or `padding: same`."
            raise ShapeProblem(f"its window of {reach} is longer than the input's axis of {length}", hint)
        else:
            counts.append((length - reach) // step + 1)
    return tuple(counts)


def strides_or_dilation(config: Mapping[str, Any], rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The strides and the dilation along each axis, of which one is 1. Raises ShapeProblem."""
    strides, dilation = sizes(config["strides"], rank), sizes(config["dilation_rate"], rank)
    if max(strides) > 1 and max(dilation) > 1:
        hint = "Leave `strides` or `dilation_rate` out."
        both = f"and gets {list(strides)} and {list(dilation)}"
        raise ShapeProblem(f"takes `strides` or `dilation_rate` above 1, not both, {both}", hint)
    return strides, dilation
