"""Convolutions and poolings over one axis or two."""

from __future__ import annotations

from math import prod

from ...ir.types import Shape, ShapeProblem
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
from .windows import places, sizes, strides_or_dilation


def _convolution(rank: int, fuses_with: tuple[str, ...] = ()) -> Layer:
    check = need_image(rank)

    def weights(shape: Shape, config: Config) -> Weights:
        check(shape)
        if shape[-1] % config["groups"] or config["filters"] % config["groups"]:
            raise ShapeProblem(
                f"{config['groups']} groups do not divide {shape[-1]} channels and {config['filters']} filters",
                "Choose a number of groups that divides both.",
            )
        kernel = (*sizes(config["kernel_size"], rank), shape[-1] // config["groups"], config["filters"])
        return {"kernel": kernel, **({"bias": (config["filters"],)} if config["use_bias"] else {})}

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        size, (strides, dilation) = sizes(config["kernel_size"], rank), strides_or_dilation(config, rank)
        return (*places(shape[:-1], size, strides, config["padding"], dilation), config["filters"])

    def flops(shape: Shape, config: Config) -> int:
        return 2 * prod(output(shape, config)[:-1]) * prod(weights(shape, config)["kernel"])

    paddings = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    parameters = named(
        Parameter("filters", "size", "how many output channels"),
        Parameter("kernel_size", "sizes", "the window's size along each axis"),
        Parameter("strides", "sizes", "how far the window moves", 1),
        Parameter("padding", "choice", "`same` keeps the size, `valid` stays inside", "valid", paddings),
        Parameter("dilation_rate", "sizes", "the spacing of the window's points", 1),
        Parameter("groups", "size", "channels are split into so many groups", 1),
        ACTIVATION, USE_BIAS, *KERNEL_AND_BIAS_INITIALIZERS, *KERNEL_AND_BIAS_CONSTRAINTS,
    )  # fmt: skip
    return Layer(
        name=f"conv{rank}d", keras=f"Conv{rank}D", meaning=f"a convolution over {rank} {'axis' if rank == 1 else 'axes'}",
        parameters=parameters, output=output, weights=weights, flops=flops, work=work.bias_and_activation,
        xla_on_cpu=False, fuses_with=fuses_with,
    )  # fmt: skip


_WORD = {"max": "largest", "average": "mean"}


def _pool(rank: int, kind: str) -> Layer:
    check = need_image(rank)

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        size = sizes(config["pool_size"], rank)
        strides = size if config["strides"] is None else sizes(config["strides"], rank)
        return (*places(shape[:-1], size, strides, config["padding"], (1,) * rank), shape[-1])

    parameters = named(
        Parameter("pool_size", "sizes", "the window's size along each axis", 2),
        Parameter("strides", "sizes", "how far the window moves; by default its own size", None),
        Parameter("padding", "choice", "`same` keeps partial windows", "valid", ("valid", "same")),
    )
    return Layer(
        name=f"{kind}_pool{rank}d", keras=f"{kind.capitalize()}Pooling{rank}D", meaning=f"the {_WORD[kind]} value in each window",
        parameters=parameters, primary="pool_size", output=output,
        work=work.max_pooling if kind == "max" else work.pooling(lambda window: 2 * window),
    )  # fmt: skip


def _global_pool(rank: int, kind: str) -> Layer:
    check = need_image(rank)

    def output(shape: Shape, config: Config) -> Shape:
        check(shape)
        return shape[-1:]

    return Layer(
        name=f"global_{kind}_pool{rank}d", keras=f"Global{kind.capitalize()}Pooling{rank}D",
        meaning=f"the {_WORD[kind]} value of each channel", parameters=named(), output=output,
        work=work.each_input(2, 4) if kind == "max" else work.each_input(1, 1),
    )  # fmt: skip


CONVOLUTIONS = (_convolution(1), _convolution(2, fuses_with=("max_pool2d",)))
POOLINGS = tuple(make(rank, kind) for make in (_pool, _global_pool) for kind in _WORD for rank in (1, 2))
