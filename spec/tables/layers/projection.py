"""The layer that brings a block's input to the shape of its output, so that the two can be added (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir.types import Shape, ShapeProblem, shape_text

PROJECTION = "projection"
"""Its name in the block."""


def projection(given: Shape, wanted: Shape) -> Mapping[str, Any]:
    """The layer as a study would write it: a dense one where the channels alone differ, else a strided convolution of window 1.

    Raises ShapeProblem.

    >>> projection((4,), (6,)), projection((8, 8, 2), (4, 4, 6))
    ({'dense': {'units': 6, 'name': 'projection'}}, {'conv2d': {'filters': 6, 'kernel_size': 1, 'strides': [2, 2], 'name': 'projection'}})
    """
    refused = ShapeProblem(
        f"no projection brings {shape_text(given) or 'a number'} to {shape_text(wanted) or 'a number'}",
        "It changes the number of channels, and makes one or two axes shorter by whole strides.",
    )
    if not given or len(given) != len(wanted):
        raise refused
    if given[:-1] == wanted[:-1]:
        return {"dense": {"units": wanted[-1], "name": PROJECTION}}
    strides = [_stride(*lengths) for lengths in zip(given[:-1], wanted[:-1], strict=True)]
    if len(strides) > 2 or not all(strides):
        raise refused
    along = {"filters": wanted[-1], "kernel_size": 1, "strides": strides, "name": PROJECTION}
    return {f"conv{len(strides)}d": along}


def _stride(length: int, wanted: int) -> int:
    """The stride from which an axis has the wanted length; 0 where there is none."""
    stride = -(-length // wanted)
    return stride if -(-length // stride) == wanted else 0
