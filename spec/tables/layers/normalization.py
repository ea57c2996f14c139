"""Normalisations: over each example, or over the batch."""

from __future__ import annotations

from ...ir.types import Shape
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


NORMALIZATIONS = (
    Layer(
        name="layer_normalization", keras="LayerNormalization",
        meaning="mean 0 and variance 1 over each example's last axis", parameters=named(_EPSILON, *_CENTER_AND_SCALE),
        output=array_shape, weights=_weights, work=work.each_output(8, 19),
    ),
    Layer(
        name="batch_normalization", keras="BatchNormalization",
        meaning="mean 0 and variance 1 over the batch; moving averages in measures",
        parameters=named(
            Parameter("momentum", "real", "the moving averages' memory", 0.99, bounds=BELOW_ONE), _EPSILON, *_CENTER_AND_SCALE
        ),
        output=array_shape, weights=_weights_and_averages, work=work.each_output(8, 15),
        untrained=("moving_mean", "moving_variance"), stacking="stacked",
    ),
)  # fmt: skip
