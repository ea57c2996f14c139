"""Primitives of tasks: inputs of the papers that elementary operations would make slowly or at length."""

from __future__ import annotations

from typing import Any

import numpy as np

from .table import Operation, table


def _line_image(theta: Any, length: Any, centre: Any, size: int) -> Any:
    """The pixels whose squares the line enters: it is cut at their sides (Liang & Barsky 1984)."""
    theta, half, centre = np.asarray(theta, float), np.asarray(length) / 2, np.asarray(centre, float)
    places = np.arange(size)

    def within(middle: Any, direction: Any, at: Any) -> tuple[Any, Any]:
        """Between which points of the line, counted from its centre, it lies in the strips about some places."""
        direction = np.where(np.abs(direction) < 1e-12, 1e-12, direction)[..., np.newaxis]
        ends = [(at + side - middle[..., np.newaxis]) / direction for side in (-0.5, 0.5)]
        return np.minimum(*ends), np.maximum(*ends)

    left, right = within(centre[..., 0], np.cos(theta), places)
    low, high = within(centre[..., 1], np.sin(theta), places[::-1])
    half = half[..., np.newaxis, np.newaxis]
    first = np.maximum(np.maximum(left[..., np.newaxis, :], low[..., np.newaxis]), -half)
    last = np.minimum(np.minimum(right[..., np.newaxis, :], high[..., np.newaxis]), half)
    undefined = np.isnan(
        np.cos(theta) + half[..., 0, 0] - np.abs(centre).sum(axis=-1)
    )  # ∞ - ∞: all along, and far away
    return np.where(undefined[..., np.newaxis, np.newaxis], np.nan, first <= last)


TASKS = table(
    "task primitives",
    [
        Operation(
            "line_image", "(theta: real[], length: real[], centre: real[2], size: size) -> real[size, size]",
            "1 in each pixel that a line enters, else 0; its angle from the horizontal, its length and centre (x, y) in pixels, y upwards",
            _line_image, example=("line_image(0, 2, [1, 0], 3)", "[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]"),
            source="arXiv:1703.07950, section 3.1",
            corner="empty where the length is negative; gradient 0",
        ),
    ],
)  # fmt: skip
