"""Layers without weights: other shapes for the same values, functions of every value, noise."""

from __future__ import annotations

from math import prod

from ...ir.types import Shape, ShapeProblem, shape_text
from ..bounds import BELOW_ONE, NOT_NEGATIVE, SHARE
from ..keras_parameters import Parameter, named
from . import work
from .row import Config, Layer, need, same_shape


def _reshaped(shape: Shape, config: Config) -> Shape:
    target: Shape = config["target_shape"]
    if prod(target) != prod(shape):
        raise ShapeProblem(
            f"{shape_text(shape)} holds {prod(shape)} values, but {shape_text(target)} holds {prod(target)}",
            "Both shapes must hold equally many values.",
        )
    return target


def _repeated(shape: Shape, config: Config) -> Shape:
    need(1, "a vector [n]")(shape)
    return (config["n"], shape[0])


SHAPES = (
    Layer(
        name="flatten", keras="Flatten", meaning="all values in one axis", parameters=named(),
        output=lambda s, c: (prod(s),),
    ),
    Layer(
        name="reshape", keras="Reshape", meaning="the same values in another shape",
        parameters=named(Parameter("target_shape", "shape", "the new shape")), primary="target_shape", output=_reshaped,
    ),
    Layer(
        name="repeat_vector", keras="RepeatVector", meaning="a vector repeated along a new first axis",
        parameters=named(Parameter("n", "size", "how many times")), primary="n", output=_repeated,
        work=work.each_output(0, 1),
    ),
)  # fmt: skip

FUNCTIONS = (
    Layer(
        name="activation", keras="Activation", meaning="a function of every value",
        parameters=named(Parameter("activation", "activation", "which one")), primary="activation",
        output=same_shape, work=work.activation,
    ),
    Layer(
        name="leaky_relu", keras="LeakyReLU", meaning="x, or a share of it below 0",
        parameters=named(Parameter("negative_slope", "real", "the share of x that is left below 0", 0.3, bounds=NOT_NEGATIVE)),
        primary="negative_slope", output=same_shape, work=work.each_output(1, 1),
    ),
)  # fmt: skip

NOISE = (
    Layer(
        name="dropout", keras="Dropout", meaning="sets values to 0 at random, in training",
        parameters=named(Parameter("rate", "real", "the share of values set to 0", 0.5, bounds=BELOW_ONE, timed=True)), primary="rate",
        output=same_shape, work=work.each_output(4, 2), draws=True, stacking="stacked",
    ),
    Layer(
        name="gaussian_noise", keras="GaussianNoise", meaning="adds normal noise, in training",
        parameters=named(Parameter("stddev", "real", "the deviation of the noise", bounds=SHARE, timed=True)), primary="stddev",
        output=same_shape, work=work.each_output(1, 0), draws=True, stacking="stacked",
    ),
)  # fmt: skip
