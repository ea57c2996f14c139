"""Layers that make images larger: each value several times, or zeros around."""

from __future__ import annotations

from math import prod

from ...ir.types import Shape, ShapeProblem
from ..keras_parameters import Parameter, named
from .row import Config, Layer, need_image
from .windows import sizes

_CHECK = need_image(2)


def _larger(shape: Shape, config: Config) -> Shape:
    _CHECK(shape)
    height, width = sizes(config["size"], 2)
    return (shape[0] * height, shape[1] * width, shape[2])


def _resizing_work(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
    """Nearest: sums of the copies' gradients. Bilinear: products with a matrix along each axis."""
    if config["interpolation"] == "nearest":
        return 0, prod(output)
    products = 2 * output[0] * shape[0] * shape[1] * shape[2] + 2 * prod(output) * shape[1]
    return products, products


def margins(value: object) -> tuple[tuple[int, int], tuple[int, int]]:
    """How many zeros before and behind each of two axes. Raises ShapeProblem.

    >>> margins(1), margins((1, 2)), margins(((0, 1), (2, 3)))
    (((1, 1), (1, 1)), ((1, 1), (2, 2)), ((0, 1), (2, 3)))
    """
    along = tuple(value) if isinstance(value, list | tuple) else (value, value)
    pairs = [tuple(item) if isinstance(item, list | tuple) else (item, item) for item in along]
    if len(pairs) != 2 or any(len(pair) != 2 for pair in pairs):
        hint = "Write one number, `[rows, columns]`, or `[[top, bottom], [left, right]]`."
        raise ShapeProblem(f"takes margins along 2 axes, but gets {value}", hint)
    (top, bottom), (left, right) = pairs
    return (top, bottom), (left, right)


def _padded(shape: Shape, config: Config) -> Shape:
    _CHECK(shape)
    rows, columns = margins(config["padding"])
    return (shape[0] + sum(rows), shape[1] + sum(columns), shape[2])


RESIZINGS = (
    Layer(
        name="up_sampling2d", keras="UpSampling2D", meaning="an image made larger by whole factors",
        parameters=named(
            Parameter("size", "sizes", "the factor of each axis", 2),
            Parameter("interpolation", "choice", "`nearest` repeats each value, `bilinear` interpolates between them", "nearest", ("nearest", "bilinear")),
        ),
        primary="size", output=_larger, work=_resizing_work,
    ),
    Layer(
        name="zero_padding2d", keras="ZeroPadding2D", meaning="zeros around an image",
        parameters=named(Parameter("padding", "margins", "how many zeros: one number, `[rows, columns]`, or `[[top, bottom], [left, right]]`", 1)),
        primary="padding", output=_padded,
    ),
)  # fmt: skip
