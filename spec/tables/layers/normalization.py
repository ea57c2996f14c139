"""Normalisations: over each example, or over the batch."""

from __future__ import annotations

from ...ir.types import Shape, ShapeProblem
from ..bounds import BELOW_ONE, POSITIVE
from ..keras_parameters import Parameter, named
from . import work
from .row import Config, Layer, Weights, array_shape

_EPSILON = Parameter("epsilon", "real", "keeps the variance from 0", 1e-3, bounds=POSITIVE)
_CENTER_AND_SCALE = (
    Parameter("center", "bool", "adds a learnt beta", True),
    Parameter("scale", "bool", "multiplies by a learnt gamma", True),
)


def _weights(shape: Shape, config: Config) -> Weights:
    size = array_shape(shape, config)[-1:]
    return {name: size for name, argument in (("gamma", "scale"), ("beta", "center")) if config[argument]}


def _weights_and_averages(shape: Shape, config: Config) -> Weights:
    return _weights(shape, config) | dict.fromkeys(("moving_mean", "moving_variance"), shape[-1:])


def _grouped(shape: Shape, config: Config) -> Weights:
    channels, groups = array_shape(shape, config)[-1], config["groups"]
    if channels % groups:
        raise ShapeProblem(
            f"{groups} groups do not divide {channels} channels", "Choose a number of groups that divides them."
        )
    return _weights(shape, config)


NORMALIZATIONS = (
    Layer(
        name="layer_normalization", keras="LayerNormalization",
        meaning="mean 0 and variance 1 over each example's last axis", parameters=named(_EPSILON, *_CENTER_AND_SCALE),
        output=array_shape, weights=_weights, work=work.each_output(7, 15), stacking="stacked", numbers=1,
    ),
    Layer(
        name="rms_normalization", keras="RMSNormalization",
        meaning="each example's last axis over its root mean square, times a learnt scale (Zhang & Sennrich 2019)",
        parameters=named(Parameter("epsilon", "real", "keeps the mean square from 0", 1e-6, bounds=POSITIVE)),
        output=array_shape, weights=lambda s, c: {"scale": array_shape(s, c)[-1:]}, work=work.each_output(4, 10), stacking="stacked",
    ),
    Layer(
        name="group_normalization", keras="GroupNormalization",
        meaning="mean 0 and variance 1 over each example's groups of channels (Wu & He 2018)",
        parameters=named(Parameter("groups", "size", "into how many groups the channels are split", 32), _EPSILON, *_CENTER_AND_SCALE),
        primary="groups", output=array_shape, weights=_grouped, work=work.each_output(7, 15), stacking="stacked",
    ),
    Layer(
        name="batch_normalization", keras="BatchNormalization",
        meaning="mean 0 and variance 1 over the batch; moving averages in measures",
        parameters=named(
            Parameter("momentum", "real", "the decay of the moving averages", 0.99, bounds=BELOW_ONE), _EPSILON, *_CENTER_AND_SCALE
        ),
        output=array_shape, weights=_weights_and_averages, work=work.each_output(8, 15),
        untrained=("moving_mean", "moving_variance"), mixes_examples=True, stacking="stacked",
    ),
)  # fmt: skip
