"""Primitives of tasks: inputs of the papers that elementary operations would make slowly or at length."""

from __future__ import annotations

from typing import Any

import numpy as np

from .table import Operation, table


def _line_image(theta: Any, length: Any, centre: Any, size: int) -> Any:
    """The line drawn point by point, a hundredth of a pixel apart, each rounded to the nearest pixel."""
    lead = np.broadcast_shapes(np.shape(theta), np.shape(length), np.shape(centre)[:-1])
    theta, length = np.broadcast_to(theta, lead), np.broadcast_to(length, lead)
    centre = np.broadcast_to(centre, (*lead, 2))
    image = np.zeros((*lead, size, size))
    for place in np.ndindex(*lead):
        along = np.linspace(-length[place] / 2, length[place] / 2, max(2, int(100 * length[place])))
        x = np.floor(centre[place][0] + along * np.cos(theta[place]) + 0.5).astype(int)
        y = np.floor(centre[place][1] + along * np.sin(theta[place]) + 0.5).astype(int)
        inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
        image[(*place, size - 1 - y[inside], x[inside])] = 1
    return image


TASKS = table(
    "task primitives",
    [
        Operation(
            "line_image", "(theta: real[], length: real[], centre: real[2], size: size) -> real[size, size]",
            "1 in each pixel that a line enters, else 0; its angle from the horizontal, its length and centre (x, y) in pixels, y upwards",
            _line_image, example=("line_image(0, 2, [1, 0], 3)", "[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]"),
            source="arXiv:1703.07950, section 3.1",
        ),
    ],
)  # fmt: skip
