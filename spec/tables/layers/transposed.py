"""Transposed convolutions, which spread each value over a window: the way back of a convolution's shapes."""

from __future__ import annotations

from math import prod

from ...ir.types import Shape
from ..keras_parameters import Parameter, named
from . import work
from .row import (
    ACTIVATION,
    KERNEL_AND_BIAS_CONSTRAINTS,
    KERNEL_AND_BIAS_INITIALIZERS,
    USE_BIAS,
    Config,
    Layer,
    Weights,
    need_image,
)
from .windows import sizes


def _transposed(rank: int) -> Layer:
    check = need_image(rank)

    def weights(shape: Shape, config: Config) -> Weights:
        check(shape)
        kernel = (*sizes(config["kernel_size"], rank), config["filters"], shape[-1])
        return {"kernel": kernel, **({"bias": (config["filters"],)} if config["use_bias"] else {})}

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        size, strides = sizes(config["kernel_size"], rank), sizes(config["strides"], rank)
        if config["padding"] == "same":
            return (*(length * step for length, step in zip(shape, strides, strict=False)), config["filters"])
        along = zip(shape[:-1], strides, size, strict=True)
        return (*((length - 1) * step + max(width, step) for length, step, width in along), config["filters"])

    parameters = named(
        Parameter("filters", "size", "how many output channels"),
        Parameter("kernel_size", "sizes", "the window's size along each axis"),
        Parameter("strides", "sizes", "how far the window moves in the output", 1),
        Parameter("padding", "choice", "`same` gives the input's size times the strides, `valid` whole windows", "valid", ("valid", "same")),
        ACTIVATION, USE_BIAS, *KERNEL_AND_BIAS_INITIALIZERS, *KERNEL_AND_BIAS_CONSTRAINTS,
    )  # fmt: skip
    return Layer(
        name=f"conv{rank}d_transpose", keras=f"Conv{rank}DTranspose",
        meaning=f"a transposed convolution over {rank} {'axis' if rank == 1 else 'axes'}: each value is spread over a window",
        parameters=parameters, output=output, weights=weights,
        flops=lambda s, c: 2 * prod(s[:-1]) * prod(weights(s, c)["kernel"]), work=work.bias_and_activation, xla_on_cpu=False,
    )  # fmt: skip


TRANSPOSED = (_transposed(1), _transposed(2))
