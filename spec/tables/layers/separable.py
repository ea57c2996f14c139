"""Convolutions of each channel by itself, alone and followed by a mixing of the channels (Chollet 2017)."""

from __future__ import annotations

from math import prod

from ...ir.types import Shape, ShapeProblem
from ..keras_parameters import Parameter, named
from . import work
from .row import ACTIVATION, USE_BIAS, Config, Layer, Weights, constraint, initializer, need_image
from .windows import places, sizes, strides_or_dilation

_CHECK = need_image(2)


def _places(shape: Shape, config: Config) -> Shape:
    """Where the windows are. Raises ShapeProblem."""
    _CHECK(shape)
    strides, dilation = strides_or_dilation(config, 2)
    if strides[0] != strides[1]:
        raise ShapeProblem(f"takes one stride for both axes, but gets {list(strides)}", "Give one number.")
    return places(shape[:-1], sizes(config["kernel_size"], 2), strides, config["padding"], dilation)


def _depthwise_kernel(shape: Shape, config: Config) -> Shape:
    _CHECK(shape)
    return (*sizes(config["kernel_size"], 2), shape[-1], config["depth_multiplier"])


def _depthwise_flops(shape: Shape, config: Config) -> int:
    return 2 * prod(_places(shape, config)) * prod(_depthwise_kernel(shape, config))


def _with_bias(weights: Weights, config: Config, channels: int) -> Weights:
    return weights | ({"bias": (channels,)} if config["use_bias"] else {})


def _channels(shape: Shape, config: Config) -> int:
    return int(shape[-1] * config["depth_multiplier"])


def _depthwise_weights(shape: Shape, config: Config) -> Weights:
    return _with_bias({"kernel": _depthwise_kernel(shape, config)}, config, _channels(shape, config))


def _separable_weights(shape: Shape, config: Config) -> Weights:
    kernels: Weights = {"depthwise_kernel": _depthwise_kernel(shape, config)}
    kernels["pointwise_kernel"] = (1, 1, _channels(shape, config), config["filters"])
    return _with_bias(kernels, config, config["filters"])


def _pointwise_flops(shape: Shape, config: Config) -> int:
    return 2 * prod(_places(shape, config)) * _channels(shape, config) * int(config["filters"])


_WINDOW = (
    Parameter("kernel_size", "sizes", "the window's size along each axis"),
    Parameter("strides", "sizes", "how far the window moves, the same along both axes", 1),
    Parameter("padding", "choice", "`same` keeps the size, `valid` stays inside", "valid", ("valid", "same")),
    Parameter("dilation_rate", "sizes", "the spacing of the window's points", 1),
    Parameter("depth_multiplier", "size", "how many output channels are made of each input channel", 1),
    ACTIVATION, USE_BIAS,
)  # fmt: skip


def _starts_and_constraints(*kernels: str) -> tuple[Parameter, ...]:
    starts = (
        *(initializer(f"{name}_initializer", "glorot_uniform") for name in kernels),
        initializer("bias_initializer", "zeros"),
    )
    return (*starts, *(constraint(f"{name}_constraint") for name in (*kernels, "bias")))


SEPARABLE = (
    Layer(
        name="depthwise_conv2d", keras="DepthwiseConv2D", meaning="a convolution of each channel by itself, over 2 axes",
        parameters=named(*_WINDOW, *_starts_and_constraints("depthwise")), primary="kernel_size",
        output=lambda s, c: (*_places(s, c), _channels(s, c)), weights=_depthwise_weights, flops=_depthwise_flops,
        work=work.bias_and_activation, xla_on_cpu=False, called={"kernel": "depthwise"},
    ),
    Layer(
        name="separable_conv2d", keras="SeparableConv2D",
        meaning="a convolution of each channel by itself, and a mixing of the channels at each place (Chollet 2017)",
        parameters=named(Parameter("filters", "size", "how many output channels"), *_WINDOW, *_starts_and_constraints("depthwise", "pointwise")),
        output=lambda s, c: (*_places(s, c), c["filters"]), weights=_separable_weights,
        flops=lambda s, c: _depthwise_flops(s, c) + _pointwise_flops(s, c), inner_flops=_pointwise_flops,
        work=work.bias_and_activation, xla_on_cpu=False,
    ),
)  # fmt: skip
